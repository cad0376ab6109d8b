//! What the solvers share: the checks at the door, the stacked problem, and scalars in `f64`.

use crate::error::{Error, Result, check_len};
use crate::op::{LinearOperator, RealOf, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::Float;
use std::borrow::BorrowMut;

/// The operator of a least-squares problem: `A`, or `A` with a penalty below it.
///
/// Not [`LinearOperator`], which asks for `Send` and would make solvers refuse borrowed operators that are not
/// `Sync`, such as those on a device.
pub(super) trait Problem<V: Vector + ?Sized> {
    /// Rows (those of `A` first) and columns.
    fn shape(&self) -> (usize, usize);
    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()>;
    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()>;
    fn scratch_len(&self) -> usize;
}

/// `A` alone.
pub(super) struct Plain<'a, A: ?Sized>(pub &'a A);

impl<V: Vector + ?Sized, A: LinearOperator<V> + ?Sized> Problem<V> for Plain<'_, A> {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }
    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        self.0.forward(x, y, scratch)
    }
    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        self.0.adjoint(y, x, scratch)
    }
    fn scratch_len(&self) -> usize {
        self.0.scratch_len()
    }
}

/// `[A; w·L]`, of one more vector of length `n` for the adjoint.
pub(super) struct Stacked<'a, A: ?Sized, L: ?Sized, T> {
    pub a: &'a A,
    pub l: &'a L,
    /// √λ
    pub weight: T,
}

impl<V, A, L> Problem<V> for Stacked<'_, A, L, V::Scalar>
where
    V: Vector + ?Sized,
    A: LinearOperator<V> + ?Sized,
    L: LinearOperator<V> + ?Sized,
{
    fn shape(&self) -> (usize, usize) {
        let (m, n) = self.a.shape();
        (m.saturating_add(self.l.shape().0), n) // too many rows fail when the vectors are allocated
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        let (top, bottom) = y.split_at_mut(self.a.shape().0);
        self.a.forward(x, top, scratch)?;
        self.l.forward(x, bottom, scratch)?;
        bottom.scale(self.weight)
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        let (top, bottom) = y.split_at(self.a.shape().0);
        let (term, scratch) = scratch.split_at_mut(x.len());
        self.a.adjoint(top, x, scratch)?;
        self.l.adjoint(bottom, term, scratch)?;
        x.axpy(self.weight, term)
    }

    fn scratch_len(&self) -> usize {
        self.a.shape().1 + self.a.scratch_len().max(self.l.scratch_len())
    }
}

/// `r ← [b; 0] − P x`; no product where `x` is zero.
pub(super) fn residual<V: Vector + ?Sized>(
    problem: &impl Problem<V>,
    (b, x): (&V, &V),
    r: &mut V,
    scratch: &mut V,
) -> Result<()> {
    if norm(x)? == 0.0 {
        r.fill(real(0.0))?;
    } else {
        problem.forward(x, r, scratch)?;
        r.scale(real(-1.0))?;
    }
    r.split_at_mut(b.len()).0.axpy(real(1.0), b)
}

/// Lengths of `b` and `x` against the operator, and every element finite.
pub(super) fn check_vectors<V: Vector + ?Sized>(shape: (usize, usize), b: &V, x: &V) -> Result<()> {
    check_len("b", shape.0, b.len())?;
    check_len("x", shape.1, x.len())?;
    check_finite("b", b)?;
    check_finite("x", x)
}

/// Every element finite, or [`Error::NonFinite`] with the first that is not.
pub(super) fn check_finite<V: Vector + ?Sized>(what: &'static str, v: &V) -> Result<()> {
    match v.first_non_finite()? {
        None => Ok(()),
        Some((index, value)) => Err(Error::NonFinite { what, index, value: value.to_string() }),
    }
}

/// A setting that is a finite number, at least 0.
pub(super) fn check_setting(what: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::value(what, "a finite number, at least 0", value))
}

/// Damping: a setting whose square is finite as an element too.
pub(super) fn check_damping<V: Vector + ?Sized>(d: f64) -> Result<()> {
    check_setting("damping", d)?;
    if d * d <= RealOf::<V>::max_value().as_f64() {
        return Ok(());
    }
    Err(Error::value("damping", format!("a number whose square {} can hold", V::Scalar::NAME), d))
}

/// ‖v‖ as `f64`. The recurrences of scalars run in `f64` for every element type: squares of `f32` overflow early.
pub(super) fn norm<V: Vector + ?Sized>(v: &V) -> Result<f64> {
    Ok(v.norm()?.as_f64())
}

/// A real number as an element, rounded.
pub(super) fn real<T: Scalar>(value: f64) -> T {
    T::from_real(T::Real::of(value))
}

/// The same, or `None` if it is not finite (any more, as an element).
pub(super) fn finite<T: Scalar>(value: f64) -> Option<T> {
    Some(real::<T>(value)).filter(|v| v.finite())
}

/// An owned vector as the vector it holds.
pub(super) fn lend<V: Vector + ?Sized>(owned: &mut V::Owned) -> &mut V {
    owned.borrow_mut()
}
