//! Plans for one line: how the four element types reach the transforms of `realfft` and `rustfft`.
//!
//! [`Scalar`] is sealed, so a plan for any `T` is found by looking which of the four types `T` is; nothing above this
//! file needs a bound beyond [`Scalar`]. Real lines have half a spectrum (len/2 + 1 values, the rest is its conjugate).
//! Transforms are not normalised: forward and inverse multiply by the length.

use super::plans::cached;
use crate::memory::as_complex_mut;
use crate::scalar::{Real, Scalar};
use num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftNum, FftPlanner};
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A spectrum of lines of `T`: complex numbers of the same precision.
pub(crate) type Spectrum<T> = Complex<<T as Scalar>::Real>;

/// The transform of one line of `T`.
pub(crate) trait LineFft<T: Scalar>: Send + Sync {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Number of frequencies: len/2 + 1 for real types, len for complex ones.
    fn frequencies(&self) -> usize;

    /// Elements of scratch that either direction needs.
    fn scratch_len(&self) -> usize;

    /// `spectrum ← F line`; destroys the line.
    fn forward(&self, line: &mut [T], spectrum: &mut [Spectrum<T>], scratch: &mut [Spectrum<T>]);

    /// `line ← len·F⁻¹ spectrum`; destroys the spectrum.
    fn inverse(&self, spectrum: &mut [Spectrum<T>], line: &mut [T], scratch: &mut [Spectrum<T>]);
}

/// The transform of complex lines, one after the other, in place.
pub(crate) trait ColumnFft<R>: Send + Sync {
    /// Number of samples of a line.
    fn len(&self) -> usize;

    /// Elements of scratch that either direction needs.
    fn scratch_len(&self) -> usize;

    /// `line ← F line` for every line.
    fn forward(&self, lines: &mut [Complex<R>], scratch: &mut [Complex<R>]);

    /// `line ← len·F⁻¹ line` for every line.
    fn inverse(&self, lines: &mut [Complex<R>], scratch: &mut [Complex<R>]);
}

/// The plan for lines of `len` ≥ 1 elements.
pub(crate) fn line_fft<T: Scalar>(len: usize) -> Arc<dyn LineFft<T>> {
    let of = TypeId::of::<T>();
    let plan: Box<dyn Any> = if of == TypeId::of::<f32>() {
        Box::new(cached(len, RealLine::<f32>::new) as Arc<dyn LineFft<f32>>)
    } else if of == TypeId::of::<f64>() {
        Box::new(cached(len, RealLine::<f64>::new) as Arc<dyn LineFft<f64>>)
    } else if of == TypeId::of::<Complex<f32>>() {
        Box::new(cached(len, ComplexLine::<f32>::new) as Arc<dyn LineFft<Complex<f32>>>)
    } else {
        Box::new(cached(len, ComplexLine::<f64>::new) as Arc<dyn LineFft<Complex<f64>>>)
    };
    *plan.downcast().expect("a scalar is one of four types")
}

/// The plan for [`per_complex`] interleaved lines of `len` ≥ 1 elements each.
///
/// Two real lines are the parts of one complex line. A real kernel does not mix them, so nothing has to be untangled
/// between the transforms, which makes two lines together faster than one after the other.
pub(crate) fn packed_fft<T: Scalar>(len: usize) -> Arc<dyn LineFft<T>> {
    let of = TypeId::of::<T>();
    let plan: Box<dyn Any> = if of == TypeId::of::<f32>() {
        Box::new(Arc::new(PairLine(cached(len, ComplexLine::<f32>::new))) as Arc<dyn LineFft<f32>>)
    } else if of == TypeId::of::<f64>() {
        Box::new(Arc::new(PairLine(cached(len, ComplexLine::<f64>::new))) as Arc<dyn LineFft<f64>>)
    } else {
        return line_fft(len);
    };
    *plan.downcast().expect("a scalar is one of four types")
}

/// Elements of `T` in the place of one complex number.
pub(crate) fn per_complex<T: Scalar>() -> usize {
    if T::IS_COMPLEX { 1 } else { 2 }
}

