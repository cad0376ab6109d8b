//! The product of two operators: one after the other.

use super::apply::{scratch_matrix, split_scratch};
use super::{BatchOperator, LinearOperator, Vector};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `A·B`: first `B`, then `A`. The adjoint is `Bᴴ·Aᴴ`.
///
/// Shape `(rows of A, columns of B)`. The intermediate vector comes from scratch, for a batch one per column, laid
/// out like the batch.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Diagonal, Difference, Product};
/// // weighted differences
/// let wd = Product::new(Diagonal::new(vec![1.0, 100.0]), Difference::first(3))?;
/// assert_eq!(wd.apply(&[1.0, 2.0, 4.0])?, [1.0, 200.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Product<A, B> {
    a: A,
    b: B,
    /// Columns of `a` and rows of `b`.
    inner: usize,
}

impl<A, B> Product<A, B> {
    /// The product of `a` and `b`.
    ///
    /// Where neither factor fixes the kind of vector, name it: `Product::new::<[f64]>(…)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `b` does not have as many rows as `a` has columns.
    pub fn new<V: Vector + ?Sized>(a: A, b: B) -> Result<Self>
    where
        A: LinearOperator<V>,
        B: LinearOperator<V>,
    {
        let (inner, (rows, n)) = (a.shape().1, b.shape());
        if rows != inner {
            let (expected, got) = (vec![inner, n], vec![rows, n]);
            return Err(Error::Shape { what: "the right factor", expected, got });
        }
        Ok(Product { a, b, inner })
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V>, B: LinearOperator<V>> LinearOperator<V> for Product<A, B> {
    fn shape(&self) -> (usize, usize) {
        (self.a.shape().0, self.b.shape().1)
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        let (between, scratch) = split_scratch(scratch, self.inner);
        self.b.forward(x, between, scratch)?;
        self.a.forward(between, y, scratch)
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        let (between, scratch) = split_scratch(scratch, self.inner);
        self.a.adjoint(y, between, scratch)?;
        self.b.adjoint(between, x, scratch)
    }

    fn scratch_len(&self) -> usize {
        self.inner + self.a.scratch_len().max(self.b.scratch_len())
    }
}

impl<T: Scalar, A: BatchOperator<T>, B: BatchOperator<T>> BatchOperator<T> for Product<A, B> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut between, scratch) = scratch_matrix(scratch, (self.inner, x.ncols()), &x);
        self.b.forward_batch(x, between.view_mut(), scratch)?;
        self.a.forward_batch(between.view(), y, scratch)
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut between, scratch) = scratch_matrix(scratch, (self.inner, y.ncols()), &y);
        self.a.adjoint_batch(y, between.view_mut(), scratch)?;
        self.b.adjoint_batch(between.view(), x, scratch)
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        self.inner
            .saturating_mul(cols)
            .saturating_add(self.a.batch_scratch_len(cols).max(self.b.batch_scratch_len(cols)))
    }
}
