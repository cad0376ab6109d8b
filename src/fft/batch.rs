//! Batches of signals: columns shared among threads where one signal is too short to occupy them.

use super::{FftConv, Work};
use crate::error::{Result, check_len};
use crate::op::{BatchOperator, LinearOperator, by_columns};
use crate::parallel;
use crate::scalar::Scalar;
use crate::stencil::Side;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Rows and columns together, up to which a product is left to one thread and the batch is split instead.
const SHORT: usize = 1 << 14;

/// At most this many parts of a batch, each with scratch of its own.
const PARTS: usize = 16;

/// Fewer parts of one product than this leave threads without work: then a batch is cut into as many.
const FEW: usize = 8;

/// A product with one vector: `f(x, y, scratch)`.
type Product<'f, T> = dyn Fn(&[T], &mut [T], &mut [T]) -> Result<()> + Sync + 'f;

impl<T: Scalar, const D: usize> FftConv<T, D> {
    /// Elements of scratch for the products with the columns of one part, one after the other.
    fn part_scratch(&self) -> usize {
        self.scratch_len() + self.shape().0 + self.shape().1
    }

    /// Columns of one part: all, where each is enough for all threads.
    fn columns_per_part(&self, cols: usize) -> usize {
        let parts = match &self.work {
            _ if self.shape().0 + self.shape().1 <= SHORT => PARTS,
            Work::Tiles(tiles) if cols >= FEW && tiles.parts(Side::Forward) < FEW => FEW,
            _ => 1,
        };
        cols.div_ceil(parts).max(1)
    }

    /// `product` for every column, parts of the batch side by side.
    fn batch(
        &self,
        x: ArrayView2<T>,
        mut y: ArrayViewMut2<T>,
        scratch: &mut [T],
        per_part: usize,
        product: &Product<T>,
    ) -> Result<()> {
        let parts = x.ncols().div_ceil(per_part);
        if parts <= 1 || self.part_scratch() == 0 || parallel::threads() == 1 {
            return by_columns(x, y, scratch, self.scratch_len(), product);
        }
        let x = x.axis_chunks_iter(Axis(1), per_part);
        let y = y.axis_chunks_iter_mut(Axis(1), per_part);
        let needed = parts * self.part_scratch();
        check_len("scratch", needed, scratch.len().min(needed))?; // a short one would drop parts in silence
        let scratch = scratch.chunks_mut(self.part_scratch());
        parallel::try_for_each(x.zip(y).zip(scratch), |((x, y), scratch)| {
            parallel::alone(|| by_columns(x, y, scratch, self.scratch_len(), product))
        })
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
