//! Linear operators: the central trait, checked application, lazy algebra, and the examiner.
//!
//! An operator owns all it needs to compute `y = A x` and `x = Aᴴ y`. Its two cores, [`LinearOperator::forward`]
//! and [`LinearOperator::adjoint`], trust their arguments and allocate no vectors of their own. Callers use
//! [`Apply`], which checks sizes and provides the buffers.

mod adjoint;
mod apply;
mod block_diagonal;
mod conjugate;
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
pub use apply::{Apply, BatchOperator, BoxedOperator};
pub(crate) use apply::{as_column, as_column_mut, by_columns, staging};
pub use block_diagonal::BlockDiagonal;
pub use conjugate::Conjugate;
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
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};
use std::sync::Arc;

/// A linear map between vectors in the memory of `V`.
///
/// The cores trust their arguments: `forward` gets `x` of length `cols` and `y` of length `rows`, `adjoint` the
/// reverse, both a scratch vector of at least [`scratch_len`](Self::scratch_len) elements with any content. They
/// overwrite their output completely and allocate nothing on one thread, and with several no more than the pool needs for its
/// queues. Call them through [`Apply`], which checks.
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

/// An operator behind a pointer is the same operator.
macro_rules! through_pointers {
    ($($pointer:ty, $($bound:ident)?;)*) => {$(
        impl<V: Vector + ?Sized, A: LinearOperator<V> $(+ $bound)? + ?Sized> LinearOperator<V> for $pointer {
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

        impl<T: Scalar, A: BatchOperator<T> $(+ $bound)? + ?Sized> BatchOperator<T> for $pointer {
            fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
                (**self).forward_batch(x, y, scratch)
            }
            fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
                (**self).adjoint_batch(y, x, scratch)
            }
            fn batch_scratch_len(&self, cols: usize) -> usize {
                (**self).batch_scratch_len(cols)
            }
            fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
                (**self).batch_scratch_for(input, output)
            }
        }
    )*};
}

through_pointers! {
    &A, Sync;
    Box<A>,;
    Arc<A>, Sync;
}
