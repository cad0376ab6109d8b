//! The engine for long kernels: convolution by fast Fourier transforms.

mod axis;
mod batch;
mod blocks;
mod effort;
mod grid;
mod loading;
mod spectra;
mod tiles;
mod tiling;

use crate::conv::Bank;
use crate::error::Result;
use crate::memory;
use crate::op::LinearOperator;
use crate::scalar::{Real, Scalar, check_finite};
use crate::stencil::Side;
use axis::Line;
use blocks::Blocks;
pub(crate) use effort::{Effort, effort};
use grid::{Grid, grid_cost};
use std::fmt;
use tiles::Tiles;
use tiling::Tiling;

/// c in the bound of [`FftConv::error_bound`].
const ERROR: f64 = 4.0;

/// A convolution applied by fast Fourier transforms: `y = A x` and `x = Aᴴ y` for every description.
///
/// Owns the spectra of the kernels. Long signals are cut into blocks, images and volumes into tiles
/// ([`transform_shape`](Self::transform_shape) says how large), for O(log K) operations per output, transforms that stay
/// in the cache and memory that does not grow with the signal; two real blocks are the parts of one complex block. Where
/// the kernel is nearly as large as the signal, everything is transformed as a whole, by real transforms just long
/// enough for the kept outputs. Lengths have factors 2, 3 and 5. Channels are summed in the spectrum.
///
/// Every crop, offset, stride, dilation and boundary is taken, and the adjoint is exact: the same transforms with the
/// conjugate spectrum, outputs put back where they were picked, the boundary folded. Products allocate nothing and do not
/// depend on the number of threads.
///
/// **Rounding.** Results differ from the exact ones by at most [`error_bound`](Self::error_bound), on integers too: an
/// error is small beside the largest outputs of a block and its neighbour, not beside each of them. [`DirectConv`](crate::direct::DirectConv) is
/// exact on integers. **NaN and infinity** in a signal spread over the blocks, tiles or grid that they stand in,
/// and over a neighbour of these; check the signal first where it may contain any.
///
/// # Examples
/// ```
/// use convmtx::{Conv1d, ConvMode, op::Apply};
/// let kernel: Vec<f64> = (0..200).map(|t| 1.0 / f64::from(1 + t)).collect();
/// let x: Vec<f64> = (0..5000).map(|i| f64::from(i % 7)).collect();
/// let conv = Conv1d::new(&kernel, 5000, ConvMode::Full)?;
/// let (fast, direct) = (conv.to_fft()?, conv.to_direct()?);
/// let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
/// for (a, b) in fast.apply(&x)?.iter().zip(direct.apply(&x)?) {
///     assert!((a - b).abs() <= fast.error_bound(norm));
/// }
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Clone)]
pub struct FftConv<T: Scalar, const D: usize> {
    shape: (usize, usize),
    work: Work<T, D>,
    /// The error bound for a vector of norm one.
    error: f64,
}

/// What there is to compute.
#[derive(Clone)]
enum Work<T: Scalar, const D: usize> {
    /// Nothing: the matrix is zero, or empty.
    Nothing,
    Blocks(Box<Blocks<T>>),
    Grid(Grid<T, D>),
    Tiles(Box<Tiles<T, D>>),
}

/// Images and volumes in tiles, or as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cutting<const D: usize> {
    Tiles(Tiling<D>),
    Whole,
}

impl<const D: usize> Cutting<D> {
    /// What costs least.
    fn best<T: Scalar>(lines: &[Line; D]) -> Self {
        let (cost, tiling) = Tiling::best::<T>(lines);
        if cost < grid_cost::<T, D>(lines) { Cutting::Tiles(tiling) } else { Cutting::Whole }
    }
}

impl<T: Scalar, const D: usize> FftConv<T, D> {
    pub(crate) fn new(bank: &Bank<T, D>) -> Result<Self> {
        Self::cut(bank, Cutting::best::<T>)
    }

