//! Multiplication by a diagonal matrix: weights, masks.

use super::apply::as_column;
use super::{BatchOperator, LinearOperator};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, Zip};

/// `y[i] = d[i]·x[i]`. Weights for least squares, or a mask of zeros and ones.
///
/// Shape `(n, n)`, memory one vector, cost n multiplications.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Diagonal};
/// let mask = Diagonal::new(vec![1.0, 0.0, 1.0]);
/// assert_eq!(mask.apply(&[5.0, 6.0, 7.0])?, [5.0, 0.0, 7.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diagonal<T> {
    d: Vec<T>,
}

impl<T: Scalar> Diagonal<T> {
    /// The operator with diagonal `d`.
    pub fn new(d: Vec<T>) -> Self {
        Diagonal { d }
    }
}

impl<T: Scalar> LinearOperator<[T]> for Diagonal<T> {
    fn shape(&self) -> (usize, usize) {
        (self.d.len(), self.d.len())
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        y.iter_mut().zip(x).zip(&self.d).for_each(|((y, &x), &d)| *y = d * x);
        Ok(())
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        x.iter_mut().zip(y).zip(&self.d).for_each(|((x, &y), &d)| *x = d.conj() * y);
        Ok(())
    }
}

impl<T: Scalar> BatchOperator<T> for Diagonal<T> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        let d = as_column(&self.d);
        Zip::from(y).and(x).and_broadcast(d).for_each(|y, &x, &d| *y = d * x);
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, _scratch: &mut [T]) -> Result<()> {
        let d = as_column(&self.d);
        Zip::from(x).and(y).and_broadcast(d).for_each(|x, &y, &d| *x = d.conj() * y);
        Ok(())
    }

    fn batch_scratch_len(&self, _cols: usize) -> usize {
        0
    }
}
