"""The matrices of convolutions by MATLAB's names and those of its users: sparse, and built in O(nnz).

Full, same and valid are MATLAB's, for even kernels too. Images become vectors column by column (``X(:)``) unless
``order="C"`` is asked for. Zero taps are not stored. Integers become float64; float32 and complex kernels keep their
type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

from ._apply import operator_for
from ._arrays import as_elements, size
from ._checks import as_matrix, as_numeric, as_vector
from ._types import ArrayLike, Mode, Order, SparseFormat
from ._words import MATLAB_BOUNDARIES, OPERATIONS, look_up, shape_word

if TYPE_CHECKING:
    from scipy import sparse

    Sparse: TypeAlias = sparse.sparray

ShapeWord: TypeAlias = Mode | Literal[1, 2, 3]

__all__ = ["conv_mtx_1d", "conv_mtx_2d", "convmtx", "convmtx2", "image_filter_mtx"]


def convmtx(h: ArrayLike, n: int, *, format: SparseFormat = "csr") -> Sparse:
    """The convolution matrix of MATLAB's ``convmtx``, sparse.

    Parameters
    ----------
    h : array_like
        Kernel of m taps. A vector of one dimension or a column (m, 1): ``A @ x`` is ``conv(h, x)``. A row (1, m): ``x
        @ A`` is, and A is the plain transpose of the column's matrix (not conjugated).
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
    taps, n = as_elements(as_vector(h, "h"), "h"), size(n, "n", 1)
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
    taps = as_elements(as_vector(h, "h"), "h")
    return operator_for(taps, size(n, "n", 1), shape_word(shape)).to_scipy(format=format)


def convmtx2(H: ArrayLike, m: int | Sequence[int], n: int | None = None, *, format: SparseFormat = "csr") -> Sparse:
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
    kernel = as_elements(as_matrix(H, "H"), "H")
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
    kernel = as_elements(as_matrix(H, "H"), "H")
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
