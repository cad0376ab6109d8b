//! The separable engine: kernels that are outer products, or sums of few of them, one axis after the other.

mod factors;

use crate::blocks::{Plane, Reading};
use crate::conv::{Bank, Conv};
use crate::error::{Error, Result};
use crate::op::{BatchOperator, LinearOperator};
use crate::parallel::for_each_part;
use crate::scalar::Scalar;
use crate::stencil::{Axis, Side};
use factors::{Factors, low_rank, rank_at_most, rank_one};

/// Result rows that pass from one axis to the next at a time: few enough to stay in the cache.
const BAND: usize = 12;

/// At most this many parts, because each has scratch of its own.
const PARTS: usize = 8;

/// A convolution whose kernel is a sum of few outer products, `K = Σᵢ uᵢ vᵢᵀ`: the columns of the signal are convolved
/// with uᵢ and the rows of the result with vᵢ.
///
/// Costs r·(K₀ + K₁) multiply-adds per output instead of K₀·K₁, for r terms. In two dimensions any kernel can be written
/// so; in three only kernels of rank one are taken. Made by `to_separable` and `to_low_rank` of a
/// [`Conv`].
///
/// # Examples
/// ```
/// use convmtx::{Conv2d, ConvMode, op::Apply};
/// let binomial = ndarray::array![[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]];
/// let conv = Conv2d::new(&binomial, [4, 5], ConvMode::Same)?;
/// let separable = conv.to_separable()?;
/// assert_eq!(separable.rank(), 1);
/// let image: Vec<f64> = (0..20).map(f64::from).collect();
/// assert_eq!(separable.apply(&image)?, conv.to_direct()?.apply(&image)?);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeparableConv<T, const D: usize> {
    /// Factors of the terms, and their conjugates.
    terms: [Vec<Vec<Vec<T>>>; 2],
    axes: [Axis; D],
    shape: (usize, usize),
    exact: bool,
}

impl<T: Scalar, const D: usize> SeparableConv<T, D> {
    /// One outer product, or with a tolerance as many as it takes.
    pub(crate) fn new(bank: &Bank<T, D>, tolerance: Option<f64>) -> Result<Self> {
        let refuse = |reason: String| Err(Error::Unsupported { what: "a separable product", reason });
        let shape = bank.axes().each_ref().map(|a| a.band().taps());
        let c = bank.channels();
        if !(2..=3).contains(&D) || c.kernels() != 1 || c.groups * c.inputs * c.outputs != 1 {
            return refuse("it is for one kernel of two or three dimensions; take the direct engine".into());
        }
        if !bank.kernels().iter().all(|k| k.finite()) {
            return refuse("the kernel has taps that are not finite; take the direct engine".into());
        }
        let readings = bank.axes().each_ref().map(|axis| Reading::new(axis, Side::Forward, 1));
        if !readings.iter().all(|r| r.fits() && r.slides()) {
            return refuse(
                "it knows neither strides nor the antireflective boundary; take the direct engine".into(),
            );
        }
        let factors = match (rank_one(bank.kernels(), &shape), tolerance) {
            (Some(factors), _) => factors,
            (None, Some(tolerance)) if D == 2 => {
                let factors = low_rank(bank.kernels(), [shape[0], shape[1]], tolerance);
                factors.unwrap_or(Factors { terms: Vec::new(), exact: false })
            }
            _ => {
                return refuse(format!(
                    "the kernel of shape {shape:?} is not an outer product; take the direct engine"
                ));
            }
        };
        let conjugated =
            factors.terms.iter().map(|t| t.iter().map(|f| f.iter().map(|k| k.conj()).collect()).collect());
        let conjugated = conjugated.collect();
        Ok(SeparableConv {
            exact: factors.exact,
            terms: [factors.terms, conjugated],
            axes: *bank.axes(),
            shape: bank.shape(),
        })
    }

    /// The kernel as one outer product, or as so few that it can pay; `None` otherwise, without an error.
    pub(crate) fn detect(bank: &Bank<T, D>) -> Option<Self> {
        let taps = bank.axes().each_ref().map(|a| a.band().taps());
        let few = taps.iter().min()? / 4;
        let rank_two = D == 2 && few > 1 && rank_at_most(bank.kernels(), [taps[0], taps[D - 1]], few);
        Self::new(bank, rank_two.then(|| rounding(bank))).ok().filter(|a| a.rank() > 0)
    }

    /// The kernel to rounding, with as many outer products as it takes.
    pub(crate) fn of_any_rank(bank: &Bank<T, D>) -> Result<Self> {
        Self::new(bank, Some(rounding(bank)))
    }

    /// Number of outer products.
    pub fn rank(&self) -> usize {
        self.terms[0].len()
    }

    /// Whether every tap is met to a few roundings of its own, and whole-numbered taps exactly. Otherwise errors are small beside
    /// the largest singular value of the kernel.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The axes of a product, innermost last.
    fn readings(&self, side: Side) -> [Reading; D] {
        self.axes.each_ref().map(|axis| Reading::new(axis, side, 1))
    }

    /// Results of the first axis that are computed together: rows of images, few planes of volumes.
    fn band(&self) -> usize {
        if D == 2 { BAND } else { BAND / 2 }
    }

