//! The conjugate transpose of an operator.

use super::{BatchOperator, LinearOperator, Vector};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `Aᴴ`: the forward product of one is the adjoint product of the other, also for batches.
///
/// Shape `(n, m)` for `A` of shape `(m, n)`. No memory of its own; every product costs what it costs in `A`.
///
/// # Examples
/// ```
/// use convmtx::op::{Adjoint, Apply, Difference};
/// let d = Difference::first(3); // rows [-1 1 0], [0 -1 1]
/// assert_eq!(Adjoint::new(d).apply(&[1.0, 10.0])?, [-1.0, -9.0, 10.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Adjoint<A> {
    a: A,
}

impl<A> Adjoint<A> {
    /// The adjoint of `a`.
    pub fn new(a: A) -> Self {
        Adjoint { a }
    }

    /// The operator this is the adjoint of.
    pub fn into_inner(self) -> A {
        self.a
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V>> LinearOperator<V> for Adjoint<A> {
    fn shape(&self) -> (usize, usize) {
        let (m, n) = self.a.shape();
        (n, m)
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        self.a.adjoint(x, y, scratch)
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        self.a.forward(y, x, scratch)
    }

    fn scratch_len(&self) -> usize {
        self.a.scratch_len()
    }
}

impl<T: Scalar, A: BatchOperator<T>> BatchOperator<T> for Adjoint<A> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.a.adjoint_batch(x, y, scratch)
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.a.forward_batch(y, x, scratch)
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        self.a.batch_scratch_len(cols)
    }

    fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
        self.a.batch_scratch_for(input, output)
    }
}
