//! The builders under their MATLAB names, with MATLAB's meaning and orientation.

use crate::band::ConvMode;
use crate::conv::{Conv1d, Conv2d, Geometry, Order};
use crate::error::Result;
use crate::scalar::Scalar;
use ndarray::{AsArray, Ix2};
use sprs::CsMatI;

/// MATLAB's `convmtx(h, n)` for a column `h` of m taps: the (m + n − 1) × n matrix A with `A x = conv(h, x)`.
///
/// Sparse where MATLAB's is dense. Source: MathWorks, Signal Processing Toolbox, `convmtx`.
///
/// # Errors
/// Empty `h`, `n = 0`; as [`Conv1d::to_csr`].
///
/// # Examples
/// ```
/// let a = convmtx::convmtx(&[1.0, 2.0, 3.0], 2)?;
/// assert_eq!(a.to_dense(), ndarray::array![[1.0, 0.0], [2.0, 1.0], [3.0, 2.0], [0.0, 3.0]]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn convmtx<T: Scalar>(h: &[T], n: usize) -> Result<CsMatI<T, i32>> {
    Conv1d::new(h, n, ConvMode::Full)?.to_csr()
}

/// MATLAB's `convmtx(h, n)` for a row `h` of m taps: the n × (m + n − 1) matrix A with `x A = conv(h, x)` for a row x.
///
/// The plain transpose of [`convmtx`]: complex taps are not conjugated.
///
/// # Errors
/// As [`convmtx`].
pub fn convmtx_row<T: Scalar>(h: &[T], n: usize) -> Result<CsMatI<T, i32>> {
    Conv1d::new(h, n, ConvMode::Full)?.to_csr_transpose()
}

/// MATLAB's `convmtx2(H, m, n)`: the matrix T with `reshape(T*X(:), size(H)+[m n]-1) = conv2(X, H)` for images X of
/// `m × n` pixels.
///
/// Images are vectors in column-major order, MATLAB's `X(:)`: pixel (r, c) of X is column `r + c·m`. For row-major
/// vectors build a [`Conv2d`] and call its `to_csr`. Source: MathWorks, Image Processing Toolbox, `convmtx2`.
///
/// # Errors
/// Empty `H`, `m = 0` or `n = 0`; as [`Conv2d::to_csr`](crate::Conv::to_csr).
///
/// # Examples
/// ```
/// let t = convmtx::convmtx2(&ndarray::array![[1.0, 2.0], [3.0, 4.0]], 1, 1)?;
/// assert_eq!(t.to_dense(), ndarray::array![[1.0], [3.0], [2.0], [4.0]]);
/// # Ok::<(), convmtx::Error>(())
/// ```
pub fn convmtx2<'a, T: Scalar>(h: impl AsArray<'a, T, Ix2>, m: usize, n: usize) -> Result<CsMatI<T, i32>> {
    Conv2d::new(h, [m, n], Geometry::full().order(Order::ColumnMajor))?.to_csr()
}
