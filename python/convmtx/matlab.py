"""MATLAB's convolutions: MATLAB's names, argument order and results. Their matrices are in :mod:`convmtx.matrices`.

Full, same and valid are MATLAB's for even kernels too ("same" begins at ``k // 2``), nothing is ever swapped, and
"valid" with a kernel that is longer than the signal is empty. What differs, always on purpose:

* Arrays of one dimension are vectors without orientation; where MATLAB would return a row or a column they are
  returned as they came.
* single with double gives double (MATLAB: single). Integers are computed exactly and returned as float64; a value
  beyond 2**53, which float64 cannot hold, raises ``ValueError``. ``imfilter`` does not cast back and does not
  saturate.
* Empty operands are errors.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _core
from ._apply import convolve as _convolve
from ._checks import as_matrix, as_numeric, as_vector, computing_dtype, is_integral, not_empty, to_float
from ._types import Array, ArrayLike, Mode, Number
from ._words import IMFILTER_BOUNDARIES, MODES, look_up, windows

__all__ = ["conv", "conv2", "convn", "deconv", "filter2", "imfilter"]


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
        Of one dimension, a column or a row, as the operand that decides: ``u`` for "same" and "valid", the longer one
        (``v`` if both are as long) for "full".

    Examples
    --------
    >>> import convmtx
    >>> convmtx.conv([-1, 2, 3, -2, 0, 1, 2], [2, 4, -1, 1], "same")
    array([15.,  5., -9.,  7.,  6.,  7., -1.])
    >>> convmtx.conv([[1], [2]], [1, 10, 100, 1000], "valid").shape
    (0, 1)
    """
    signal, kernel = as_vector(u, "u"), as_vector(v, "v")
    y = _matlab(signal, kernel, look_up("shape", shape, _MODE_WORDS))
    decides = v if shape == "full" and kernel.size >= signal.size else u
    return _oriented(y, decides)


def conv2(A: ArrayLike, B: ArrayLike, *rest: Any, shape: Mode | None = None) -> Array:
    """Convolve two matrices, or a matrix with two vectors: MATLAB's ``conv2(A, B, shape)``, ``conv2(u, v, A, shape)``.

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
        return _matlab(as_matrix(A, "A"), as_matrix(B, "B"), part)
    column, row, image = as_vector(A, "u")[:, None], as_vector(B, "v")[None, :], as_matrix(separable, "A")
    if is_integral(column, row, image):  # in one step, which is exact throughout
        return _matlab(image, _matlab(column, row, "full").astype(np.int64), part)
    return _matlab(_matlab(image, column, part), row, part)


def convn(A: ArrayLike, B: ArrayLike, shape: Mode = "full") -> Array:
    """Convolve two arrays of any number of dimensions: MATLAB's ``convn``.

    The array with fewer dimensions gets axes of length 1 at its end, as in MATLAB: ``convn(rgb, kernel, "same")``
    filters each channel of an (h, w, 3) image with a (k, l) kernel.

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
    return _matlab(as_matrix(X, "X"), np.flip(as_matrix(h, "h")), look_up("shape", shape, _MODE_WORDS))


def imfilter(A: ArrayLike, h: ArrayLike, *options: str | Number) -> Array:
    """Filter an image: MATLAB's ``imfilter``, by default correlation, of the size of the image, with zeros beyond it.

    Parameters
    ----------
    A : array_like
        Image, of any number of dimensions.
    h : array_like
        Kernel; missing dimensions are of length 1, so that a (k, l) kernel filters each channel of an (h, w, 3) image.
    *options
        Any of these, in any order: "corr" or "conv"; "same" or "full"; "symmetric", "replicate", "circular" or a
        number, what stands beyond the edges ("reflect", mirrored without repeating the edge, is ours).

    Returns
    -------
    ndarray
        Of a floating dtype; MATLAB casts to the class of ``A`` and saturates.

    Notes
    -----
    The centre of an even kernel is tap ``(k - 1) // 2`` of "corr". "conv" is "corr" with the kernel rotated by 180
    degrees, hence equal to ``conv2(A, h, "same")``: GNU Octave's reading, and for even kernels not verified on
    MATLAB. "full" extends the image by k - 1 samples on every side and filters that; Octave mixes in zeros there.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.imfilter([[1, 10, 100, 1000]], [[1, 2, 3]], "full", "symmetric")
    array([[  15.,   33.,  321., 3210., 5100., 3300.]])
    """
    A, h = _trailing_axes(as_numeric(A, "A"), as_numeric(h, "h"))
    operation, shape, boundary = _imfilter_options(options)
    return _matlab(A, np.flip(h) if operation == "corr" else h, shape, boundary)


def _imfilter_options(options: Sequence[str | Number]) -> tuple[str, str, Any]:
    """Operation, shape and boundary out of ``imfilter``'s options, each at most once."""
    found: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {
        "operation": {"corr": "corr", "conv": "conv"},
        "shape": {"same": "same", "full": "full"},
        "boundary": IMFILTER_BOUNDARIES,
    }
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
        Quotient and remainder, in the form of ``y`` (one dimension, a row or a column). If ``y`` is shorter than
        ``h``, q = [0] and r = y.

    Notes
    -----
    O((n - k + 1)·k). This is long division, which multiplies errors for kernels with zeros outside the unit circle:
    noisy data want :func:`convmtx.tikhonov`.

    Examples
    --------
    >>> import convmtx
    >>> q, r = convmtx.deconv([5, 14, 23, 12, 3], [1, 2, 3])
    >>> q, r
    (array([5., 4., 0.]), array([0., 0., 0., 0., 3.]))
    """
    dividend, divisor = as_vector(y, "y"), as_vector(h, "h")
    dtype = computing_dtype(np.result_type(dividend, divisor))
    quotient, remainder = _core.deconv(to_float(dividend, dtype, "y"), to_float(divisor, dtype, "h"))
    return _oriented(quotient, y), _oriented(remainder, y)


# What they share ----------------------------------------------------------------------------------------------------

_MODE_WORDS = {word: word for word in MODES}


def _matlab(x: Array, h: Array, shape: str, boundary: Any = "zero") -> Array:
    """The part ``shape`` in MATLAB's convention, in the floating dtype of both."""
    offset, output = windows(shape, x.shape, h.shape)
    return _convolve(x, h, offset, output, boundary=boundary, dtype=computing_dtype(np.result_type(x, h)))


def _oriented(y: Array, like: Any) -> Array:
    """``y`` as a row or a column where ``like`` is one."""
    shape = np.shape(like)
    if len(shape) != 2:
        return y
    return y[:, None] if shape[1] == 1 and shape[0] != 1 else y[None, :]


def _trailing_axes(A: Array, B: Array) -> tuple[Array, Array]:
    """Both arrays with the dimensions of the larger one: MATLAB's arrays end in any number of axes of length 1."""
    not_empty(A, "A")
    not_empty(B, "B")
    if A.ndim != B.ndim and min(A.ndim, B.ndim) < 2:
        raise ValueError(
            f"the arrays have {A.ndim} and {B.ndim} dimensions; vectors must say which way they lie, as rows or columns"
        )
    ndim = max(A.ndim, B.ndim)
    A, B = (array.reshape(array.shape + (1,) * (ndim - array.ndim)) for array in (A, B))
    return A, B
