"""Row i of one matrix convolved with row i of another."""

from __future__ import annotations

import numpy as np

from ._apply import convolve as _convolve
from ._checks import as_numeric, computing_dtype
from ._outputs import check_out
from ._types import Array, ArrayLike, BoundaryWord, Convention, Mode, Number
from ._words import windows

__all__ = ["convolve_rows"]


def convolve_rows(
    A: ArrayLike,
    B: ArrayLike,
    mode: Mode = "full",
    *,
    convention: Convention = "matlab",
    boundary: BoundaryWord | Number = "zero",
    correlate: bool = False,
    out: Array | None = None,
) -> Array:
    """``C[i] = A[i] ∗ B[i]`` for every row, in one call and without convolving along the first axis.

    Parameters
    ----------
    A : array_like, shape (..., M, N) or (N,)
        Signals, one per row.
    B : array_like, shape (..., M, P) or (P,)
        Kernels, one per row. A single row on either side serves all rows of the other, and leading axes are broadcast.
    mode : {"full", "same", "valid"}
        Each row of the result has N + P - 1, N or max(N - P + 1, 0) values.
    convention : {"matlab", "scipy", "numpy"}
        Whose "same" and "valid".
    boundary : str or number
        What stands beyond the ends of the rows of ``A``.
    correlate : bool
        Reverse the kernels (no conjugation): ``torch``'s "convolution".
    out : ndarray, shape (..., M, m), optional
        Of the result's dtype, to write into; it is returned. Any strides, and it may overlap ``A`` and ``B``; memory in
        row order that does not is written directly, without a result beside it, unless both operands are integers.

    Returns
    -------
    ndarray, shape (..., M, m)
        float32 or complex64 if both operands are, otherwise float64 or complex128.

    Notes
    -----
    O(M·N·P) by direct summation, less by FFT, which is chosen where it is faster; rows run in parallel.
    ``scipy.signal.convolve(A, B)`` is two-dimensional and computes something else; the SciPy call of the same meaning
    is ``scipy.signal.fftconvolve(A, B, axes=1)``.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.convolve_rows([[1, 2, 3], [4, 5, 6]], [[1, 1], [1, -1]])
    array([[ 1.,  3.,  5.,  3.],
           [ 4.,  1.,  1., -6.]])
    """
    A, B = as_numeric(A, "A"), as_numeric(B, "B")
    for rows, what in ((A, "A"), (B, "B")):
        if rows.ndim == 0 or rows.shape[-1] == 0:
            raise ValueError(f"{what} has shape {rows.shape}, expected rows of at least one value")
    try:
        batch = np.broadcast_shapes(A.shape[:-1], B.shape[:-1])
    except ValueError:
        raise ValueError(
            f"A has shape {A.shape} and B has shape {B.shape}: the numbers of rows must be equal, or one of them 1"
        ) from None
    offset, output = windows(mode, A.shape[-1:], B.shape[-1:], convention)
    dtype = computing_dtype(np.result_type(A, B))
    room = None if out is None else check_out(out, (*batch, *output), dtype)
    B = B[..., ::-1] if correlate else B
    C = _convolve(A, B, offset, output, boundary=boundary, dtype=dtype, names=("A", "B"), out=room)
    return C if out is None else out
