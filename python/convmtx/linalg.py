"""SciPy's structured matrices: the names of ``scipy.linalg`` for Toeplitz, circulant and convolution matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _core
from ._apply import operator_for
from ._arrays import size
from ._checks import as_numeric, computing_dtype, is_integral, not_empty, to_float
from ._types import Array, ArrayLike, Mode, Shape, SparseFormat
from ._words import mode_word, window

if TYPE_CHECKING:
    from scipy import sparse

#: The first column, or the first column and the first row.
Toeplitz: TypeAlias = ArrayLike | tuple[ArrayLike, ArrayLike]

__all__ = [
    "circulant",
    "convolution_matrix",
    "matmul_toeplitz",
    "solve_circulant",
    "solve_toeplitz",
    "toeplitz",
]


def convolution_matrix(a: ArrayLike, n: int, mode: Mode = "full", *, format: SparseFormat = "csr") -> sparse.sparray:
    """The sparse matrix ``A`` with ``A @ v == numpy.convolve(a, v, mode)``: ``scipy.linalg.convolution_matrix``.

    Parameters
    ----------
    a : array_like, shape (..., k)
        Kernel, or a batch of kernels.
    n : int
        Length of the vectors that are convolved.
    mode : {"full", "same", "valid"}
        NumPy's: n + k - 1, max(n, k) or max - min + 1 rows. :func:`convmtx.conv_mtx_1d` builds MATLAB's.
    format : str
        Of the sparse matrix: "csr", "csc", "coo", ...

    Returns
    -------
    scipy.sparse array, shape (m, n)
        Of the dtype of ``a`` (float32 for float16). Zeros of ``a`` are not stored. O(n·k) time and memory. For a
        batch of kernels, a ``scipy.sparse.coo_array`` of shape (..., m, n), whatever ``format`` says: no other format
        has more than two dimensions.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.convolution_matrix([-1, 4, -2], 5, "same").toarray()
    array([[ 4, -1,  0,  0,  0],
           [-2,  4, -1,  0,  0],
           [ 0, -2,  4, -1,  0],
           [ 0,  0, -2,  4, -1],
           [ 0,  0,  0, -2,  4]])
    """
    n = size(n, "n")
    if n < 1:
        raise ValueError(f"n is {n}, but n must be a positive integer")
    a = np.atleast_1d(as_numeric(a, "a"))
    not_empty(a, "a")
    offset, output = window(mode_word(mode), n, a.shape[-1], "numpy")
    # scipy.sparse knows neither float16 nor the other byte order.
    a = a.astype(np.float32 if a.dtype == np.float16 else a.dtype.newbyteorder("="), copy=False)
    if a.ndim == 1 and a.dtype == computing_dtype(a.dtype):
        return operator_for(a, n, offset=offset, output=output).to_scipy(format=format)
    # Any other dtype, and batches: the pattern of a kernel 1, 2, 3, ... says which tap stands where.
    pattern = operator_for(np.arange(1.0, a.shape[-1] + 1), n, offset=offset, output=output).to_scipy(format="coo")
    taps = pattern.data.astype(np.intp) - 1
    return _matrices_of_pattern(a, pattern.row, pattern.col, taps, pattern.shape, format)


def _matrices_of_pattern(
    a: Array, rows: Array, columns: Array, taps: Array, shape: Shape, format: SparseFormat
) -> sparse.sparray:
    """For each kernel of the batch ``a``, the matrix with ``a[taps]`` at (rows, columns), zeros left out."""
    from scipy.sparse import coo_array

    batch = a.shape[:-1]
    values = a[..., taps].reshape(-1)
    places = [np.repeat(index, len(taps)) for index in np.indices(batch).reshape(len(batch), -1)] if batch else []
    copies = math.prod(batch)
    coordinates = [*places, np.tile(rows, copies), np.tile(columns, copies)]
    stored = values != 0
    matrix = coo_array((values[stored], tuple(index[stored] for index in coordinates)), shape=(*batch, *shape))
    return matrix if batch else matrix.asformat(format)


def toeplitz(c: npt.ArrayLike, r: npt.ArrayLike | None = None) -> Array:
    """The dense matrix with first column ``c``, first row ``r`` and constant diagonals (``scipy.linalg.toeplitz``).

    ``r`` is ``conj(c)`` by default; ``r[0]`` is not used. Leading axes of ``c`` and ``r`` are broadcast.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.toeplitz([1, 2, 3], [1, 4, 5])
    array([[1, 4, 5],
           [2, 1, 4],
           [3, 2, 1]])
    """
    c, r = _column_and_row(c if r is None else (c, r))
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    c, r = (np.broadcast_to(v, batch + v.shape[-1:]) for v in (c, r))
    # Row i is a window of  r[n-1] ... r[1] c[m-1] ... c[0]  read so that it ends in c[i], ..., c[0], r[1], ...
    diagonals = np.concatenate((c[..., ::-1], r[..., 1:]), axis=-1)
    rows, columns = c.shape[-1], r.shape[-1]
    if rows == 0 or columns == 0:
        return np.zeros((*batch, rows, columns), diagonals.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(diagonals, columns, axis=-1)
    return windows[..., ::-1, :].copy()


def _column_and_row(c_or_cr: Any) -> tuple[Array, Array]:
    """First column and first row of the matrix that ``c`` or ``(c, r)`` describes."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    c = np.atleast_1d(c)
    return c, c.conj() if r is None else np.atleast_1d(r)


