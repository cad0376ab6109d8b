//! A multiple of an operator.

use super::{BatchOperator, LinearOperator, Vector};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `αA`, with adjoint `conj(α)·Aᴴ`.
///
/// Shape of `A`. Costs one multiplication per element of the result on top of `A`; no memory of its own.
/// Any number is taken as it is; products with a non-finite α are what arithmetic makes of them.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Identity, Scaled};
/// let twice = Scaled::new(2.0, Identity::new(2));
/// assert_eq!(twice.apply(&[3.0, 4.0])?, [6.0, 8.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled<A, T> {
    alpha: T,
    a: A,
}

impl<A, T: Scalar> Scaled<A, T> {
    /// `alpha` times `a`.
    pub fn new(alpha: T, a: A) -> Self {
        Scaled { alpha, a }
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V>> LinearOperator<V> for Scaled<A, V::Scalar> {
    fn shape(&self) -> (usize, usize) {
        self.a.shape()
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        self.a.forward(x, y, scratch)?;
        y.scale(self.alpha)
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        self.a.adjoint(y, x, scratch)?;
        x.scale(self.alpha.conj())
    }

    fn scratch_len(&self) -> usize {
        self.a.scratch_len()
    }
}

impl<T: Scalar, A: BatchOperator<T>> BatchOperator<T> for Scaled<A, T> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.a.forward_batch(x, y.view_mut(), scratch)?;
        y.map_inplace(|y| *y *= self.alpha);
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.a.adjoint_batch(y, x.view_mut(), scratch)?;
        x.map_inplace(|x| *x *= self.alpha.conj());
        Ok(())
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        self.a.batch_scratch_len(cols)
    }

    fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
        self.a.batch_scratch_for(input, output)
    }
}
