//! Arithmetic on spectra: the convolution itself, once everything is transformed.

use crate::error::Result;
use crate::memory;
use crate::scalar::{Real, Scalar};
use crate::stencil::Side;
use crate::transform::Spectrum;
use num_complex::Complex;
use num_traits::Zero;

/// Room for `count` spectra of `len` values.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory) when it does not fit.
pub(super) fn kernel_buffer<T: Scalar>(count: usize, len: usize) -> Result<Vec<Spectrum<T>>> {
    let bytes = count as u128 * len as u128 * size_of::<Spectrum<T>>() as u128; // widening
    memory::check_available("the spectrum of the kernel", bytes)?;
    Ok(vec![Complex::zero(); count * len])
}

/// `k` for a product A x, its conjugate for Aᴴ y: the transform of the adjoint of a circular convolution.
#[inline(always)]
fn factor<R: Real, const ADJOINT: bool>(k: Complex<R>) -> Complex<R> {
    if ADJOINT { k.conj() } else { k }
}

/// `spectrum ← spectrum·kernel`
pub(super) fn multiply<R: Real>(side: Side, spectrum: &mut [Complex<R>], kernel: &[Complex<R>]) {
    fn body<R: Real, const ADJOINT: bool>(spectrum: &mut [Complex<R>], kernel: &[Complex<R>]) {
        spectrum.iter_mut().zip(kernel).for_each(|(v, &k)| *v *= factor::<R, ADJOINT>(k));
    }
    match side {
        Side::Forward => body::<R, false>(spectrum, kernel),
        Side::Adjoint => body::<R, true>(spectrum, kernel),
    }
}

/// `sum ← sum + spectrum·kernel`
pub(super) fn accumulate<R: Real>(
    side: Side,
    sum: &mut [Complex<R>],
    kernel: &[Complex<R>],
    spectrum: &[Complex<R>],
) {
    fn body<R: Real, const ADJOINT: bool>(
        sum: &mut [Complex<R>],
        kernel: &[Complex<R>],
        spectrum: &[Complex<R>],
    ) {
        let terms = kernel.iter().zip(spectrum);
        sum.iter_mut().zip(terms).for_each(|(s, (&k, &v))| *s += v * factor::<R, ADJOINT>(k));
    }
    match side {
        Side::Forward => body::<R, false>(sum, kernel, spectrum),
        Side::Adjoint => body::<R, true>(sum, kernel, spectrum),
    }
}
