//! The dot test: do the two products of an operator belong together?

use super::{Apply, LinearOperator, Vector};
use crate::error::Result;
use crate::memory;
use crate::scalar::{Real, Scalar};
use num_traits::ToPrimitive;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::fmt;

/// Both sides of ⟨A x, y⟩ = ⟨x, Aᴴ y⟩, and how far they are apart. Printed, it is three lines.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DotTest<T> {
    /// ⟨A x, y⟩
    pub ax_y: T,
    /// ⟨x, Aᴴ y⟩
    pub x_ahy: T,
    /// |difference| / max(‖A x‖‖y‖, ‖x‖‖Aᴴ y‖), zero when both products vanish.
    pub relative: f64,
    /// What rounding may explain: 8·ε·√max(rows, cols).
    pub bound: f64,
}

impl<T> DotTest<T> {
    /// Whether the difference is no larger than rounding explains. NaN does not pass.
    pub fn passed(&self) -> bool {
        self.relative <= self.bound
    }
}

impl<T: Scalar> fmt::Display for DotTest<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let verdict = if self.passed() { "passed" } else { "FAILED" };
        writeln!(f, "<A x, y>   = {}", self.ax_y)?;
        writeln!(f, "<x, A^H y> = {}", self.x_ahy)?;
        write!(f, "relative difference {:.2e}, bound {:.2e}: {verdict}", self.relative, self.bound)
    }
}

/// Compares ⟨A x, y⟩ with ⟨x, Aᴴ y⟩ for random `x` and `y`.
///
/// The entries (both parts of them, for complex types) are standard normal numbers of a ChaCha8 generator started
/// with `seed`: the same on every machine. Costs one product of each kind. Where the operator does not fix
/// the element type, name it: `dottest::<f64, _>(…)`.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), and whatever the operator itself reports. A failed test is no error.
///
/// # Examples
/// ```
/// use convmtx::op::{Difference, dottest};
/// let test = dottest::<f64, _>(&Difference::second(50), 1)?;
/// assert!(test.passed(), "{test}");
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn dottest<T: Scalar, A: LinearOperator<[T]> + ?Sized>(op: &A, seed: u64) -> Result<DotTest<T>> {
    let (m, n) = op.shape();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (x, y) = (normal::<T>(&mut rng, n)?, normal::<T>(&mut rng, m)?);
    let (ax, ahy) = (op.apply(&x)?, op.apply_adjoint(&y)?);
    let (ax_y, x_ahy) = (ax.dot(&y)?, x.dot(&ahy)?);
    let sizes = [norm(&ax)? * norm(&y)?, norm(&x)? * norm(&ahy)?];
    let relative = relative((ax_y - x_ahy).modulus().as_f64(), sizes);
    Ok(DotTest { ax_y, x_ahy, relative, bound: rounding_bound::<T>(m, n) })
}

/// `len` standard normal elements.
pub(super) fn normal<T: Scalar>(rng: &mut ChaCha8Rng, len: usize) -> Result<Vec<T>> {
    let mut draw = || -> T::Real {
        let value: f64 = StandardNormal.sample(&mut *rng);
        T::Real::of(value)
    };
    let mut values = memory::zeroed("a random vector", len)?;
    values.iter_mut().for_each(|v| {
        let re = draw();
        *v = T::from_parts(re, if T::IS_COMPLEX { draw() } else { T::Real::of(0.0) });
    });
    Ok(values)
}

/// ‖v‖ as `f64`.
pub(super) fn norm<T: Scalar>(v: &[T]) -> Result<f64> {
    Ok(v.norm()?.as_f64())
}

/// `difference` over the larger of `sizes`: zero for 0/0, NaN if any of them is not finite.
pub(super) fn relative(difference: f64, sizes: [f64; 2]) -> f64 {
    match difference {
        _ if sizes.iter().any(|s| !s.is_finite()) => f64::NAN,
        0.0 => 0.0,
        _ => difference / sizes[0].max(sizes[1]),
    }
}

/// 8·ε·√max(m, n)
pub(super) fn rounding_bound<T: Scalar>(m: usize, n: usize) -> f64 {
    8.0 * T::EPSILON * m.max(n).to_f64().unwrap_or(f64::MAX).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Diagonal, Identity};
    use num_complex::Complex;

    #[test]
    fn prints_three_lines() {
        let test = dottest::<f64, _>(&Identity::new(3), 7).unwrap();
        let text = test.to_string();
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("relative difference 0.00e0, bound 3.08e-15: passed"), "{text}");
    }

    #[test]
    fn empty_operators_pass() {
        assert!(dottest::<f32, _>(&Identity::new(0), 1).unwrap().passed());
    }

    #[test]
    fn nan_does_not_pass() {
        assert!(!dottest(&Diagonal::new(vec![f64::NAN]), 1).unwrap().passed());
        assert!(relative(1.0, [0.0, f64::NAN]).is_nan());
        assert!(relative(0.0, [1.0, f64::INFINITY]).is_nan());
        assert_eq!(relative(0.0, [0.0, 0.0]), 0.0);
    }

    #[test]
    fn same_seed_same_numbers() {
        let draw = |seed| normal::<Complex<f32>>(&mut ChaCha8Rng::seed_from_u64(seed), 5).unwrap();
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }
}
