//! The complex conjugate of an operator.

use super::apply::{scratch_matrix, split_scratch};
use super::{BatchOperator, LinearOperator};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// `conj(A)`, whose matrix has the conjugated entries: `y = conj(A·conj(x))`.
///
/// Shape of `A`; `A` itself for real types. With [`Adjoint`](super::Adjoint) it gives the plain transpose,
/// `Aᵀ = conj(A)ᴴ`. Costs two passes over the vectors on top of `A`, and one vector of scratch.
///
/// # Examples
/// ```
/// use convmtx::num_complex::Complex;
/// use convmtx::op::{Adjoint, Apply, Conjugate, Diagonal};
/// let i = Complex::new(0.0, 1.0);
/// let transpose = Adjoint::new(Conjugate::new(Diagonal::new(vec![i])));
/// assert_eq!(transpose.apply(&[i])?, [i * i]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Conjugate<A> {
    a: A,
}

impl<A> Conjugate<A> {
    /// The conjugate of `a`.
    pub fn new(a: A) -> Self {
        Conjugate { a }
    }
}

/// `y ← conj(product(conj(x)))`
fn conjugated<T: Scalar>(
    x: &[T],
    y: &mut [T],
    scratch: &mut [T],
    product: impl Fn(&[T], &mut [T], &mut [T]) -> Result<()>,
) -> Result<()> {
    if !T::IS_COMPLEX {
        return product(x, y, scratch);
    }
    let (turned, rest) = split_scratch(scratch, x.len());
    turned.iter_mut().zip(x).for_each(|(t, x)| *t = x.conj());
    product(turned, y, rest)?;
    y.iter_mut().for_each(|y| *y = y.conj());
    Ok(())
}

/// The same for a batch.
fn conjugated_batch<T: Scalar>(
    x: ArrayView2<T>,
    mut y: ArrayViewMut2<T>,
    scratch: &mut [T],
    product: impl Fn(ArrayView2<T>, ArrayViewMut2<T>, &mut [T]) -> Result<()>,
) -> Result<()> {
    if !T::IS_COMPLEX {
        return product(x, y, scratch);
    }
    let (mut turned, rest) = scratch_matrix(scratch, x.dim(), &x);
    turned.zip_mut_with(&x, |t, x| *t = x.conj());
    product(turned.view(), y.view_mut(), rest)?;
    y.map_inplace(|y| *y = y.conj());
    Ok(())
}

impl<T: Scalar, A: LinearOperator<[T]>> LinearOperator<[T]> for Conjugate<A> {
    fn shape(&self) -> (usize, usize) {
        self.a.shape()
    }

    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        conjugated(x, y, scratch, |x, y, s| self.a.forward(x, y, s))
    }

    fn adjoint(&self, y: &[T], x: &mut [T], scratch: &mut [T]) -> Result<()> {
        conjugated(y, x, scratch, |y, x, s| self.a.adjoint(y, x, s))
    }

    fn scratch_len(&self) -> usize {
        let (m, n) = self.a.shape();
        self.a.scratch_len() + if T::IS_COMPLEX { m.max(n) } else { 0 }
    }
}

impl<T: Scalar, A: BatchOperator<T>> BatchOperator<T> for Conjugate<A> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        conjugated_batch(x, y, scratch, |x, y, s| self.a.forward_batch(x, y, s))
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        conjugated_batch(y, x, scratch, |y, x, s| self.a.adjoint_batch(y, x, s))
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        let (m, n) = self.a.shape();
        let turned = if T::IS_COMPLEX { m.max(n).saturating_mul(cols) } else { 0 };
        self.a.batch_scratch_len(cols).saturating_add(turned)
    }
}
