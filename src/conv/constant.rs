//! What constants beyond the ends add to the result.

use super::bank::Bank;
use crate::boundary::Extension;
use crate::error::Result;
use crate::memory;
use crate::scalar::Scalar;

crate::conv::on_descriptions! {
    /// The part d of the result A x + d that a boundary constant adds; `None` without one.
    ///
    /// Operators and matrices of this description are A, the map with zeros instead of the constant.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when it does not fit into memory.
    pub fn constant_term(&self) -> Result<Option<Vec<T>>> {
        constant_term(self.bank())
    }
}

/// The response to the constants alone.
///
/// The signal is extended along one axis after the other, so that where several axes are outside at once the last of
/// them with zeros or a constant decides; axes that repeat samples pass the question on (their weights add up to one).
fn constant_term<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> Result<Option<Vec<T>>> {
    let beyond = bank.beyond();
    if beyond.constants.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut d: Vec<T> = memory::zeroed("the constant term", bank.shape().0)?;
    let bands = bank.axes().each_ref().map(|a| *a.band());
    let (tap_shape, out_shape) = (bands.map(|b| b.taps()), bands.map(|b| b.output()));
    let (taps, outputs): (usize, usize) = (tap_shape.iter().product(), out_shape.iter().product());
    let standing_at = |i: &[usize; D], t: &[usize; D]| -> T {
        for &a in beyond.extended.iter().rev() {
            // Within the bounds that `Band` established.
            let place = bands[a].position(i[a] as i64) - (bands[a].dilation() * t[a]) as i64;
            let outside = place < 0 || place >= bands[a].input() as i64;
            if outside && bank.axes()[a].extension() == Extension::Zero {
                return beyond.constants[a].unwrap_or_else(T::zero);
            }
        }
        T::zero()
    };
    let reaches_out =
        |i: &[usize; D]| (0..D).any(|a| beyond.constants[a].is_some() && !bands[a].inside().contains(&i[a]));
    let channels = bank.channels();
    let term = |row: usize| -> T {
        let (channel, i) = (row / outputs, unravel(row % outputs, &out_shape));
        let mut sum = T::zero();
        if !reaches_out(&i) {
            return sum;
        }
        for c in 0..channels.inputs {
            let kernel = &bank.kernels()[channels.kernel(channel, c) * taps..][..taps];
            for (flat, &k) in kernel.iter().enumerate() {
                let value = standing_at(&i, &unravel(flat, &tap_shape));
                if !k.is_zero() && !value.is_zero() {
                    sum += k * value;
                }
            }
        }
        sum
    };
    d.iter_mut().enumerate().for_each(|(row, d)| *d = term(row));
    Ok(Some(d))
}

/// The multi-index of a row-major position.
fn unravel<const D: usize>(mut flat: usize, shape: &[usize; D]) -> [usize; D] {
    let mut index = [0; D];
    for a in (0..D).rev() {
        index[a] = flat % shape[a];
        flat /= shape[a];
    }
    index
}
