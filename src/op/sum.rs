//! The sum of two operators.

use super::apply::{add_columns, scratch_matrix, split_scratch};
use super::{BatchOperator, LinearOperator, Vector};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};
use num_traits::One;

/// `A + B` for operators of the same shape.
///
/// The second term goes through scratch: one vector of the longer side, for a batch one per column.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Diagonal, Identity, Sum};
/// let a = Sum::new(Diagonal::new(vec![1.0, 2.0]), Identity::new(2))?;
/// assert_eq!(a.apply(&[10.0, 10.0])?, [20.0, 30.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sum<A, B> {
    a: A,
    b: B,
}

impl<A, B> Sum<A, B> {
    /// The sum of `a` and `b`.
    ///
    /// Where neither part fixes the kind of vector, name it: `Sum::new::<[f64]>(…)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ.
    pub fn new<V: Vector + ?Sized>(a: A, b: B) -> Result<Self>
    where
        A: LinearOperator<V>,
        B: LinearOperator<V>,
    {
        let ((m, n), got) = (a.shape(), b.shape());
        if got != (m, n) {
            let (expected, got) = (vec![m, n], vec![got.0, got.1]);
            return Err(Error::Shape { what: "the second term", expected, got });
        }
        Ok(Sum { a, b })
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V>, B: LinearOperator<V>> LinearOperator<V> for Sum<A, B> {
    fn shape(&self) -> (usize, usize) {
        self.a.shape()
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        let (term, scratch) = split_scratch(scratch, y.len());
        self.a.forward(x, y, scratch)?;
        self.b.forward(x, term, scratch)?;
        y.axpy(V::Scalar::one(), term)
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        let (term, scratch) = split_scratch(scratch, x.len());
        self.a.adjoint(y, x, scratch)?;
        self.b.adjoint(y, term, scratch)?;
        x.axpy(V::Scalar::one(), term)
    }

    fn scratch_len(&self) -> usize {
        let (m, n) = self.shape();
        m.max(n) + self.a.scratch_len().max(self.b.scratch_len())
    }
}

impl<T: Scalar, A: BatchOperator<T>, B: BatchOperator<T>> BatchOperator<T> for Sum<A, B> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut term, scratch) = scratch_matrix(scratch, y.dim(), &y.view());
        self.a.forward_batch(x, y.view_mut(), scratch)?;
        self.b.forward_batch(x, term.view_mut(), scratch)?;
        add_columns(y, term.view());
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut term, scratch) = scratch_matrix(scratch, x.dim(), &x.view());
        self.a.adjoint_batch(y, x.view_mut(), scratch)?;
        self.b.adjoint_batch(y, term.view_mut(), scratch)?;
        add_columns(x, term.view());
        Ok(())
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        let (m, n) = self.shape();
        m.max(n)
            .saturating_mul(cols)
            .saturating_add(self.a.batch_scratch_len(cols).max(self.b.batch_scratch_len(cols)))
    }
}
