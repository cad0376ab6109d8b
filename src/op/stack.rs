//! Operators on top of each other, and side by side.

use super::apply::{add_columns, scratch_matrix, split_scratch};
use super::{Adjoint, BatchOperator, LinearOperator, Vector};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, s};
use num_traits::One;

/// `[A; B; …]`: the outputs one after the other; the adjoint is `Σ Aᵢᴴ yᵢ`.
///
/// Shape `(Σ mᵢ, n)`. The blocks have one type; blocks of different kinds are boxed as
/// [`BoxedOperator`](super::BoxedOperator) (or as `Box<dyn LinearOperator<V>>`, which has no batch form).
/// The forward product writes in place; the adjoint needs one vector of length `n` from scratch, one per column
/// of a batch.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, BoxedOperator, Difference, Identity, VStack};
/// let blocks: Vec<BoxedOperator<f64>> = vec![Box::new(Identity::new(3)), Box::new(Difference::first(3))];
/// let a = VStack::new(blocks)?;
/// assert_eq!(a.apply(&[1.0, 2.0, 4.0])?, [1.0, 2.0, 4.0, 1.0, 2.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct VStack<A> {
    blocks: Vec<A>,
    shape: (usize, usize),
}

impl<A> VStack<A> {
    /// The stack of `blocks`, first on top.
    ///
    /// # Errors
    /// [`Error::Empty`] without blocks, [`Error::Shape`] if the numbers of columns differ, [`Error::Overflow`] if
    /// the rows cannot be counted.
    pub fn new<V: Vector + ?Sized>(blocks: Vec<A>) -> Result<Self>
    where
        A: LinearOperator<V>,
    {
        let n = blocks.first().ok_or(Error::Empty { what: "the stack" })?.shape().1;
        let mut rows = 0_usize;
        for block in &blocks {
            let (m, got) = block.shape();
            if got != n {
                let (expected, got) = (vec![m, n], vec![m, got]);
                return Err(Error::Shape { what: "a block of the stack", expected, got });
            }
            rows = add_sizes("the stack", rows, m)?;
        }
        Ok(VStack { blocks, shape: (rows, n) })
    }
}

/// `a + b`, or [`Error::Overflow`].
pub(super) fn add_sizes(what: &'static str, a: usize, b: usize) -> Result<usize> {
    a.checked_add(b).ok_or_else(|| Error::Overflow {
        what,
        detail: format!("{a} plus {b} elements"),
        hint: "use fewer or smaller blocks",
    })
}

impl<V: Vector + ?Sized, A: LinearOperator<V>> LinearOperator<V> for VStack<A> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        let mut rest = y;
        for block in &self.blocks {
            let (head, tail) = rest.split_at_mut(block.shape().0);
            block.forward(x, head, scratch)?;
            rest = tail;
        }
        Ok(())
    }

    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        let (term, scratch) = split_scratch(scratch, x.len());
        let mut rest = y;
        for (i, block) in self.blocks.iter().enumerate() {
            let (head, tail) = rest.split_at(block.shape().0);
            if i == 0 {
                block.adjoint(head, x, scratch)?;
            } else {
                block.adjoint(head, term, scratch)?;
                x.axpy(V::Scalar::one(), term)?;
            }
            rest = tail;
        }
        Ok(())
    }

    fn scratch_len(&self) -> usize {
        self.shape.1 + self.blocks.iter().map(|b| b.scratch_len()).max().unwrap_or(0)
    }
}

impl<T: Scalar, A: BatchOperator<T>> BatchOperator<T> for VStack<A> {
    fn forward_batch(&self, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let mut row = 0;
        for block in &self.blocks {
            let m = block.shape().0;
            block.forward_batch(x, y.slice_mut(s![row..row + m, ..]), scratch)?;
            row += m;
        }
        Ok(())
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, mut x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let (mut term, scratch) = scratch_matrix(scratch, x.dim(), &x.view());
        let mut row = 0;
        for (i, block) in self.blocks.iter().enumerate() {
            let m = block.shape().0;
            let part = y.slice(s![row..row + m, ..]);
            if i == 0 {
                block.adjoint_batch(part, x.view_mut(), scratch)?;
            } else {
                block.adjoint_batch(part, term.view_mut(), scratch)?;
                add_columns(x.view_mut(), term.view());
            }
            row += m;
        }
        Ok(())
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        let inner = self.blocks.iter().map(|b| b.batch_scratch_len(cols)).max();
        self.shape.1.saturating_mul(cols).saturating_add(inner.unwrap_or(0))
    }
}

/// `[A, B, …]`, which is the adjoint of `[Aᴴ; Bᴴ; …]`. Made by [`hstack`].
pub type HStack<A> = Adjoint<VStack<Adjoint<A>>>;

/// Blocks side by side: `[A, B, …] x = Σ Aᵢ xᵢ`, shape `(m, Σ nᵢ)`.
///
/// # Errors
/// Those of [`VStack::new`], which sees the adjoints.
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Diagonal, hstack};
/// let a = hstack(vec![Diagonal::new(vec![1.0, 2.0]), Diagonal::new(vec![10.0, 20.0])])?;
/// assert_eq!(a.apply(&[1.0, 1.0, 1.0, 1.0])?, [11.0, 22.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn hstack<V: Vector + ?Sized, A: LinearOperator<V>>(blocks: Vec<A>) -> Result<HStack<A>> {
    VStack::new::<V>(blocks.into_iter().map(Adjoint::new).collect()).map(Adjoint::new)
}
