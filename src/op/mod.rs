//! Linear operators: the central trait, checked application, lazy algebra, and the examiner.
//!
//! An operator owns all it needs to compute `y = A x` and `x = Aᴴ y`. Its two cores, [`LinearOperator::forward`]
//! and [`LinearOperator::adjoint`], trust their arguments and allocate nothing. Callers use [`Apply`], which
//! checks sizes and provides the buffers.

mod adjoint;
mod apply;
mod block_diagonal;
mod diagonal;
mod difference;
mod dottest;
mod examine;
mod gradient;
mod identity;
mod layouts;
mod product;
mod scaled;
mod stack;
mod sum;
mod vector;

pub use adjoint::Adjoint;
pub(crate) use apply::by_columns;
pub use apply::{Apply, BatchOperator, BoxedOperator};
pub use block_diagonal::BlockDiagonal;
pub use diagonal::Diagonal;
pub use difference::Difference;
pub use dottest::{DotTest, dottest};
pub use examine::{Examination, Finding, Verdict, examine};
pub use gradient::Gradient2d;
pub use identity::Identity;
pub use product::Product;
pub use scaled::Scaled;
pub use stack::{HStack, VStack, hstack};
pub use sum::Sum;
pub use vector::{RealOf, Vector};

use crate::error::Result;

/// A linear map between vectors in the memory of `V`.
///
/// The cores trust their arguments: `forward` gets `x` of length `cols` and `y` of length `rows`, `adjoint` the
/// reverse, both a scratch vector of at least [`scratch_len`](Self::scratch_len) elements with any content. They
/// overwrite their output completely and allocate nothing. Call them through [`Apply`], which checks.
///
/// `adjoint` is the conjugate transpose: ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ with ⟨a, b⟩ = Σ conj(a)·b. [`examine`] proves it.
#[diagnostic::on_unimplemented(
    note = "a description (Conv1d, FilterBank, …) becomes an operator with `.to_direct()?` or `CsrOperator::new(….to_csr()?)?`"
)]
pub trait LinearOperator<V: Vector + ?Sized>: Send {
    /// `(rows, cols)`: the lengths of `y` and of `x`.
    fn shape(&self) -> (usize, usize);

    /// `y ← A x`
    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()>;

    /// `x ← Aᴴ y`
    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()>;

    /// Elements of scratch that either product needs.
    fn scratch_len(&self) -> usize {
        0
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V> + Sync + ?Sized> LinearOperator<V> for &A {
    fn shape(&self) -> (usize, usize) {
        (**self).shape()
    }
    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        (**self).forward(x, y, scratch)
    }
    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        (**self).adjoint(y, x, scratch)
    }
    fn scratch_len(&self) -> usize {
        (**self).scratch_len()
    }
}

impl<V: Vector + ?Sized, A: LinearOperator<V> + ?Sized> LinearOperator<V> for Box<A> {
    fn shape(&self) -> (usize, usize) {
        (**self).shape()
    }
    fn forward(&self, x: &V, y: &mut V, scratch: &mut V) -> Result<()> {
        (**self).forward(x, y, scratch)
    }
    fn adjoint(&self, y: &V, x: &mut V, scratch: &mut V) -> Result<()> {
        (**self).adjoint(y, x, scratch)
    }
    fn scratch_len(&self) -> usize {
        (**self).scratch_len()
    }
}
