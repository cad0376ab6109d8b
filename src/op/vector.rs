//! What a solver may do with a vector.
//!
//! Some fifteen primitives, implemented by `[T]` on the host. Solvers use nothing else, so a device slice that
//! implements [`Vector`] runs the same solver without a copy over the bus. That is why the primitives return
//! `Result`: on a device every one of them is a launch that can fail.
//!
//! Reductions ([`Vector::dot`], [`Vector::norm`]) add up blocks of a fixed size in a fixed order, so that no result
//! depends on the number of threads.

use crate::error::Result;
use crate::scalar::{Real, Scalar};
use num_traits::{Float, Zero};
use std::borrow::BorrowMut;

/// Elements per partial sum of a reduction: fixed, so that results do not depend on the number of threads, and
/// short, so that the rounding error grows with the number of blocks rather than of elements.
const BLOCK: usize = 1024;

/// The type of the real and imaginary parts of a vector's elements.
pub type RealOf<V> = <<V as Vector>::Scalar as Scalar>::Real;

/// A vector of scalars somewhere: on the host, or in the memory of a device.
///
/// Binary primitives expect equal lengths; callers check at the door.
pub trait Vector: Send + Sync {
    /// The element type.
    type Scalar: Scalar;

    /// An owned vector in the same memory, handed out as `&mut Self`.
    type Owned: BorrowMut<Self> + Send + Sync;

    /// Number of elements.
    fn len(&self) -> usize;

    /// True for a vector without elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A new vector of `len` zeros in the same memory as `self`.
    fn zeros(&self, len: usize) -> Result<Self::Owned>;

    /// The parts before and from `mid ≤ len`.
    fn split_at(&self, mid: usize) -> (&Self, &Self);

    /// The parts before and from `mid ≤ len`, writable.
    fn split_at_mut(&mut self, mid: usize) -> (&mut Self, &mut Self);

    /// `self ← x`
    fn copy_from(&mut self, x: &Self) -> Result<()>;

    /// `self[i] ← value`
    fn fill(&mut self, value: Self::Scalar) -> Result<()>;

    /// `self ← a·self`
    fn scale(&mut self, a: Self::Scalar) -> Result<()>;

    /// `self ← a·x + self`
    fn axpy(&mut self, a: Self::Scalar, x: &Self) -> Result<()>;

    /// `self ← x + b·self`
    fn xpby(&mut self, x: &Self, b: Self::Scalar) -> Result<()>;

    /// `self[i] ← self[i] + |a·x[i]|²`
    fn add_squares(&mut self, a: Self::Scalar, x: &Self) -> Result<()>;

    /// `self[i] ← self[i]·x[i]`
    fn multiply(&mut self, x: &Self) -> Result<()>;

    /// `self[i] ← num[i]/den[i]`, and 0 where `num[i]` is 0 (whatever `den[i]`).
    fn quotient(&mut self, num: &Self, den: &Self) -> Result<()>;

    /// `⟨self, x⟩ = Σ conj(self[i])·x[i]`
    fn dot(&self, x: &Self) -> Result<Self::Scalar>;

    /// ‖self‖₂, without overflow or underflow in between.
    fn norm(&self) -> Result<RealOf<Self>>;

    /// The smallest and the largest real part: both NaN if any real part is, (∞, −∞) without elements.
    fn range(&self) -> Result<(RealOf<Self>, RealOf<Self>)>;

    /// `self[i] ← 0` where the real part is not above `threshold` (or NaN).
    fn chop(&mut self, threshold: RealOf<Self>) -> Result<()>;

    /// Index and value of the first element that is NaN or infinite.
    fn first_non_finite(&self) -> Result<Option<(usize, Self::Scalar)>>;
}

impl<T: Scalar> Vector for [T] {
    type Scalar = T;
    type Owned = Vec<T>;

    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn zeros(&self, len: usize) -> Result<Vec<T>> {
        crate::memory::zeroed("a vector", len)
    }

    fn split_at(&self, mid: usize) -> (&Self, &Self) {
        <[T]>::split_at(self, mid)
    }

    fn split_at_mut(&mut self, mid: usize) -> (&mut Self, &mut Self) {
        <[T]>::split_at_mut(self, mid)
    }

    fn copy_from(&mut self, x: &Self) -> Result<()> {
        self.copy_from_slice(x);
        Ok(())
    }

    fn fill(&mut self, value: T) -> Result<()> {
        <[T]>::fill(self, value);
        Ok(())
    }

    fn scale(&mut self, a: T) -> Result<()> {
        self.iter_mut().for_each(|v| *v *= a);
        Ok(())
    }

    fn axpy(&mut self, a: T, x: &Self) -> Result<()> {
        debug_assert_eq!(self.len(), x.len());
        self.iter_mut().zip(x).for_each(|(v, &x)| *v += a * x);
        Ok(())
    }

    fn xpby(&mut self, x: &Self, b: T) -> Result<()> {
        debug_assert_eq!(self.len(), x.len());
        self.iter_mut().zip(x).for_each(|(v, &x)| *v = x + b * *v);
        Ok(())
    }

    fn add_squares(&mut self, a: T, x: &Self) -> Result<()> {
        debug_assert_eq!(self.len(), x.len());
        self.iter_mut().zip(x).for_each(|(v, &x)| *v += T::from_real((a * x).modulus_sq()));
        Ok(())
    }

