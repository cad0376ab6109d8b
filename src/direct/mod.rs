//! The direct engine: products straight from the definition, with no matrix in memory.

mod batch;
mod line;
mod product;

use crate::conv::{Bank, Conv, FilterBank, RowwiseConv, Traversal};
use crate::error::Result;
use crate::op::{Apply, LinearOperator};
use crate::parallel;
use crate::scalar::Scalar;
use crate::simd::Summation;
use crate::stencil::Side;
use line::line_product;
use product::Readings;

/// A convolution applied from its definition: `y = A x` and `x = Aᴴ y` for every description.
///
/// Owns the kernels and a table of the boundary, O(taps) memory in all. A product costs one multiply-add per non-zero of
/// the matrix and allocates nothing. Outputs are computed independently of each other in parts of fixed size, so
/// results do not depend on the number of threads; with [`Summation::Ascending`] they equal the product with the
/// matrix bit for bit.
///
/// # Examples
/// ```
/// use convmtx::{Conv1d, ConvMode, op::Apply};
/// let a = Conv1d::new(&[1.0, 2.0, 3.0], 4, ConvMode::Full)?.to_direct()?;
/// assert_eq!(a.apply(&[1.0, 0.0, 0.0, 1.0])?, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
/// assert_eq!(a.apply_adjoint(&[1.0, 0.0, 0.0, 0.0, 0.0, 1.0])?, [1.0, 0.0, 0.0, 3.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DirectConv<T, const D: usize> {
    traversal: Traversal<D>,
    kernels: Vec<T>,
    /// The conjugated kernels, for complex types only.
    conjugated: Option<Vec<T>>,
    /// Forward and adjoint, where blocks of results can be computed together.
    readings: Option<[Readings; 2]>,
    summation: Summation,
}

impl<T: Scalar, const D: usize> DirectConv<T, D> {
    pub(crate) fn new(bank: &Bank<T, D>) -> Result<Self> {
        let conjugated = T::IS_COMPLEX.then(|| bank.kernels().iter().map(|k| k.conj()).collect());
        Ok(DirectConv {
            traversal: Traversal::new(bank)?,
            kernels: bank.kernels().to_vec(),
            conjugated,
            readings: Readings::new(bank, Side::Forward)
                .zip(Readings::new(bank, Side::Adjoint))
                .map(<[_; 2]>::from),
            summation: Summation::default(),
        })
    }

    /// The same operator with another order of summation.
    pub fn with_summation(self, summation: Summation) -> Self {
        DirectConv { summation, ..self }
    }

    fn kernels(&self, side: Side) -> &[T] {
        match (side, &self.conjugated) {
            (Side::Adjoint, Some(conjugated)) => conjugated,
            _ => &self.kernels,
        }
    }

    /// What the fast product needs, where it applies and the order of summation is free.
    fn readings(&self, side: Side) -> Option<&Readings> {
        let [forward, adjoint] = self.readings.as_ref().filter(|_| self.summation == Summation::Fastest)?;
        Some(if side == Side::Forward { forward } else { adjoint })
    }

    /// Length of the parts that the results of `side` are computed in.
    fn part(&self, side: Side) -> usize {
        parallel::part_len(self.traversal.results(side), self.traversal.work(side))
    }

    fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let t = &self.traversal;
        let (kernels, inner) = (self.kernels(side), t.inner());
        if let Some(readings) = self.readings(side) {
            let part = readings.part(t.work(side), y.len());
            return parallel::for_each_part(y, part, &mut [], 0, |start, part, _: &mut [()]| {
                readings.product(kernels, x, start, part);
                Ok(())
            });
        }
        let line_len = inner.len(side);
        parallel::for_each_part(y, self.part(side), scratch, t.scratch_len(), |start, part, scratch| {
            part.fill(T::zero());
            let mut done = 0;
            while done < part.len() {
                let (line, from) = ((start + done) / line_len, (start + done) % line_len);
                let len = (line_len - from).min(part.len() - done);
                let out = &mut part[done..done + len];
                t.for_each_source(side, line, kernels, scratch, &mut |kernel, source| {
                    line_product(inner, side, kernel, &x[source..], from..from + len, out, self.summation);
                });
                done += len;
            }
            Ok(())
        })
    }
}

impl<T: Scalar, const D: usize> LinearOperator<[T]> for DirectConv<T, D> {
    fn shape(&self) -> (usize, usize) {
        self.traversal.shape()
    }

    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Forward, x, y, scratch)
    }

    fn adjoint(&self, y: &[T], x: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Adjoint, y, x, scratch)
    }

    fn scratch_len(&self) -> usize {
        let parts = |side| self.traversal.results(side).div_ceil(self.part(side)).max(1);
        self.traversal.scratch_len() * parts(Side::Forward).max(parts(Side::Adjoint))
    }
}

crate::conv::on_descriptions! {
    /// The operator that computes from the definition, without a matrix: see [`DirectConv`](crate::direct::DirectConv).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the boundary reaches so far that its table does not fit.
    pub fn to_direct(&self) -> Result<DirectConv<T, D>> {
        DirectConv::new(self.bank())
    }

    /// The convolution of `x`: A x, and the constant term where the boundary is a constant.
    ///
    /// Convenient for one signal; for more, keep the operator of `to_direct`.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` does not have `shape().1` elements.
    pub fn apply(&self, x: &[T]) -> Result<Vec<T>> {
        let mut y = Apply::apply(&self.to_direct()?, x)?;
        if let Some(d) = self.constant_term()? {
            y.iter_mut().zip(d).for_each(|(y, d)| *y += d);
        }
        Ok(y)
    }

    /// Aᴴ y, for one vector; for more, keep the operator of `to_direct`.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `y` does not have `shape().0` elements.
    pub fn apply_adjoint(&self, y: &[T]) -> Result<Vec<T>> {
        Apply::apply_adjoint(&self.to_direct()?, y)
    }
}

impl<T: Scalar, const D: usize> Conv<T, D> {
    /// Hᴴ y, the gradient of ⟨y, x ∗ h⟩ with respect to the kernel, in the order and orientation in which this description
    /// was given its kernel.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` or `y` do not match `shape()`.
    pub fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        let gradient = self.kernel_operator(x)?.apply_adjoint(y)?;
        Ok(in_orientation(gradient, 1, self.geometry().is_correlation()))
    }
}

impl<T: Scalar> RowwiseConv<T> {
    /// Hᴴ y, the gradient of ⟨y, rows(x)⟩ with respect to all kernels, row-major and in the orientation in which they were
    /// given; for a shared kernel the sum over the rows.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` or `y` do not match `shape()`.
    pub fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        let gradient = self.kernel_operator(x)?.apply_adjoint(y)?;
        Ok(in_orientation(gradient, self.bank().channels().kernels(), self.is_correlation()))
    }
}

impl<T: Scalar, const D: usize> FilterBank<T, D> {
    /// Hᴴ y, the gradient of ⟨y, bank(x)⟩ with respect to all kernels, in the layout in which they were given.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` or `y` do not match `shape()`.
    pub fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        Ok(self.as_given(self.kernel_operator(x)?.apply_adjoint(y)?))
    }
}

/// Reverses each of `count` kernels if they were given as correlation kernels.
fn in_orientation<T>(mut kernels: Vec<T>, count: usize, reversed: bool) -> Vec<T> {
    if reversed {
        let taps = kernels.len() / count.max(1);
        kernels.chunks_mut(taps.max(1)).for_each(<[T]>::reverse);
    }
    kernels
}
