//! Polynomial division: deconvolution without noise.

use super::problem::check_finite;
use crate::error::{Error, Result};
use crate::memory;
use crate::scalar::Scalar;

/// Quotient and remainder with `conv(h, quotient) + remainder = y`: MATLAB's `[q, r] = deconv(y, h)`.
///
/// Division of polynomials, highest power first, and forward substitution through the lower triangular band matrix
/// of h. The quotient has `y.len() − h.len() + 1` elements, the remainder as many as `y`, of which only the last
/// `h.len() − 1` can differ from zero. If `y` is shorter than `h`, the quotient is `[0]` and the remainder `y`.
///
/// O(n·k) time. Errors in `y` grow without bound where h has zeros outside the unit circle; to deblur measured
/// data take a least-squares solver.
///
/// # Errors
/// [`Error::Empty`], [`Error::NonFinite`], [`Error::Value`] if the leading element of `h` is zero,
/// [`Error::Memory`].
///
/// # Examples
/// ```
/// use convmtx::solve::deconv;
/// let (q, r) = deconv(&[5.0, 14.0, 23.0, 12.0, 3.0], &[1.0, 2.0, 3.0])?;
/// assert_eq!((q, r), (vec![5.0, 4.0, 0.0], vec![0.0, 0.0, 0.0, 0.0, 3.0]));
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn deconv<T: Scalar>(y: &[T], h: &[T]) -> Result<(Vec<T>, Vec<T>)> {
    for (what, v) in [("y", y), ("h", h)] {
        if v.is_empty() {
            return Err(Error::Empty { what });
        }
        check_finite(what, v)?;
    }
    if h[0].is_zero() {
        return Err(Error::value("h[0]", "a number other than zero (leave out leading zeros)", h[0]));
    }
    let mut remainder = memory::zeroed("the remainder", y.len())?;
    remainder.copy_from_slice(y);
    let steps = (y.len() + 1).saturating_sub(h.len());
    let mut quotient = memory::zeroed("the quotient", steps.max(1))?;
    for (i, q) in quotient.iter_mut().enumerate().take(steps) {
        *q = remainder[i] / h[0];
        remainder[i] = T::zero();
        for (r, &h) in remainder[i..].iter_mut().zip(h).skip(1) {
            *r -= *q * h;
        }
    }
    Ok((quotient, remainder))
}