    /// The same, cut as `choose` says, if there is more than one axis.
    fn cut(bank: &Bank<T, D>, choose: impl FnOnce(&[Line; D]) -> Cutting<D>) -> Result<Self> {
        check_finite("the kernel", bank.kernels())?;
        let shape = bank.shape();
        let Some(lines) = Line::all(bank)? else {
            return Ok(FftConv { shape, work: Work::Nothing, error: 0.0 });
        };
        let (kernels, channels) = (bank.kernels(), *bank.channels());
        // Before lengths are rounded up: the grid must fit, and then no length below can overflow.
        let places = lines.iter().map(|l| l.least as u128).product::<u128>(); // widening
        if D > 1 {
            memory::check_available("the transform", places * size_of::<T>() as u128)?; // widening
        }
        let gain = lines.iter().map(|l| l.input.norm()).product::<f64>();
        let norm = kernel_norm(bank) * gain;
        let work = if D == 1 {
            let line = lines.into_iter().next().unwrap_or_else(|| unreachable!("one axis"));
            Work::Blocks(Box::new(Blocks::new(line, kernels, channels)?))
        } else {
            match choose(&lines) {
                Cutting::Tiles(tiling) => {
                    Work::Tiles(Box::new(Tiles::new(lines, tiling, kernels, channels)?))
                }
                Cutting::Whole => Work::Grid(Grid::new(lines, kernels, channels)?),
            }
        };
        let mut conv = FftConv { shape, work, error: 0.0 };
        let points = conv.transform_shape().iter().map(|&n| n as f64).product::<f64>(); // estimate
        // Two blocks of real numbers in one transform: each sees the rounding errors of both.
        let joint = if T::IS_COMPLEX || conv.blocks() == 1 { 1.0 } else { f64::sqrt(2.0) };
        conv.error = ERROR * T::EPSILON * points.log2().max(1.0) * joint * norm;
        Ok(conv)
    }

    /// Length of the transforms along each axis, in memory order: of one block or tile, or of the whole grid; ones where
    /// there is nothing to transform.
    pub fn transform_shape(&self) -> [usize; D] {
        match &self.work {
            Work::Nothing => [1; D],
            Work::Blocks(blocks) => [blocks.transform_len(); D],
            Work::Grid(grid) => grid.transform_shape(),
            Work::Tiles(tiles) => tiles.transform_shape(),
        }
    }

    /// Number of blocks or tiles into which each signal is cut; 1 where the transform is taken of everything at once.
    pub fn blocks(&self) -> usize {
        match &self.work {
            Work::Blocks(blocks) => blocks.count(),
            Work::Tiles(tiles) => tiles.count(),
            _ => 1,
        }
    }

    /// No element of A x is wrong by more than this, where `norm` = ‖x‖₂; nor one of Aᴴ y with ‖y‖₂.
    ///
    /// 4·ε·log₂N·‖k‖₁·‖E‖·‖x‖₂ with N the number of points of a transform and ‖E‖ ≥ 1 how much the boundary can
    /// lengthen the signal (1 with zeros); √2 times that where two blocks of real numbers share a transform. Where channels are summed, ‖k‖₁ is the root of the sum of squares over them.
    /// Errors of transforms grow with log₂N (Higham, Accuracy and Stability of Numerical Algorithms, 2002, §24.1); random data
    /// stay far below, since the worst case puts all rounding errors on one output.
    pub fn error_bound(&self, norm: f64) -> f64 {
        self.error * norm
    }

    fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        match &self.work {
            Work::Nothing => {
                y.fill(T::zero());
                Ok(())
            }
            Work::Blocks(blocks) => blocks.product(side, x, y, scratch),
            Work::Grid(grid) => grid.product(side, x, y, scratch),
            Work::Tiles(tiles) => tiles.product(side, x, y, scratch),
        }
    }
}

/// ‖k‖₁; with several channels the largest root of the sum of squares over the channels that are summed.
fn kernel_norm<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> f64 {
    let taps = bank.axes().iter().map(|a| a.band().taps()).product();
    let norms = bank.kernels().chunks(taps);
    let norms: Vec<f64> = norms.map(|k| k.iter().map(|k| k.modulus().as_f64()).sum()).collect();
    let c = bank.channels();
    let largest = |side| {
        let (sources, results) = c.flow(side);
        let square = |result| (0..sources).map(|s| norms[c.kernel_between(side, result, s)].powi(2)).sum();
        (0..c.groups * results).map(square).fold(0.0, f64::max)
    };
    f64::max(largest(Side::Forward), largest(Side::Adjoint)).sqrt()
}

impl<T: Scalar, const D: usize> fmt::Debug for FftConv<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("FftConv");
        all.field("shape", &self.shape).field("transform_shape", &self.transform_shape());
        all.field("blocks", &self.blocks()).finish_non_exhaustive()
    }
}

impl<T: Scalar, const D: usize> LinearOperator<[T]> for FftConv<T, D> {
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
        match &self.work {
            Work::Nothing => 0,
            Work::Blocks(blocks) => blocks.scratch_len(),
            Work::Grid(grid) => grid.scratch_len(),
            Work::Tiles(tiles) => tiles.scratch_len(),
        }
    }
}

crate::conv::on_descriptions! {
    /// The operator that computes by fast Fourier transforms: see [`FftConv`](crate::fft::FftConv).
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) for taps that are NaN or infinite,
    /// [`Error::Memory`](crate::Error::Memory) when spectra or the table of the boundary do not fit.
    pub fn to_fft(&self) -> Result<FftConv<T, D>> {
        FftConv::new(self.bank())
    }
}