    fn multiply(&mut self, x: &Self) -> Result<()> {
        debug_assert_eq!(self.len(), x.len());
        self.iter_mut().zip(x).for_each(|(v, &x)| *v *= x);
        Ok(())
    }

    fn quotient(&mut self, num: &Self, den: &Self) -> Result<()> {
        debug_assert!(self.len() == num.len() && self.len() == den.len());
        for ((v, &num), &den) in self.iter_mut().zip(num).zip(den) {
            *v = if num.is_zero() { T::zero() } else { num / den };
        }
        Ok(())
    }

    fn dot(&self, x: &Self) -> Result<T> {
        debug_assert_eq!(self.len(), x.len());
        let block = |(a, b): (&[T], &[T])| a.iter().zip(b).map(|(&a, &b)| a.conj() * b).sum::<T>();
        Ok(self.chunks(BLOCK).zip(x.chunks(BLOCK)).map(block).sum())
    }

    fn norm(&self) -> Result<T::Real> {
        let squares = |scale: T::Real| -> T::Real {
            let block = |c: &[T]| c.iter().map(|v| v.scaled(scale).modulus_sq()).sum::<T::Real>();
            self.chunks(BLOCK).map(block).sum()
        };
        let plain = squares(T::Real::of(1.0));
        // Below `tiny` squares may have lost bits to underflow, above they may have overflowed.
        let tiny = T::Real::min_positive_value() / T::Real::of(T::EPSILON);
        if plain.is_finite() && (plain > tiny || plain.is_nan()) {
            return Ok(plain.sqrt());
        }
        let largest = self.iter().map(|v| v.re().abs().max(v.im().abs()));
        let largest = largest.fold(T::Real::zero(), |m, v| if v.is_nan() { v } else { m.max(v) });
        if largest.is_zero() || !largest.is_finite() || plain.is_nan() {
            return Ok(if plain.is_nan() { plain } else { largest });
        }
        // Scaling by a power of two is exact; the bound keeps the power itself finite and normal.
        let bound = T::Real::max_value().log2().floor() - T::Real::of(2.0);
        let scale = (-largest.log2().floor()).max(-bound).min(bound).exp2();
        Ok(squares(scale).sqrt() / scale)
    }

    fn range(&self) -> Result<(T::Real, T::Real)> {
        let widen = |(low, high): (T::Real, T::Real), v: &T| {
            let v = v.re();
            // A comparison with NaN is false, so that NaN, once in, stays.
            let low = if low.is_nan() || low < v { low } else { v };
            (low, if high.is_nan() || high > v { high } else { v })
        };
        Ok(self.iter().fold((T::Real::infinity(), T::Real::neg_infinity()), widen))
    }

    fn chop(&mut self, threshold: T::Real) -> Result<()> {
        self.iter_mut().for_each(|v| *v = if v.re() > threshold { *v } else { T::zero() });
        Ok(())
    }

    fn first_non_finite(&self) -> Result<Option<(usize, T)>> {
        Ok(self.iter().position(|v| !v.finite()).map(|i| (i, self[i])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn dot_conjugates_its_first_argument() {
        let (a, b) = (vec![Complex::new(1.0, 2.0)], vec![Complex::new(3.0, -1.0)]);
        assert_eq!(a.dot(&b).unwrap(), Complex::new(1.0, -2.0) * Complex::new(3.0, -1.0));
    }

    #[test]
    fn squares_are_of_moduli() {
        let mut v = vec![Complex::new(1.0, 0.5)];
        v.add_squares(Complex::new(0.0, 2.0), &[Complex::new(3.0, 4.0)]).unwrap();
        assert_eq!(v, [Complex::new(101.0, 0.5)]);
    }

    #[test]
    fn quotient_of_zero_is_zero() {
        let mut v = vec![9.0; 3];
        v.quotient(&[0.0, 1.0, 4.0], &[0.0, 0.0, 2.0]).unwrap();
        assert_eq!(v, [0.0, f64::INFINITY, 2.0]);
    }

    #[test]
    fn range_and_chop_look_at_real_parts_and_keep_nan_in_sight() {
        assert_eq!([3.0, -2.0, 7.0].range().unwrap(), (-2.0, 7.0));
        assert_eq!(Vec::<f32>::new().range().unwrap(), (f32::INFINITY, f32::NEG_INFINITY));
        for v in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
            let (low, high) = v.range().unwrap();
            assert!(low.is_nan() && high.is_nan());
        }
        let mut v = [-1.0, 0.5, f64::NAN, 2.0];
        assert_eq!(v.first_non_finite().unwrap().unwrap().0, 2);
        v.chop(0.5).unwrap();
        assert_eq!(v, [0.0, 0.0, 0.0, 2.0]);
        assert_eq!(v.first_non_finite().unwrap(), None);
    }

    #[test]
    fn norm_survives_large_and_small_numbers() {
        for scale in [1e-200_f64, 1e-310, 1.0, 1e200, 1e300] {
            let v = [3.0 * scale, -4.0 * scale];
            let rel = (v.norm().unwrap() / scale - 5.0).abs();
            assert!(rel < 1e-10, "scale {scale}: {rel}");
        }
        assert_eq!([0.0_f32; 4].norm().unwrap(), 0.0);
        assert_eq!(Vec::<f64>::new().norm().unwrap(), 0.0);
        assert!([f64::NAN, f64::INFINITY].norm().unwrap().is_nan());
        assert_eq!([1.0, f64::NEG_INFINITY].norm().unwrap(), f64::INFINITY);
    }
}