/// The plan for complex lines of `len` ≥ 1 elements in the precision of `R`.
pub(crate) fn column_fft<R: Real>(len: usize) -> Arc<dyn ColumnFft<R>> {
    let plan: Box<dyn Any> = if TypeId::of::<R>() == TypeId::of::<f32>() {
        Box::new(cached(len, ComplexLine::<f32>::new) as Arc<dyn ColumnFft<f32>>)
    } else {
        Box::new(cached(len, ComplexLine::<f64>::new) as Arc<dyn ColumnFft<f64>>)
    };
    *plan.downcast().expect("a real number is one of two types")
}

struct RealLine<R> {
    forward: Arc<dyn RealToComplex<R>>,
    inverse: Arc<dyn ComplexToReal<R>>,
}

impl<R: FftNum> RealLine<R> {
    fn new(len: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        RealLine { forward: planner.plan_fft_forward(len), inverse: planner.plan_fft_inverse(len) }
    }
}

impl<R: Real + FftNum> LineFft<R> for RealLine<R> {
    fn len(&self) -> usize {
        self.forward.len()
    }

    fn frequencies(&self) -> usize {
        self.forward.complex_len()
    }

    fn scratch_len(&self) -> usize {
        self.forward.get_scratch_len().max(self.inverse.get_scratch_len())
    }

    fn forward(&self, line: &mut [R], spectrum: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        let done = self.forward.process_with_scratch(line, spectrum, scratch);
        debug_assert!(done.is_ok(), "lengths are those of the plan");
    }

    fn inverse(&self, spectrum: &mut [Complex<R>], line: &mut [R], scratch: &mut [Complex<R>]) {
        // A real line has real values here; rounding in earlier passes leaves specks.
        spectrum[0].im = R::of(0.0);
        if self.len().is_multiple_of(2) {
            spectrum[self.frequencies() - 1].im = R::of(0.0);
        }
        let done = self.inverse.process_with_scratch(spectrum, line, scratch);
        debug_assert!(done.is_ok(), "lengths are those of the plan");
    }
}

struct ComplexLine<R> {
    forward: Arc<dyn Fft<R>>,
    inverse: Arc<dyn Fft<R>>,
}

impl<R: FftNum> ComplexLine<R> {
    fn new(len: usize) -> Self {
        let mut planner = FftPlanner::new();
        ComplexLine { forward: planner.plan_fft_forward(len), inverse: planner.plan_fft_inverse(len) }
    }
}

impl<R: Real + FftNum> LineFft<Complex<R>> for ComplexLine<R>
where
    Complex<R>: Scalar<Real = R>,
{
    fn len(&self) -> usize {
        self.forward.len()
    }

    fn frequencies(&self) -> usize {
        self.forward.len()
    }

    fn scratch_len(&self) -> usize {
        self.forward.get_outofplace_scratch_len().max(self.inverse.get_outofplace_scratch_len())
    }

    fn forward(&self, line: &mut [Complex<R>], spectrum: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        self.forward.process_outofplace_with_scratch(line, spectrum, scratch);
    }

    fn inverse(&self, spectrum: &mut [Complex<R>], line: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        self.inverse.process_outofplace_with_scratch(spectrum, line, scratch);
    }
}

impl<R: FftNum> ColumnFft<R> for ComplexLine<R> {
    fn len(&self) -> usize {
        self.forward.len()
    }

    fn scratch_len(&self) -> usize {
        self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len())
    }

    fn forward(&self, lines: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        self.forward.process_with_scratch(lines, scratch);
    }

    fn inverse(&self, lines: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        self.inverse.process_with_scratch(lines, scratch);
    }
}

/// Two real lines as the parts of a complex one.
struct PairLine<R>(Arc<ComplexLine<R>>);

impl<R: Real + FftNum> LineFft<R> for PairLine<R> {
    /// Elements of both lines.
    fn len(&self) -> usize {
        2 * self.0.forward.len()
    }

    fn frequencies(&self) -> usize {
        self.0.forward.len()
    }

    fn scratch_len(&self) -> usize {
        self.0.forward.get_outofplace_scratch_len().max(self.0.inverse.get_outofplace_scratch_len())
    }

    fn forward(&self, line: &mut [R], spectrum: &mut [Complex<R>], scratch: &mut [Complex<R>]) {
        self.0.forward.process_outofplace_with_scratch(as_complex_mut(line), spectrum, scratch);
    }

    fn inverse(&self, spectrum: &mut [Complex<R>], line: &mut [R], scratch: &mut [Complex<R>]) {
        self.0.inverse.process_outofplace_with_scratch(spectrum, as_complex_mut(line), scratch);
    }
}
