//! The four element types, and the arithmetic that generic code may use on them.
//!
//! [`Scalar`] is sealed: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`. Everything is written once over it.

use num_complex::Complex;
use num_traits::{Float, FromPrimitive, NumAssign, ToPrimitive};
use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::Neg;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl<T: Sealed> Sealed for num_complex::Complex<T> {}
}

/// A real element type: `f32` or `f64`.
pub trait Real: Scalar<Real = Self> + Float + PartialOrd + FromPrimitive + ToPrimitive + LowerExp {
    /// The nearest number of this type, for constants and counts in formulas.
    fn of(value: f64) -> Self;

    /// This number as `f64`, exactly.
    fn as_f64(self) -> f64;
}

/// An element of kernels, signals and matrices: `f32`, `f64`, `Complex<f32>` or `Complex<f64>`.
pub trait Scalar:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
    + NumAssign
    + Neg<Output = Self>
    + Sum
{
    /// The type of the real and imaginary part.
    type Real: Real;

    /// Whether conjugation changes anything.
    const IS_COMPLEX: bool;

    /// The distance from 1 to the next larger number of [`Scalar::Real`].
    const EPSILON: f64;

    /// The name NumPy gives this type: `float32`, `float64`, `complex64`, `complex128`.
    const NAME: &'static str;

    /// The complex conjugate.
    fn conj(self) -> Self;

    /// The real part.
    fn re(self) -> Self::Real;

    /// The imaginary part, zero for real types.
    fn im(self) -> Self::Real;

    /// A number from its parts; real types drop `im`.
    fn from_parts(re: Self::Real, im: Self::Real) -> Self;

    /// The real number `re` as an element.
    fn from_real(re: Self::Real) -> Self {
        Self::from_parts(re, Self::Real::of(0.0))
    }

    /// The product with a real number, component by component (so that ∞·1 stays ∞ in complex types).
    fn scaled(self, factor: Self::Real) -> Self;

    /// `self·a + b`, rounded once per component where the target has the instruction.
    ///
    /// Only for code compiled with fused multiply-add enabled: elsewhere it is a slow library call.
    fn fused(self, a: Self, b: Self) -> Self;

    /// |z|.
    fn modulus(self) -> Self::Real;

    /// |z|², without a square root.
    fn modulus_sq(self) -> Self::Real;

    /// Neither NaN nor infinite, in both parts.
    fn finite(self) -> bool;
}

macro_rules! real_scalar {
    ($t:ty, $name:literal) => {
        impl Real for $t {
            #[inline]
            fn of(value: f64) -> Self {
                value as $t // the documented rounding to nearest
            }
            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }
        }

        impl Scalar for $t {
            type Real = $t;
            const IS_COMPLEX: bool = false;
            const EPSILON: f64 = <$t>::EPSILON as f64; // widening, exact
            const NAME: &'static str = $name;

            #[inline]
            fn conj(self) -> Self {
                self
            }
            #[inline]
            fn re(self) -> $t {
                self
            }
            #[inline]
            fn im(self) -> $t {
                0.0
            }
            #[inline]
            fn from_parts(re: $t, _im: $t) -> Self {
                re
            }
            #[inline]
            fn scaled(self, factor: $t) -> Self {
                self * factor
            }
            #[inline(always)]
            fn fused(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline]
            fn modulus(self) -> $t {
                self.abs()
            }
            #[inline]
            fn modulus_sq(self) -> $t {
                self * self
            }
            #[inline]
            fn finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}

macro_rules! complex_scalar {
    ($t:ty, $name:literal) => {
        impl Scalar for Complex<$t> {
            type Real = $t;
            const IS_COMPLEX: bool = true;
            const EPSILON: f64 = <$t>::EPSILON as f64; // widening, exact
            const NAME: &'static str = $name;

            #[inline]
            fn conj(self) -> Self {
                Complex::conj(&self)
            }
            #[inline]
            fn re(self) -> $t {
                self.re
            }
            #[inline]
            fn im(self) -> $t {
                self.im
            }
            #[inline]
            fn from_parts(re: $t, im: $t) -> Self {
                Complex::new(re, im)
            }
            #[inline]
            fn scaled(self, factor: $t) -> Self {
                self.scale(factor)
            }
            #[inline(always)]
            fn fused(self, a: Self, b: Self) -> Self {
                Complex::new(
                    self.re.mul_add(a.re, (-self.im).mul_add(a.im, b.re)),
                    self.re.mul_add(a.im, self.im.mul_add(a.re, b.im)),
                )
            }
            #[inline]
            fn modulus(self) -> $t {
                self.norm()
            }
            #[inline]
            fn modulus_sq(self) -> $t {
                self.norm_sqr()
            }
            #[inline]
            fn finite(self) -> bool {
                self.re.is_finite() && self.im.is_finite()
            }
        }
    };
}

real_scalar!(f32, "float32");
real_scalar!(f64, "float64");
complex_scalar!(f32, "complex64");
complex_scalar!(f64, "complex128");

/// The first non-finite element as a typed error.
#[cfg(any(feature = "io", feature = "fft"))]
pub(crate) fn check_finite<T: Scalar>(what: &'static str, values: &[T]) -> crate::Result<()> {
    match values.iter().position(|v| !v.finite()) {
        None => Ok(()),
        Some(index) => Err(crate::Error::NonFinite { what, index, value: values[index].to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conjugation_and_parts() {
        let z = Complex::new(3.0_f64, -4.0);
        assert_eq!(Scalar::conj(z), Complex::new(3.0, 4.0));
        assert_eq!(z.modulus(), 5.0);
        assert_eq!(z.modulus_sq(), 25.0);
        assert_eq!(Complex::<f64>::from_real(2.0), Complex::new(2.0, 0.0));
        assert_eq!(Scalar::conj(-1.5_f32), -1.5);
    }

    #[test]
    fn infinity_times_one_stays_infinite_in_both_parts() {
        let z = Complex::new(f64::INFINITY, 0.0);
        assert_eq!(z.scaled(1.0), z);
    }

    #[test]
    fn fused_agrees_with_plain_on_integers() {
        let (a, b, c) = (Complex::new(2.0, 3.0), Complex::new(-1.0, 4.0), Complex::new(5.0, 6.0));
        assert_eq!(a.fused(b, c), a * b + c);
        assert_eq!(2.0_f32.fused(3.0, 4.0), 10.0);
    }
}
