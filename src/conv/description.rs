//! One kernel, one signal: the convolution `y = A x` in one, two or three dimensions.

use super::bank::{Bank, Channels};
use super::geometry::{Geometry, Order};
use super::kernel_operator::KernelOperator;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::stencil::Axis;
use ndarray::{ArrayView, AsArray, Dimension, Ix2, Ix3};

/// A cropped convolution of a `D`-dimensional signal with one kernel.
///
/// `y[i] = Σ_t k[t]·x̃[stride·i + offset − dilation·t]` per axis, where x̃ is the signal and what the boundary puts
/// beyond its ends. Arrays are vectors in the order of the geometry, row-major by default. A description computes
/// nothing: [`to_direct`](Conv::to_direct) and [`to_csr`](Conv::to_csr) do.
///
/// # Examples
/// ```
/// use convmtx::{Boundary, Conv2d, ConvMode, Geometry};
/// let psf = ndarray::array![[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]];
/// let blur = Conv2d::new(&psf, [480, 640], Geometry::same().boundary(Boundary::Symmetric))?;
/// assert_eq!(blur.shape(), (480 * 640, 480 * 640));
/// assert_eq!(Conv2d::new(&psf, [480, 640], ConvMode::Full)?.output_shape(), [482, 642]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Conv<T, const D: usize> {
    bank: Bank<T, D>,
    geometry: Geometry<T, D>,
}

/// A convolution of signals.
pub type Conv1d<T> = Conv<T, 1>;
/// A convolution of images.
pub type Conv2d<T> = Conv<T, 2>;
/// A convolution of volumes.
pub type Conv3d<T> = Conv<T, 3>;

impl<T: Scalar> Conv<T, 1> {
    /// The convolution of signals of `n` samples with `kernel`.
    ///
    /// `geometry` is a [`ConvMode`](crate::ConvMode) or a [`Geometry`].
    ///
    /// # Errors
    /// Empty kernel or signal, zero stride or dilation, sizes beyond 2⁶¹, a non-finite boundary constant. Taps may have
    /// any value.
    pub fn new(kernel: &[T], n: usize, geometry: impl Into<Geometry<T, 1>>) -> Result<Self> {
        Self::from_taps(kernel.to_vec(), [kernel.len()], [n], geometry.into())
    }
}

impl<T: Scalar> Conv<T, 2> {
    /// The convolution of images of `[rows, columns]` pixels with `kernel`, an array or a view of any layout.
    ///
    /// # Errors
    /// As [`Conv1d::new`]; further SciPy's `valid` for a kernel longer along one axis and shorter along the other.
    pub fn new<'a>(
        kernel: impl AsArray<'a, T, Ix2>,
        [rows, columns]: [usize; 2],
        geometry: impl Into<Geometry<T, 2>>,
    ) -> Result<Self> {
        Self::from_array(kernel.into(), [rows, columns], geometry.into())
    }
}

impl<T: Scalar> Conv<T, 3> {
    /// The convolution of volumes of this shape with `kernel`, an array or a view of any layout.
    ///
    /// # Errors
    /// As [`Conv2d::new`].
    pub fn new<'a>(
        kernel: impl AsArray<'a, T, Ix3>,
        shape: [usize; 3],
        geometry: impl Into<Geometry<T, 3>>,
    ) -> Result<Self> {
        Self::from_array(kernel.into(), shape, geometry.into())
    }
}

impl<T: Scalar, const D: usize> Conv<T, D> {
    fn from_array<I: Dimension>(
        kernel: ArrayView<T, I>,
        signal: [usize; D],
        geometry: Geometry<T, D>,
    ) -> Result<Self> {
        let shape = kernel.shape().try_into().expect("constructors take D-dimensional arrays");
        let taps = match geometry.vec_order() {
            Order::RowMajor => kernel.iter().copied().collect(),
            Order::ColumnMajor => kernel.t().iter().copied().collect(),
        };
        Self::from_taps(taps, shape, signal, geometry)
    }

    /// From taps in memory order; the shapes are in the caller's order.
    fn from_taps(
        mut taps: Vec<T>,
        kernel: [usize; D],
        signal: [usize; D],
        geometry: Geometry<T, D>,
    ) -> Result<Self> {
        let axes = geometry.axes(kernel, signal)?;
        if geometry.is_correlation() {
            taps.reverse(); // row-major: reversing the vector reverses every axis
        }
        let bank = Bank::new(taps, axes, geometry.beyond(), Channels::dense(1, 1, 1))?;
        Ok(Conv { bank, geometry })
    }

    /// `(rows, cols)` of the matrix: the numbers of outputs and of samples.
    pub fn shape(&self) -> (usize, usize) {
        self.bank.shape()
    }

    /// Samples per axis, in the caller's order of axes.
    pub fn input_shape(&self) -> [usize; D] {
        self.per_axis(|a| a.band().input())
    }

    /// Outputs per axis, in the caller's order of axes.
    pub fn output_shape(&self) -> [usize; D] {
        self.per_axis(|a| a.band().output())
    }

    /// Taps per axis, in the caller's order of axes.
    pub fn kernel_shape(&self) -> [usize; D] {
        self.per_axis(|a| a.band().taps())
    }

    /// The axes in the caller's order: band and extension of each.
    pub fn axes(&self) -> [Axis; D] {
        self.geometry.in_memory_order(*self.bank.axes())
    }

    fn per_axis(&self, f: impl Fn(&Axis) -> usize) -> [usize; D] {
        self.geometry.in_memory_order(self.bank.axes().each_ref().map(f))
    }

    /// The geometry that this convolution was built from.
    pub fn geometry(&self) -> &Geometry<T, D> {
        &self.geometry
    }

    /// The map `h ↦ x ∗ h` from the kernel to the output, for a fixed signal `x`.
    ///
    /// Kernels are vectors of taps in the order of this geometry. For a correlation the map acts on the taps of the
    /// equivalent convolution, that is on the reversed kernel; [`Conv::adjoint_kernel`] takes care of that.
    ///
    /// # Errors
    /// [`Error::Length`](crate::Error::Length) when `x` does not have `shape().1` elements.
    pub fn kernel_operator(&self, x: &[T]) -> Result<KernelOperator<T, D>> {
        KernelOperator::new(&self.bank, x)
    }

    pub(crate) fn bank(&self) -> &Bank<T, D> {
        &self.bank
    }
}