def circulant(c: npt.ArrayLike) -> Array:
    """The dense circulant matrix with first column ``c`` (``scipy.linalg.circulant``); leading axes are a batch.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.circulant([1, 2, 3])
    array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]])
    """
    c = np.atleast_1d(c)
    return toeplitz(c, np.roll(c[..., ::-1], 1, axis=-1))


def matmul_toeplitz(c_or_cr: Toeplitz, x: ArrayLike, check_finite: bool = False, workers: int | None = None) -> Array:
    """``toeplitz(c, r) @ x`` without the matrix (``scipy.linalg.matmul_toeplitz``).

    A product with a Toeplitz matrix is a window of a convolution, and is computed as one.

    Parameters
    ----------
    c_or_cr : array_like or tuple of two
        First column, or (first column, first row).
    x : array_like, shape (..., n) or (..., n, s)
        One vector or several, one per column.
    check_finite : bool
        Raise ``ValueError`` for NaN and infinities.
    workers : ignored
        The number of threads is that of the package.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.matmul_toeplitz(([1, 2, 3], [1, 4, 5]), [1, 10, 100])
    array([541., 412., 123.])
    """
    c, r = _toeplitz_vectors(c_or_cr, check_finite)
    return _over_batch(_matmul_toeplitz, c, r, _values(x, "x", check_finite))


def solve_toeplitz(c_or_cr: Toeplitz, b: ArrayLike, check_finite: bool = True) -> Array:
    """Solve ``toeplitz(c, r) @ x == b`` by Levinson's recursion in O(n²) (``scipy.linalg.solve_toeplitz``).

    Parameters
    ----------
    c_or_cr : array_like or tuple of two
        First column, or (first column, first row), of the square matrix.
    b : array_like, shape (..., n) or (..., n, s)
        One right-hand side or several, one per column.
    check_finite : bool
        Raise ``ValueError`` for NaN and infinities.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a leading principal minor is singular, where the recursion ends, although the matrix may be regular.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> x = convmtx.solve_toeplitz(([1, 3, 6, 10], [1, -1, -2, -3]), [1, 2, 2, 5])
    >>> np.round(x, 12)
    array([ 1.66666667, -1.        , -2.66666667,  2.33333333])
    """
    c, r = _toeplitz_vectors(c_or_cr, check_finite)
    return _over_batch(_solve_toeplitz, c, r, _values(b, "b", check_finite))


def _toeplitz_vectors(c_or_cr: Toeplitz, check_finite: bool) -> tuple[Array, Array]:
    c, r = _column_and_row(c_or_cr)
    return _values(c, "c", check_finite), _values(r, "r", check_finite)


def _values(value: ArrayLike, what: str, check_finite: bool) -> Array:
    array = as_numeric(value, what)
    if check_finite and not np.isfinite(array).all():
        raise ValueError(f"{what} must not contain infs or NaNs")
    return _exact(array, what)


def _exact(array: Array, what: str) -> Array:
    """Integers as float64, exactly or not at all; anything else as it is."""
    return to_float(array, np.dtype(np.float64), what) if is_integral(array) else array


def _over_batch(core: Callable[[Array, Array, Array], Array], c: Array, r: Array, x: Array) -> Array:
    """``core`` for every matrix of a batch, in float64 or complex128; c and r have one core axis, x one or two."""
    dtype = np.result_type(c, r, x, np.float64)
    c, r, x = (v.astype(dtype, copy=False) for v in (c, r, x))
    core_axes = min(x.ndim, 2)
    if core_axes == 0:
        raise ValueError("the vectors are a single number, expected at least one dimension")
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1], x.shape[: x.ndim - core_axes])
    if r.shape[-1] != x.shape[x.ndim - core_axes]:
        raise ValueError(
            f"Incompatible dimensions: the matrix has {r.shape[-1]} columns,"
            f" the vectors {x.shape[x.ndim - core_axes]} values"
        )
    if not batch:
        return core(c, r, x)
    if math.prod(batch) == 0:
        raise ValueError(f"the batch has shape {batch}, expected at least one matrix")
    c, r = (np.broadcast_to(v, batch + v.shape[-1:]) for v in (c, r))
    x = np.broadcast_to(x, batch + x.shape[x.ndim - core_axes :])
    results = [core(c[at], r[at], x[at]) for at in np.ndindex(*batch)]
    return np.stack(results).reshape(*batch, *results[0].shape)


