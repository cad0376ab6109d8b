//! The map from kernel to output for a fixed signal.

use super::bank::{Bank, Beyond, Channels};
use crate::band::Band;
use crate::boundary::Extension;
use crate::error::{Result, check_len};
use crate::memory;
use crate::scalar::{Real, Scalar};
use crate::stencil::Axis;
use std::borrow::Cow;
use std::ops::Range;

/// `h ↦ x ∗ h` for a fixed signal x, with the geometry of the description it came from.
///
/// Its adjoint is the gradient with respect to the kernel: for f(h) = ½‖x∗h − b‖², ∇f = Hᴴ(x∗h − b). Made by
/// [`Conv::kernel_operator`](super::Conv::kernel_operator) and its likes. Shape: (outputs, taps).
///
/// There is no code of its own behind it. In the relation `stride·i + offset = dilation·t + spread·p` of
/// [`Band`] taps and samples are interchangeable, so this is again a bank of convolutions, whose kernel is the signal;
/// with a boundary, the extended signal.
///
/// # Examples
/// ```
/// use convmtx::{Conv1d, ConvMode};
/// let x = [1.0, 2.0, 3.0];
/// let conv = Conv1d::new(&[10.0, 1.0], 3, ConvMode::Full)?;
/// let by_kernel = conv.kernel_operator(&x)?;
/// assert_eq!(by_kernel.shape(), (4, 2));
/// assert_eq!(by_kernel.apply(&[10.0, 1.0])?, conv.apply(&x)?);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KernelOperator<T, const D: usize> {
    bank: Bank<T, D>,
}

impl<T: Scalar, const D: usize> KernelOperator<T, D> {
    /// `x` are the input channels of `bank`, one after the other.
    pub(crate) fn new(bank: &Bank<T, D>, x: &[T]) -> Result<Self> {
        check_len("x", bank.shape().1, x.len())?;
        let Exchanged { signals, axes, channels } = Exchanged::new(bank, x)?;
        Ok(KernelOperator { bank: Bank::new(signals.into_owned(), axes, Beyond::nothing(), channels)? })
    }

    /// `(rows, cols)` of the matrix: the numbers of outputs and of taps.
    pub fn shape(&self) -> (usize, usize) {
        self.bank.shape()
    }

    pub(crate) fn bank(&self) -> &Bank<T, D> {
        &self.bank
    }
}

/// Signals as kernels, with the axes and channels of the map from kernel to output.
pub(crate) struct Exchanged<'a, T: Clone, const D: usize> {
    /// All channels, one after the other; extended where the boundary is not zero.
    pub signals: Cow<'a, [T]>,
    pub axes: [Axis; D],
    pub channels: Channels,
}

impl<'a, T: Scalar, const D: usize> Exchanged<'a, T, D> {
    /// `x` are the input channels of `bank`, one after the other, of any number of signals.
    pub(crate) fn new(bank: &Bank<T, D>, x: &'a [T]) -> Result<Self> {
        // A constant along one axis stands beside the zeros along another, so with one all axes are extended.
        let constants = bank.beyond().constants.iter().any(Option::is_some);
        let windows = bank.axes().each_ref().map(|axis| window_of(axis, constants));
        let samples: usize = bank.axes().iter().map(|a| a.band().input()).product();
        let channels = channels(bank.channels());
        let signals = if channels.kernels() == 0 {
            Cow::Owned(Vec::new()) // without outputs no channel of the signal is anybody's kernel
        } else if windows.iter().all(Option::is_none) {
            Cow::Borrowed(x)
        } else {
            let mut signals = Vec::new();
            for channel in x.chunks(samples.max(1)) {
                signals.extend(extend(channel, bank, &windows)?);
            }
            Cow::Owned(signals)
        };
        let axes = bank.axes().iter().zip(&windows).map(|(axis, window)| swapped(axis, window));
        let axes = axes.collect::<Result<Vec<_>>>()?.try_into().expect("one axis per dimension");
        Ok(Exchanged { signals, axes, channels })
    }
}

/// The places of the extended signal that serve as taps; `None` for the signal as it is.
fn window_of(axis: &Axis, constants: bool) -> Option<Range<i64>> {
    let window = axis.window();
    let zeros = axis.extension() == Extension::Zero && !constants;
    (!zeros && !window.is_empty()).then_some(window)
}

/// The axis with taps and samples exchanged.
fn swapped(axis: &Axis, window: &Option<Range<i64>>) -> Result<Axis> {
    let b = axis.band();
    let band = match window {
        None => b.swap_roles(),
        Some(window) => {
            // Place j is tap j − window.start, which moves the offset by as much. All lengths are those of `b`.
            let taps = (window.end - window.start) as usize;
            let reach = b.span() as i64 - 1;
            Band::with_steps((b.taps(), b.dilation()), (taps, 1), (b.output(), b.stride()), reach)?
        }
    };
    Ok(Axis::new(band, Extension::Zero))
}

/// Which signal an output channel meets, and with which kernels: every output has its own group, unless one kernel
/// serves all.
fn channels(c: &Channels) -> Channels {
    if c.per_output == 0 {
        return Channels::dense(1, 1, c.groups);
    }
    Channels {
        groups: c.groups * c.outputs,
        inputs: c.inputs,
        outputs: 1,
        div: c.outputs.max(1),
        per_output: c.inputs,
        per_input: 1,
    }
}

/// One channel of the signal, extended along one axis after the other to its windows.
fn extend<T: Scalar, const D: usize>(
    x: &[T],
    bank: &Bank<T, D>,
    windows: &[Option<Range<i64>>; D],
) -> Result<Vec<T>> {
    let mut shape = bank.axes().each_ref().map(|a| a.band().input());
    let mut from = x.to_vec();
    for a in bank.beyond().extended {
        let Some(window) = &windows[a] else { continue };
        let extension = bank.axes()[a].extension();
        let (n, len) = (shape[a], (window.end - window.start) as usize); // not empty, see `window_of`
        let before: usize = shape[..a].iter().product();
        let after: usize = shape[a + 1..].iter().product();
        let total = (before * after).saturating_mul(len);
        let mut to: Vec<T> = memory::zeroed("the extended signal", total)?;
        for b in 0..before {
            for (q, j) in window.clone().enumerate() {
                let row = &mut to[(b * len + q) * after..][..after];
                let outside = j < 0 || j >= n as i64; // lengths below 2^61, see `Band`
                if outside && let Some(constant) = bank.beyond().constants[a] {
                    row.fill(constant);
                }
                for (p, weight) in extension.terms(j, n) {
                    let source = &from[(b * n + p) * after..][..after];
                    let weight = T::Real::of(weight as f64); // exact below 2^53
                    row.iter_mut().zip(source).for_each(|(y, &x)| *y += x.scaled(weight));
                }
            }
        }
        shape[a] = len;
        from = to;
    }
    Ok(from)
}
