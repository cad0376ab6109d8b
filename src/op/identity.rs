//! The operator that changes nothing.

use super::{BatchOperator, LinearOperator, Vector};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `y = x`, shape `(n, n)`, for every kind of vector and element. Costs a copy.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Identity};
/// assert_eq!(Identity::new(2).apply(&[3.0, 4.0])?, [3.0, 4.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    n: usize,
}

impl Identity {
    /// The identity on vectors of length `n`.
    pub fn new(n: usize) -> Self {
        Identity { n }
    }
}

impl<V: Vector + ?Sized> LinearOperator<V> for Identity {
    fn shape(&self) -> (usize, usize) {
        (self.n, self.n)
    }

    fn forward(&self, x: &V, y: &mut V, _scratch: &mut V) -> Result<()> {
        y.copy_from(x)
    }

    fn adjoint(&self, y: &V, x: &mut V, _scratch: &mut V) -> Result<()> {
        x.copy_from(y)
    }
}

impl<T: Scalar> BatchOperator<T> for Identity {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        y.assign(&x);
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        x.assign(&y);
        Ok(())
    }

    fn batch_scratch_len(&self, _cols: usize) -> usize {
        0
    }
}
