"""MATLAB's convolutions and their matrices: MATLAB's names, argument order and results.

Full, same and valid are MATLAB's for even kernels too ("same" begins at ``k // 2``), nothing is ever swapped, and "valid" with a kernel
that is longer than the signal is empty. What differs, always on purpose:

* Arrays of one dimension are vectors without orientation; where MATLAB would return a row or a column they are returned as they came.
* single with double gives double (MATLAB: single). Integers are computed exactly and returned as float64; a value beyond 2**53, which
  float64 cannot hold, raises ``ValueError``. ``imfilter`` does not cast back and does not saturate.
* Empty operands are errors.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from . import _core
from ._apply import convolve as _convolve
from ._apply import operator_for
from ._arrays import size
from ._checks import as_numeric, computing_dtype, is_integral, not_empty, to_float
from ._types import Array, ArrayLike, Mode, Number, Order, SparseFormat
from ._words import IMFILTER_BOUNDARIES, MATLAB_BOUNDARIES, MODES, OPERATIONS, look_up, shape_word, windows

if TYPE_CHECKING:
    from scipy import sparse

    Sparse: TypeAlias = sparse.sparray

ShapeWord: TypeAlias = Mode | Literal[1, 2, 3]

__all__ = [
    "conv",
    "conv2",
    "conv_mtx_1d",
    "conv_mtx_2d",
    "convmtx",
    "convmtx2",
    "convn",
    "deconv",
    "filter2",
    "image_filter_mtx",
    "imfilter",
]


# Matrices -----------------------------------------------------------------------------------------------------------


def convmtx(h: ArrayLike, n: int, *, format: SparseFormat = "csr") -> Sparse:
    """The convolution matrix of MATLAB's ``convmtx``, sparse.

    Parameters
    ----------
    h : array_like
        Kernel of m taps. A vector of one dimension or a column (m, 1): ``A @ x`` is ``conv(h, x)``. A row (1, m): ``x @ A`` is,
        and A is the plain transpose of the column's matrix (not conjugated).
    n : int
        Length of the vectors that are convolved.
    format : str
        Of the sparse matrix: "csr", "csc", "coo", ...

    Returns
    -------
    scipy.sparse array
        (m + n - 1, n), or (n, m + n - 1) for a row. O(n·m) time and memory; zeros of ``h`` are not stored.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.convmtx([1, 2, 3], 2).toarray()
    array([[1., 0.],
           [2., 1.],
           [3., 2.],
           [0., 3.]])
    >>> convmtx.convmtx([[1, 2, 3]], 2).toarray()
    array([[1., 2., 3., 0.],
           [0., 1., 2., 3.]])
    """
    h = as_numeric(h, "h")
    taps, n = _floating(_vector(h, "h"), "h"), size(n, "n", 1)
    if h.ndim == 2 and h.shape[0] == 1 < h.shape[1]:
        # The transpose of "full" is "valid" of the longer vector with the reversed kernel.
        return operator_for(taps[::-1], taps.size + n - 1, "valid").to_scipy(format=format)
    return operator_for(taps, n).to_scipy(format=format)


def conv_mtx_1d(h: ArrayLike, n: int, shape: ShapeWord = "full", *, format: SparseFormat = "csr") -> Sparse:
    """The sparse matrix ``A`` with ``A @ x == conv(x, h, shape)``.

    Parameters
    ----------
    h : array_like
        Kernel, a vector of k taps.
    n : int
        Length of the signal.
    shape : {"full", "same", "valid"} or {1, 2, 3}
        n + k - 1, n or max(n - k + 1, 0) rows.
    format : str
        Of the sparse matrix.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.conv_mtx_1d([1, 2, 3], 4, "valid").toarray()
    array([[3., 2., 1., 0.],
           [0., 3., 2., 1.]])
    """
    taps = _floating(_vector(h, "h"), "h")
    return operator_for(taps, size(n, "n", 1), shape_word(shape)).to_scipy(format=format)


def convmtx2(
    H: ArrayLike, m: int | Sequence[int], n: int | None = None, *, format: SparseFormat = "csr"
) -> Sparse:
    """The matrix of MATLAB's ``convmtx2``: ``T @ X(:)`` is ``conv2(X, H)(:)``, in column-major order.

    Parameters
    ----------
    H : array_like, shape (mh, nh)
        Kernel.
    m, n : int
        Rows and columns of the images; or one pair ``(m, n)``.
    format : str
        Of the sparse matrix.

    Returns
    -------
    scipy.sparse array, shape ((m + mh - 1)·(n + nh - 1), m·n)

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> H, X = np.array([[1.0, 2.0]]), np.arange(6.0).reshape(2, 3)
    >>> T = convmtx.convmtx2(H, 2, 3)
    >>> (T @ X.ravel(order="F")).reshape(2, 4, order="F")
    array([[ 0.,  1.,  4.,  4.],
           [ 3., 10., 13., 10.]])
    """
    image = (m, n) if n is not None else m
    if np.shape(image) != (2,):
        raise ValueError(f"the image size is {image!r}, expected convmtx2(H, m, n) or convmtx2(H, (m, n))")
    rows, cols = cast(Sequence[int], image)
    return conv_mtx_2d(H, rows, cols, format=format)


def conv_mtx_2d(
    H: ArrayLike,
    rows: int,
    cols: int,
    shape: ShapeWord = "full",
    *,
    order: Order = "F",
    format: SparseFormat = "csr",
) -> Sparse:
    """The sparse matrix of ``conv2(X, H, shape)`` for images of ``rows`` by ``cols``.

    Parameters
    ----------
    H : array_like, shape (mh, nh)
        Kernel.
    rows, cols : int
        Size of the images.
    shape : {"full", "same", "valid"} or {1, 2, 3}
        The part that is kept.
    order : {"F", "C"}
        How images become vectors: "F" column by column (MATLAB's ``X(:)``), "C" row by row (NumPy's ``X.ravel()``).
    format : str
        Of the sparse matrix.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.conv_mtx_2d([[1, 2]], 2, 2, "valid", order="C").toarray()
    array([[2., 1., 0., 0.],
           [0., 0., 2., 1.]])
    """
    kernel = _floating(_matrix(H, "H"), "H")
    image = (size(rows, "rows", 1), size(cols, "cols", 1))
    return operator_for(kernel, image, shape_word(shape), order=order).to_scipy(format=format)


def image_filter_mtx(
    H: ArrayLike,
    n_rows: int,
    n_cols: int,
    operation: str | int,
    boundary: str | int,
    *,
    shape: ShapeWord = "same",
    order: Order = "F",
    format: SparseFormat = "csr",
) -> Sparse:
    """The sparse matrix of ``imfilter(X, H, operation, boundary, shape)`` for images of ``n_rows`` by ``n_cols``.

    Parameters
    ----------
    H : array_like, shape (mh, nh)
        Kernel, of any parity.
    n_rows, n_cols : int
        Size of the images.
    operation : {"conv", "corr"} or {1, 2}
        Convolution or correlation ("convolution" and "correlation" serve as well).
    boundary : {"zeros", "symmetric", "replicate", "circular"} or {1, 2, 3, 4}
        What stands beyond the edges.
    shape : {"same", "full"} or {2, 1}
        Size of the result.
    order : {"F", "C"}
        As in :func:`conv_mtx_2d`.
    format : str
        Of the sparse matrix.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.image_filter_mtx([[1], [1], [1]], 3, 1, "corr", "replicate").toarray()
    array([[2., 1., 0.],
           [1., 1., 1.],
           [0., 1., 2.]])
    """
    kernel = _floating(_matrix(H, "H"), "H")
    image = (size(n_rows, "n_rows", 1), size(n_cols, "n_cols", 1))
    part = shape_word(shape)
    if part == "valid":
        raise ValueError("shape is 'valid', where no boundary is met; expected 'same' or 'full'")
    return operator_for(
        kernel,
        image,
        part,
        boundary=look_up("boundary", boundary, MATLAB_BOUNDARIES),
        correlate=look_up("operation", operation, OPERATIONS) == "corr",
        order=order,
    ).to_scipy(format=format)


# Products -----------------------------------------------------------------------------------------------------------


def conv(u: ArrayLike, v: ArrayLike, shape: Mode = "full") -> Array:
    """Convolve two vectors, or multiply two polynomials: MATLAB's ``conv``.

    Parameters
    ----------
    u, v : array_like
        Vectors: of one dimension, (n, 1) or (1, n). ``u`` is the signal and ``v`` the kernel of "same" and "valid".
    shape : {"full", "same", "valid"}
        n + k - 1 values, n values from ``k // 2`` on, or max(n - k + 1, 0) values.

    Returns
    -------
    ndarray
        Of one dimension, a column or a row, as the operand that decides: ``u`` for "same" and "valid", the longer one (``v``
        if both are as long) for "full".

    Examples
    --------
    >>> import convmtx
    >>> convmtx.conv([-1, 2, 3, -2, 0, 1, 2], [2, 4, -1, 1], "same")
    array([15.,  5., -9.,  7.,  6.,  7., -1.])
    >>> convmtx.conv([[1], [2]], [1, 10, 100, 1000], "valid").shape
    (0, 1)
    """
    signal, kernel = _vector(u, "u"), _vector(v, "v")
    y = _matlab(signal, kernel, look_up("shape", shape, _MODE_WORDS))
    decides = v if shape == "full" and kernel.size >= signal.size else u
    return _oriented(y, decides)


def conv2(A: ArrayLike, B: ArrayLike, *rest: Any, shape: Mode | None = None) -> Array:
    """Convolve two matrices, or a matrix with two vectors: MATLAB's ``conv2(A, B, shape)`` and ``conv2(u, v, A, shape)``.

    Parameters
    ----------
    A, B : array_like
        The image and the kernel; or ``u``, for the columns, and ``v``, for the rows, in the form with three arrays.
    *rest
        The image of the form with three arrays, and the shape word.
    shape : {"full", "same", "valid"}
        By keyword or as the last argument, "full" by default.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.conv2([[1, 2], [3, 4]], [[1, 1]], "same")
    array([[3., 2.],
           [7., 4.]])
    >>> convmtx.conv2([1, 1], [1, -1], [[1, 2], [3, 4]])
    array([[ 1.,  1., -2.],
           [ 4.,  2., -6.],
           [ 3.,  1., -4.]])
    """
    arguments = list(rest)
    separable = arguments.pop(0) if arguments and not isinstance(arguments[0], str) else None
    if arguments and shape is None:
        shape = arguments.pop(0)
    if arguments:
        raise TypeError(f"conv2 takes (A, B, shape) or (u, v, A, shape), but got {len(arguments)} arguments more")
    part = look_up("shape", "full" if shape is None else shape, _MODE_WORDS)
    if separable is None:
        return _matlab(_matrix(A, "A"), _matrix(B, "B"), part)
    column, row, image = _vector(A, "u")[:, None], _vector(B, "v")[None, :], _matrix(separable, "A")
    if is_integral(column, row, image):  # in one step, which is exact throughout
        return _matlab(image, _matlab(column, row, "full").astype(np.int64), part)
    return _matlab(_matlab(image, column, part), row, part)


def convn(A: ArrayLike, B: ArrayLike, shape: Mode = "full") -> Array:
    """Convolve two arrays of any number of dimensions: MATLAB's ``convn``.

    The array with fewer dimensions gets axes of length 1 at its end, as in MATLAB: ``convn(rgb, kernel, "same")`` filters each channel of
    an (h, w, 3) image with a (k, l) kernel.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.convn(np.ones((2, 2, 2)), np.ones((2, 2, 2)), "valid")
    array([[[8.]]])
    """
    A, B = as_numeric(A, "A"), as_numeric(B, "B")
    return _matlab(*_trailing_axes(A, B), look_up("shape", shape, _MODE_WORDS))


def filter2(h: ArrayLike, X: ArrayLike, shape: Mode = "same") -> Array:
    """Filter a matrix: MATLAB's ``filter2(h, X, shape)``, which is ``conv2(X, rot90(h, 2), shape)``, "same" by default.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.filter2([[1, 10]], [[1, 2, 3]])
    array([[21., 32.,  3.]])
    """
    return _matlab(_matrix(X, "X"), np.flip(_matrix(h, "h")), look_up("shape", shape, _MODE_WORDS))


def imfilter(A: ArrayLike, h: ArrayLike, *options: str | Number) -> Array:
    """Filter an image: MATLAB's ``imfilter``. Correlation, the size of the image and zeros beyond its edges are the defaults.

    Parameters
    ----------
    A : array_like
        Image, of any number of dimensions.
    h : array_like
        Kernel; missing dimensions are of length 1, so that a (k, l) kernel filters each channel of an (h, w, 3) image.
    *options
        Any of these, in any order: "corr" or "conv"; "same" or "full"; "symmetric", "replicate", "circular" or a number, what
        stands beyond the edges ("reflect", mirrored without repeating the edge, is ours).

    Returns
    -------
    ndarray
        Of a floating dtype; MATLAB casts to the class of ``A`` and saturates.

    Notes
    -----
    The centre of an even kernel is tap ``(k - 1) // 2`` of "corr". "conv" is "corr" with the kernel rotated by 180 degrees, hence equal to
    ``conv2(A, h, "same")``: GNU Octave's reading, and for even kernels not verified on MATLAB. "full" extends the
    image by k - 1 samples on every side and filters that; Octave mixes in zeros there.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.imfilter([[1, 10, 100, 1000]], [[1, 2, 3]], "full", "symmetric")
    array([[  15.,   33.,  321., 3210., 5100., 3300.]])
    """
    A, h = _trailing_axes(as_numeric(A, "A"), as_numeric(h, "h"))
    operation, shape, boundary = _imfilter_options(options)
    if is_integral(A, h) and not (isinstance(boundary, str) or float(boundary).is_integer()):
        A = _floating(A, "A")  # the number beyond the edges is no integer, so that the result is none
    return _matlab(A, np.flip(h) if operation == "corr" else h, shape, boundary)


def _imfilter_options(options: Sequence[str | Number]) -> tuple[str, str, Any]:
    """Operation, shape and boundary out of ``imfilter``'s options, each at most once."""
    found: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {"operation": {"corr": "corr", "conv": "conv"}, "shape": {"same": "same", "full": "full"}, "boundary": IMFILTER_BOUNDARIES}
    for option in options:
        if isinstance(option, numbers.Number) and not isinstance(option, bool):
            kind, value = "boundary", option if option != 0 else "zero"
        else:
            known = {word: (kind, value) for kind, table in tables.items() for word, value in table.items()}
            kind, value = look_up("option", option, known)
        if kind in found:
            raise ValueError(f"imfilter got two options for its {kind}: {options}")
        found[kind] = value
    return found.get("operation", "corr"), found.get("shape", "same"), found.get("boundary", "zero")


