//! The direct engine: products straight from the definition, with no matrix in memory.

mod around;
mod batch;
mod channels;
mod gradient;
mod line;
mod product;

use crate::conv::{Bank, Conv, Exchanged, FilterBank, KernelOperator, RowwiseConv, Traversal};
use crate::error::{Result, check_len};
use crate::memory;
use crate::op::{Apply, LinearOperator};
use crate::parallel;
use crate::scalar::Scalar;
use crate::simd::Summation;
use crate::stencil::Side;
use gradient::Gradient;
use line::line_product;
use product::Readings;

/// A convolution applied from its definition: `y = A x` and `x = Aᴴ y` for every description.
///
/// Owns the kernels and a table of the boundary, O(taps) memory in all. A product costs one multiply-add per non-zero of
/// the matrix and needs no memory but that. Outputs are computed independently of each other in parts of fixed size, so
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
    /// Where kernels are longer than the input: forward with the roles exchanged, and adjoint by long sums.
    exchanged: Option<Readings>,
    gradient: Option<Gradient>,
    /// Whether forward and adjoint with several channels go plane by plane.
    layered: [bool; 2],
    summation: Summation,
}

impl<T: Scalar, const D: usize> DirectConv<T, D> {
    pub(crate) fn new(bank: &Bank<T, D>) -> Result<Self> {
        let bands = || bank.axes().iter().map(|a| a.band());
        let longer = bands().map(|b| b.taps()).product::<usize>() > bands().map(|b| b.input()).product();
        let conjugated = T::IS_COMPLEX.then(|| bank.kernels().iter().map(|k| k.conj()).collect());
        let readings = Readings::new(bank, Side::Forward).zip(Readings::new(bank, Side::Adjoint));
        let layered = readings.as_ref().map_or([false; 2], |(forward, adjoint)| {
            [forward.layered(bank.kernels()), adjoint.layered(bank.kernels())]
        });
        Ok(DirectConv {
            traversal: Traversal::new(bank)?,
            kernels: bank.kernels().to_vec(),
            conjugated,
            readings: readings.map(<[_; 2]>::from),
            layered,
            exchanged: Readings::exchanged(bank),
            gradient: Gradient::new(bank.axes(), bank.channels()).filter(|_| longer),
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

    /// What the product plane by plane needs, where it applies.
    fn layered(&self, side: Side) -> Option<&Readings> {
        let [forward, adjoint] = self.layered;
        let chosen = if side == Side::Forward { forward } else { adjoint };
        self.readings(side).filter(|_| chosen && self.gradient(side).is_none() && self.exchanged.is_none())
    }

    /// The exchanged forward product, where it applies to this input.
    fn exchanged(&self, side: Side, x: &[T]) -> Option<&Readings> {
        let free = side == Side::Forward && self.summation == Summation::Fastest;
        // Zero taps contribute nothing, whatever they meet; zeros of the input do, unless all taps are finite.
        self.exchanged.as_ref().filter(|_| free && x.iter().all(|v| v.finite()))
    }

    /// The adjoint by long sums, where it applies.
    fn gradient(&self, side: Side) -> Option<&Gradient> {
        let free = side == Side::Adjoint && self.summation == Summation::Fastest;
        self.gradient.as_ref().filter(|_| free)
    }

    /// Length of the parts that the results of `side` are computed in.
    fn part(&self, side: Side) -> usize {
        parallel::part_len(self.traversal.results(side), self.traversal.work(side))
    }

    fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let kernels = self.kernels(side);
        if let Some(readings) = self.exchanged(side, x) {
            let part = readings.part(readings.work(), y.len());
            return parallel::for_each_part(y, part, &mut [], 0, |start, part, _: &mut [()]| {
                readings.product(x, kernels, start, part);
                Ok(())
            });
        }
        if let Some(gradient) = self.gradient(side) {
            gradient.product(&self.kernels, x, y, scratch)?;
            if y.iter().all(|v| v.finite()) {
                return Ok(());
            }
        }
        if let Some(readings) = self.layered(side) {
            return layers(readings, kernels, x, y);
        }
        self.results(side, x, 0, y, scratch)
    }

    /// The results from `first` on, as many as `y` has, each from its own terms.
    fn results(&self, side: Side, x: &[T], first: usize, y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let t = &self.traversal;
        let (kernels, inner) = (self.kernels(side), t.inner());
        if let Some(readings) = self.readings(side) {
            let part = readings.part(t.work(side), y.len());
            return parallel::for_each_part(y, part, &mut [], 0, |start, part, _: &mut [()]| {
                readings.product(kernels, x, first + start, part);
                Ok(())
            });
        }
        let line_len = inner.len(side);
        parallel::for_each_part(y, self.part(side), scratch, t.scratch_len(), |start, part, scratch| {
            part.fill(T::zero());
            let mut done = 0;
            while done < part.len() {
                let at = first + start + done;
                let (line, from) = (at / line_len, at % line_len);
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

/// Products with several channels for any number of signals one after the other.
fn layers<T: Scalar>(readings: &Readings, kernels: &[T], x: &[T], y: &mut [T]) -> Result<()> {
    parallel::for_each_part(y, readings.layered_part(y.len()), &mut [], 0, |start, part, _: &mut [()]| {
        readings.layers(kernels, x, start, part);
        Ok(())
    })
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
        let lines = self.traversal.scratch_len() * parts(Side::Forward).max(parts(Side::Adjoint));
        lines.max(self.gradient.as_ref().map_or(0, Gradient::scratch_len))
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
        one_pair(self.shape(), x, y)?;
        self.adjoint_kernel_batch(x, y)
    }

    /// The sum of [`adjoint_kernel`](Self::adjoint_kernel) over a batch: signals in `x` and outputs in `y` one after the other.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` is not a whole number of signals, or `y` not as many outputs.
    pub fn adjoint_kernel_batch(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        Ok(in_orientation(stored_gradient(self.bank(), x, y)?, 1, self.geometry().is_correlation()))
    }
}

impl<T: Scalar> RowwiseConv<T> {
    /// Hᴴ y, the gradient of ⟨y, rows(x)⟩ with respect to all kernels, row-major and in the orientation in which they were
    /// given; for a shared kernel the sum over the rows.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` or `y` do not match `shape()`.
    pub fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        one_pair(self.shape(), x, y)?;
        self.adjoint_kernel_batch(x, y)
    }

    /// The sum of [`adjoint_kernel`](Self::adjoint_kernel) over a batch: matrices of signals in `x` and of results in `y` one
    /// after the other.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` is not a whole number of inputs, or `y` not as many results.
    pub fn adjoint_kernel_batch(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        let gradient = stored_gradient(self.bank(), x, y)?;
        Ok(in_orientation(gradient, self.bank().channels().kernels(), self.is_correlation()))
    }
}

impl<T: Scalar, const D: usize> FilterBank<T, D> {
    /// Hᴴ y, the gradient of ⟨y, bank(x)⟩ with respect to all kernels, in the layout in which they were given.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` or `y` do not match `shape()`.
    pub fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        one_pair(self.shape(), x, y)?;
        self.adjoint_kernel_batch(x, y)
    }

    /// The gradient with respect to all kernels, summed over a batch: Σ_b Hᴴ(x_b) y_b, where H(x) is the map from kernels to
    /// outputs for the input x. The weight gradient of a training step.
    ///
    /// `x` holds inputs of shape `(channels, axes …)` one after the other, `y` as many outputs. One multiply-add per
    /// output, tap and input channel; inputs are read in place unless the boundary extends them.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` is not a whole number of inputs, or `y` not as many outputs.
    ///
    /// # Examples
    /// ```
    /// use convmtx::{ConvMode, FilterBank};
    /// use ndarray::{Array, IxDyn};
    /// let kernels = Array::from_shape_vec(IxDyn(&[2, 2]), vec![1.0, 1.0, 1.0, -1.0]).unwrap();
    /// let bank = FilterBank::new(kernels.view(), [3], ConvMode::Valid)?;
    /// let (x, y) = ([1.0, 2.0, 4.0], [1.0, 0.0, 0.0, 1.0]);
    /// let one = bank.adjoint_kernel(&x, &y)?;
    /// assert_eq!(one, [2.0, 1.0, 4.0, 2.0]);
    /// let twice = bank.adjoint_kernel_batch(&[x, x].concat(), &[y, y].concat())?;
    /// assert_eq!(twice, [4.0, 2.0, 8.0, 4.0]);
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn adjoint_kernel_batch(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
        Ok(self.as_given(stored_gradient(self.bank(), x, y)?))
    }
}

/// Checks that there is exactly one x and one y.
fn one_pair<T>((m, n): (usize, usize), x: &[T], y: &[T]) -> Result<()> {
    check_len("x", n, x.len())?;
    check_len("y", m, y.len())
}

/// Σ Hᴴ y over pairs of x and y, for the taps of all kernels as they are stored.
fn stored_gradient<T: Scalar, const D: usize>(bank: &Bank<T, D>, x: &[T], y: &[T]) -> Result<Vec<T>> {
    let (m, n) = bank.shape();
    // Of inputs, or outputs, without elements there is one.
    let count = x.len().checked_div(n).or(y.len().checked_div(m)).unwrap_or(1);
    check_len("x", count * n, x.len())?;
    check_len("y", count.saturating_mul(m), y.len())?;
    let mut sum: Vec<T> = memory::zeroed("the gradient", bank.kernels().len())?;
    let Exchanged { signals, axes, channels } = Exchanged::new(bank, x)?;
    if let Some(gradient) = Gradient::new(&axes, &channels).map(|g| g.times(count)) {
        let mut scratch = memory::zeroed("scratch", gradient.scratch_len())?;
        gradient.product(&signals, y, &mut sum, &mut scratch)?;
        if sum.iter().all(|v| v.finite()) {
            return Ok(sum);
        }
        sum.fill(T::zero());
    }
    for b in 0..count {
        let one = KernelOperator::new(bank, &x[b * n..][..n])?.apply_adjoint(&y[b * m..][..m])?;
        sum.iter_mut().zip(one).for_each(|(sum, value)| *sum += value);
    }
    Ok(sum)
}

/// Reverses each of `count` kernels if they were given as correlation kernels.
fn in_orientation<T>(mut kernels: Vec<T>, count: usize, reversed: bool) -> Vec<T> {
    if reversed {
        let taps = kernels.len() / count.max(1);
        kernels.chunks_mut(taps.max(1)).for_each(<[T]>::reverse);
    }
    kernels
}
