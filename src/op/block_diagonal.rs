//! Independent operators on consecutive pieces of a vector.

use super::stack::add_sizes;
use super::{BatchOperator, LinearOperator, Vector};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, s};

/// `diag(A, B, …)`: the first block maps the first piece of `x` to the first piece of `y`, and so on.
///
/// Shape `(Σ mᵢ, Σ nᵢ)`. The blocks have one type; box them as [`BoxedOperator`](super::BoxedOperator) where they
/// differ. Blocks work one after the other in place, with the scratch of the largest.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, BlockDiagonal, Difference};
/// let a = BlockDiagonal::new::<[f64]>(vec![Difference::first(2), Difference::second(3)])?;
/// assert_eq!(a.apply(&[1.0, 3.0, 1.0, 2.0, 4.0])?, [2.0, 1.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BlockDiagonal<A> {
    blocks: Vec<A>,
    shape: (usize, usize),
}

impl<A> BlockDiagonal<A> {
    /// The operator with `blocks` along its diagonal.
    ///
    /// # Errors
    /// [`Error::Empty`] without blocks, [`Error::Overflow`] if rows or columns cannot be counted.
    pub fn new<V: Vector + ?Sized>(blocks: Vec<A>) -> Result<Self>
    where
        A: LinearOperator<V>,
    {
        if blocks.is_empty() {
            return Err(Error::Empty { what: "the block diagonal" });
        }
        let mut shape = (0, 0);
        for block in &blocks {
            let (m, n) = block.shape();
            let add = |a, b| add_sizes("the block diagonal", a, b);
            shape = (add(shape.0, m)?, add(shape.1, n)?);
        }
        Ok(BlockDiagonal { blocks, shape })
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V>> LinearOperator<V> for BlockDiagonal<A> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        let (mut x, mut y) = (x, y);
        for block in &self.blocks {
            let (m, n) = block.shape();
            let ((x_head, x_tail), (y_head, y_tail)) = (x.split_at(n), y.split_at_mut(m));
            block.forward(x_head, y_head, scratch)?;
            (x, y) = (x_tail, y_tail);
        }
        Ok(())
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        let (mut x, mut y) = (x, y);
        for block in &self.blocks {
            let (m, n) = block.shape();
            let ((x_head, x_tail), (y_head, y_tail)) = (x.split_at_mut(n), y.split_at(m));
            block.adjoint(y_head, x_head, scratch)?;
            (x, y) = (x_tail, y_tail);
        }
        Ok(())
    }

    fn scratch_len(&self) -> usize {
        self.blocks.iter().map(|b| b.scratch_len()).max().unwrap_or(0)
    }
}

impl<T: Scalar, A: BatchOperator<T>> BatchOperator<T> for BlockDiagonal<A> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut row, mut col) = (0, 0);
        for block in &self.blocks {
            let (m, n) = block.shape();
            let piece = x.slice(s![col..col + n, ..]);
            block.forward_batch(piece, y.slice_mut(s![row..row + m, ..]), scratch)?;
            (row, col) = (row + m, col + n);
        }
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut row, mut col) = (0, 0);
        for block in &self.blocks {
            let (m, n) = block.shape();
            let piece = y.slice(s![row..row + m, ..]);
            block.adjoint_batch(piece, x.slice_mut(s![col..col + n, ..]), scratch)?;
            (row, col) = (row + m, col + n);
        }
        Ok(())
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        self.blocks.iter().map(|b| b.batch_scratch_len(cols)).max().unwrap_or(0)
    }
}