def deconv(y: ArrayLike, h: ArrayLike) -> tuple[Array, Array]:
    """Divide polynomials: MATLAB's ``[q, r] = deconv(y, h)`` with ``y == conv(h, q) + r``.

    Parameters
    ----------
    y, h : array_like
        Vectors of coefficients, highest power first; ``h[0]`` must not be zero.

    Returns
    -------
    q, r : ndarray
        Quotient and remainder, in the form of ``y`` (one dimension, a row or a column). If ``y`` is shorter than ``h``, q = [0] and r = y.

    Notes
    -----
    O((n - k + 1)·k). This is long division, which multiplies errors for kernels with zeros outside the unit circle: noisy data want
    :func:`convmtx.tikhonov`.

    Examples
    --------
    >>> import convmtx
    >>> q, r = convmtx.deconv([5, 14, 23, 12, 3], [1, 2, 3])
    >>> q, r
    (array([5., 4., 0.]), array([0., 0., 0., 0., 3.]))
    """
    dividend, divisor = _vector(y, "y"), _vector(h, "h")
    dtype = computing_dtype(np.result_type(dividend, divisor))
    quotient, remainder = _core.deconv(to_float(dividend, dtype, "y"), to_float(divisor, dtype, "h"))
    return _oriented(quotient, y), _oriented(remainder, y)


