//! Row i of a matrix of signals with row i of a matrix of kernels.

use super::bank::{Bank, Channels};
use super::geometry::Geometry;
use super::kernel_operator::KernelOperator;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::ArrayView2;

/// `Y[r] = conv(X[r], K[r])` for every row r; never across rows.
///
/// Signals and results are matrices with one signal per **row**, as row-major vectors. With one kernel row the kernel
/// is shared, with one signal row the signal is: then `x` has n elements and the result one row per kernel. The
/// matrix is block-diagonal (a stack of blocks for a shared signal), nothing of size rows² is computed.
///
/// # Examples
/// ```
/// use convmtx::{ConvMode, RowwiseConv};
/// let kernels = ndarray::array![[1.0, -1.0], [0.5, 0.5]];
/// let rows = RowwiseConv::new(kernels.view(), (2, 3), ConvMode::Full)?;
/// assert_eq!(rows.apply(&[1.0, 2.0, 4.0, 1.0, 2.0, 4.0])?, [1.0, 1.0, 2.0, -4.0, 0.5, 1.5, 3.0, 2.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RowwiseConv<T> {
    bank: Bank<T, 1>,
    rows: usize,
    /// Whether the taps are stored in reverse, because the caller asked for correlation.
    reversed: bool,
}

impl<T: Scalar> RowwiseConv<T> {
    /// Kernels (one per row) for `signals = (rows, n)`; either may have a single row, which then serves all.
    ///
    /// # Errors
    /// [`Error::Value`] when the row counts differ and neither is one; empty kernels or signals; as
    /// [`Conv1d::new`](crate::Conv1d::new).
    pub fn new(
        kernels: ArrayView2<T>,
        signals: (usize, usize),
        geometry: impl Into<Geometry<T, 1>>,
    ) -> Result<Self> {
        let geometry = geometry.into();
        let (count, taps) = kernels.dim();
        let (rows, n) = signals;
        let channels = match (count, rows) {
            (k, s) if k == s => Channels { groups: s, ..Channels::dense(1, 1, 1) },
            (1, s) => Channels::shared_kernel(s),
            (k, 1) => Channels::dense(1, 1, k),
            (k, s) => {
                let expected = format!("{s}, one per signal, or 1 to share");
                return Err(Error::value("the number of kernel rows", expected, k));
            }
        };
        let axes = geometry.axes([taps], [n])?;
        let mut data: Vec<T> = kernels.iter().copied().collect();
        let reversed = geometry.is_correlation();
        if reversed {
            data.chunks_mut(taps).for_each(<[T]>::reverse);
        }
        Ok(RowwiseConv {
            bank: Bank::new(data, axes, geometry.beyond(), channels)?,
            rows: if rows == 1 { count } else { rows },
            reversed,
        })
    }

    /// `(rows, cols)` of the matrix.
    pub fn shape(&self) -> (usize, usize) {
        self.bank.shape()
    }

    /// `(rows, m)` of the result.
    pub fn output_shape(&self) -> (usize, usize) {
        (self.rows, self.bank.axes()[0].band().output())
    }

    /// The map from all kernels (row-major) to the result, for fixed signals `x`; kernels as taps of convolutions, see
    /// [`Conv::kernel_operator`](super::Conv::kernel_operator).
    ///
    /// # Errors
    /// [`Error::Length`] when `x` does not have `shape().1` elements.
    pub fn kernel_operator(&self, x: &[T]) -> Result<KernelOperator<T, 1>> {
        KernelOperator::new(&self.bank, x)
    }

    /// Whether kernels were given as correlation kernels, and are stored reversed.
    pub(crate) fn is_correlation(&self) -> bool {
        self.reversed
    }

    pub(crate) fn bank(&self) -> &Bank<T, 1> {
        &self.bank
    }
}