def _matmul_toeplitz(c: Array, r: Array, x: Array) -> Array:
    if x.size == 0:
        return np.zeros((len(c), *x.shape[1:]), x.dtype)
    # y[i] = Σ_j t[i - j] x[j] with t = r[n-1] ... r[1] c[0] ... c[m-1]: the window of t ∗ x that begins at n - 1.
    return operator_for(np.concatenate((r[:0:-1], c)), len(r), offset=len(r) - 1, output=len(c)) @ x


def _solve_toeplitz(c: Array, r: Array, b: Array) -> Array:
    if len(c) != len(r):
        raise ValueError(f"Incompatible dimensions: the matrix is {len(c)} by {len(r)}, expected a square one")
    if b.size == 0:
        return np.zeros(b.shape, b.dtype)
    try:
        x = _core.solve_toeplitz(c, r, b.reshape(len(c), -1))
    except ValueError as error:  # shapes and dtypes are settled: the recursion met a singular minor
        raise np.linalg.LinAlgError(str(error)) from None
    return x.reshape(b.shape)


def solve_circulant(
    c: ArrayLike,
    b: ArrayLike,
    singular: Literal["raise", "lstsq"] = "raise",
    tol: float | None = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Array:
    """Solve ``circulant(c) @ x == b`` by FFT in O(n log n) (``scipy.linalg.solve_circulant``).

    Parameters
    ----------
    c : array_like
        First columns along ``caxis``.
    b : array_like
        Right-hand sides along ``baxis``; the other axes of ``c`` and ``b`` are broadcast.
    singular : {"raise", "lstsq"}
        What to do if an eigenvalue is at most ``tol``: raise, or return the least-squares solution of smallest norm.
    tol : float, optional
        The largest eigenvalue times n times 2.2e-16 by default.
    caxis, baxis, outaxis : int
        Axes of the vectors in ``c``, ``b`` and the result.

    Raises
    ------
    numpy.linalg.LinAlgError
        For a (nearly) singular matrix with ``singular="raise"``.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> x = convmtx.solve_circulant([2, 2, 4], [1, 2, 3])
    >>> np.round(x, 12)
    array([ 0.75, -0.25,  0.25])
    """
    if singular not in ("raise", "lstsq"):
        raise ValueError(f"singular is {singular!r}, expected one of 'raise', 'lstsq'")
    c, b = (np.atleast_1d(_exact(as_numeric(v, name), name)) for v, name in ((c, "c"), (b, "b")))
    lengths = [_length(array, axis, name) for array, axis, name in ((c, caxis, "caxis"), (b, baxis, "baxis"))]
    if lengths[0] != lengths[1]:
        raise ValueError(f"Shapes of c {c.shape} and b {b.shape} are incompatible")
    if b.size == 0:
        return np.empty(b.shape, solve_circulant(np.ones(1, c.dtype), np.ones(1, b.dtype)).dtype)

    eigenvalues = np.fft.fft(np.moveaxis(c, caxis, -1))
    magnitudes = np.abs(eigenvalues)
    limit: Any = tol
    if tol is None:  # as numpy.linalg.matrix_rank
        limit = magnitudes.max(axis=-1, keepdims=True) * lengths[0] * np.finfo(np.float64).eps
    vanishing = magnitudes <= limit
    if vanishing.any() and singular == "raise":
        raise np.linalg.LinAlgError(
            f"near singular circulant matrix: {np.count_nonzero(vanishing)} of {vanishing.size} eigenvalues are at most"
            " tol; singular='lstsq' gives the least-squares solution"
        )
    spectrum = np.fft.fft(np.moveaxis(b, baxis, -1)) / np.where(vanishing, 1, eigenvalues)
    x: Array = np.fft.ifft(np.where(vanishing, 0, spectrum))
    if not (np.iscomplexobj(c) or np.iscomplexobj(b)):
        x = x.real
    return np.moveaxis(x, -1, outaxis)


def _length(array: Array, axis: int, what: str) -> int:
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"'{what}' entry is out of bounds: {axis} for {array.ndim} dimensions")
    return array.shape[axis]