# What they share ----------------------------------------------------------------------------------------------------

_MODE_WORDS = {word: word for word in MODES}


def _matlab(x: Array, h: Array, shape: str, boundary: Any = "zero") -> Array:
    """The part ``shape`` in MATLAB's convention, in the floating dtype of both."""
    offset, output = windows(shape, x.shape, h.shape)
    return _convolve(x, h, offset, output, boundary=boundary, dtype=computing_dtype(np.result_type(x, h)))


def _floating(array: Array, what: str) -> Array:
    return to_float(array, computing_dtype(array.dtype), what)


def _vector(value: ArrayLike, what: str) -> Array:
    """A scalar, a vector, a row or a column as an array of one dimension."""
    array = as_numeric(value, what)
    not_empty(array, what)
    if array.ndim > 2 or (array.ndim == 2 and 1 not in array.shape):
        raise ValueError(f"{what} has shape {array.shape}, expected a vector: (n,), (n, 1) or (1, n)")
    return array.reshape(-1)


def _matrix(value: ArrayLike, what: str) -> Array:
    array = as_numeric(value, what)
    if array.ndim != 2:
        raise ValueError(f"{what} has {array.ndim} dimensions (shape {array.shape}), expected 2: a row is x[None, :]")
    not_empty(array, what)
    return array


def _oriented(y: Array, like: Any) -> Array:
    """``y`` as a row or a column where ``like`` is one."""
    shape = np.shape(like)
    if len(shape) != 2:
        return y
    return y[:, None] if shape[1] == 1 and shape[0] != 1 else y[None, :]


def _trailing_axes(A: Array, B: Array) -> tuple[Array, Array]:
    """Both arrays with the dimensions of the larger one; MATLAB's arrays end in as many axes of length 1 as one wishes."""
    not_empty(A, "A")
    not_empty(B, "B")
    if A.ndim != B.ndim and min(A.ndim, B.ndim) < 2:
        raise ValueError(f"the arrays have {A.ndim} and {B.ndim} dimensions; vectors must say which way they lie, as rows or columns")
    ndim = max(A.ndim, B.ndim)
    A, B = (array.reshape(array.shape + (1,) * (ndim - array.ndim)) for array in (A, B))
    return A, B
