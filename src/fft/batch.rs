//! Batches of signals: columns shared among threads where one signal is too short to occupy them.

use super::FftConv;
use crate::error::Result;
use crate::op::{BatchOperator, LinearOperator, by_columns};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Rows and columns together, up to which a product is left to one thread and the batch is split instead.
const SHORT: usize = 1 << 14;

/// At most this many parts of a batch, each with scratch of its own.
const PARTS: usize = 16;

/// A product with one vector: `f(x, y, scratch)`.
type Product<'f, T> = dyn Fn(&[T], &mut [T], &mut [T]) -> Result<()> + Sync + 'f;

impl<T: Scalar, const D: usize> FftConv<T, D> {
    /// Elements of scratch for the products with the columns of one part, one after the other.
    fn part_scratch(&self) -> usize {
        self.scratch_len() + self.shape().0 + self.shape().1
    }

    /// Columns of one part.
    fn columns_per_part(&self, cols: usize) -> usize {
        let short = self.shape().0 + self.shape().1 <= SHORT;
        if short { cols.div_ceil(PARTS).max(1) } else { cols.max(1) }
    }

    /// `product` for every column, parts of the batch side by side.
    fn batch(
        &self,
        x: ArrayView2<T>,
        y: ArrayViewMut2<T>,
        scratch: &mut [T],
        per_part: usize,
        product: &Product<T>,
    ) -> Result<()> {
        let parts = x.ncols().div_ceil(per_part);
        if parts <= 1 || rayon::current_num_threads() == 1 {
            return by_columns(x, y, scratch, self.scratch_len(), product);
        }
        let half = parts / 2;
        let (x, y) = (x.split_at(Axis(1), half * per_part), y.split_at(Axis(1), half * per_part));
        let scratch = scratch.split_at_mut(half * self.part_scratch());
        let (first, second) = rayon::join(
            || self.batch(x.0, y.0, scratch.0, per_part, product),
            || self.batch(x.1, y.1, scratch.1, per_part, product),
        );
        first.and(second)
    }
}

impl<T: Scalar, const D: usize> BatchOperator<T> for FftConv<T, D> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let per_part = self.columns_per_part(x.ncols());
        self.batch(x, y, scratch, per_part, &|x, y, s| self.forward(x, y, s))
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let per_part = self.columns_per_part(y.ncols());
        self.batch(y, x, scratch, per_part, &|y, x, s| self.adjoint(y, x, s))
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        cols.div_ceil(self.columns_per_part(cols)).max(1) * self.part_scratch()
    }
}