    /// Elements of scratch for the results of the first axis, and in three dimensions of the second.
    fn scratch_per_part(&self) -> usize {
        let of = |side| {
            let axes = self.readings(side);
            let sources: usize = axes[1..].iter().map(|a| a.sources).product();
            let second = if D == 3 { BAND * axes[2].sources } else { 0 };
            self.band() * sources + second
        };
        of(Side::Forward).max(of(Side::Adjoint))
    }

    /// Lengths of the parts: whole results of the first axis.
    fn part(&self, side: Side) -> usize {
        let axes = self.readings(side);
        let inner: usize = axes[1..].iter().map(|a| a.results).product();
        (axes[0].results.div_ceil(PARTS).next_multiple_of(self.band()) * inner).max(1)
    }

    fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let axes = self.readings(side);
        let terms = &self.terms[usize::from(side == Side::Adjoint)];
        let results: usize = axes[1..].iter().map(|a| a.results).product();
        for_each_part(y, self.part(side), scratch, self.scratch_per_part(), |start, part, scratch| {
            for (b, out) in part.chunks_mut((self.band() * results).max(1)).enumerate() {
                let first = start / results + b * self.band();
                let rows = first..first + out.len() / results;
                let sources: usize = axes[1..].iter().map(|a| a.sources).product();
                if terms.is_empty() || sources == 0 {
                    out.fill(T::zero());
                    continue;
                }
                for (i, term) in terms.iter().enumerate() {
                    let (passed, rest) = scratch.split_at_mut(rows.len() * sources);
                    let across = Reading::alone(sources);
                    Plane { rows: &axes[0], columns: &across, kernel: &term[0], tap: 0, x }.product(
                        rows.clone(),
                        &(0..sources),
                        passed,
                        true,
                    );
                    if D == 2 {
                        along(&axes[1], rows.len(), &term[1], passed, out, i == 0);
                    } else {
                        let planes = passed.chunks(sources.max(1)).zip(out.chunks_mut(results));
                        planes.for_each(|(x, out)| plane(&axes[1], &axes[2], term, x, out, rest, i == 0));
                    }
                }
            }
            Ok(())
        })
    }
}

/// Singular values that count as zero, relative to the largest.
fn rounding<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> f64 {
    let longest = bank.axes().iter().map(|a| a.band().taps()).max().unwrap_or(1);
    T::EPSILON * longest as f64 // a count below 2^53
}

/// The rows of `x` convolved along themselves.
fn along<T: Scalar>(axis: &Reading, rows: usize, kernel: &[T], x: &[T], out: &mut [T], fresh: bool) {
    let alone = Reading::alone(rows);
    Plane { rows: &alone, columns: axis, kernel, tap: 0, x }.product(0..rows, &(0..axis.results), out, fresh);
}

/// A plane convolved along its rows and columns, in bands.
fn plane<T: Scalar>(
    rows: &Reading,
    columns: &Reading,
    term: &[Vec<T>],
    x: &[T],
    out: &mut [T],
    scratch: &mut [T],
    fresh: bool,
) {
    let across = Reading::alone(columns.sources);
    for (b, out) in out.chunks_mut(BAND * columns.results).enumerate() {
        let band = b * BAND..b * BAND + out.len() / columns.results;
        let passed = &mut scratch[..band.len() * columns.sources];
        let first = Plane { rows, columns: &across, kernel: &term[1], tap: 0, x };
        first.product(band.clone(), &(0..columns.sources), passed, true);
        along(columns, band.len(), &term[2], passed, out, fresh);
    }
}

impl<T: Scalar, const D: usize> LinearOperator<[T]> for SeparableConv<T, D> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Forward, x, y, scratch)
    }

    fn adjoint(&self, y: &[T], x: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Adjoint, y, x, scratch)
    }

    fn scratch_len(&self) -> usize {
        let parts = |side, len: usize| len.div_ceil(self.part(side)).max(1);
        self.scratch_per_part() * parts(Side::Forward, self.shape.0).max(parts(Side::Adjoint, self.shape.1))
    }
}

impl<T: Scalar, const D: usize> BatchOperator<T> for SeparableConv<T, D> {}

impl<T: Scalar, const D: usize> Conv<T, D> {
    /// The operator that convolves axis after axis, for a kernel that is an outer product: K₀ + K₁ multiply-adds per output
    /// instead of K₀·K₁, see [`SeparableConv`].
    ///
    /// Whole-numbered kernels get whole-numbered factors, so that integers stay exact; other taps are met to a few
    /// roundings.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when some tap is not met, for one dimension, strides, the antireflective boundary and taps
    /// that are not finite.
    pub fn to_separable(&self) -> Result<SeparableConv<T, D>> {
        SeparableConv::new(self.bank(), None)
    }

    /// The same for any kernel of two dimensions, as a sum of outer products from its singular value decomposition. Singular
    /// values of at most `tolerance` times the largest one are left out: the kernel, as a matrix, changes by at most that
    /// much in the spectral norm. `None`: the rank to rounding, ε·max(K₀, K₁).
    ///
    /// # Errors
    /// [`Error::Value`] for a tolerance that is negative or not finite; else as [`Conv::to_separable`].
    pub fn to_low_rank(&self, tolerance: Option<f64>) -> Result<SeparableConv<T, D>> {
        let tolerance = tolerance.unwrap_or(rounding(self.bank()));
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            return Err(Error::value("the tolerance", "a finite number of at least 0", tolerance));
        }
        SeparableConv::new(self.bank(), Some(tolerance))
    }
}
