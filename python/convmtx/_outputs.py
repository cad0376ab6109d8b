"""Memory of the caller's for results: what `out` may be, and where the library can write by itself.

Every product that takes `out` checks it by :func:`check_out` before any work. The library writes into contiguous memory
that is apart from what it reads; for any other `out` the result is computed beside it and copied, as NumPy's functions
do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._types import Array, DType, Shape


def check_out(out: Any, shape: Shape, dtype: DType) -> Array:
    """`out` as a plain array over the same memory, if a result of this shape and dtype can be written into it.

    Raises
    ------
    TypeError
        For what is no NumPy array, a masked array, or another dtype; byte order counts.
    ValueError
        For another shape, and for an array that is read-only.
    """
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        what = "masked array" if isinstance(out, np.ma.MaskedArray) else type(out).__name__
        raise TypeError(f"out is a {what}, expected a numpy.ndarray to write into: numpy.empty({shape}, '{dtype}')")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, expected {shape}, that of the result")
    if out.dtype != dtype:
        raise TypeError(
            f"out has dtype {out.dtype}, expected {dtype}, that of the result; nothing is converted on the way: "
            f"numpy.empty({shape}, '{dtype}')"
        )
    if not out.flags.writeable:
        raise ValueError("out is read-only, expected an array that can be written; pass a copy of it")
    return out.view(np.ndarray)


def takes_results(out: Array, read: Array) -> bool:
    """Whether the library can write into `out` while it reads `read`."""
    flags = out.flags
    return flags.forc and flags.aligned and not np.may_share_memory(out, read)


def put(result: Array, out: Array) -> Array:
    """`out`, holding `result`, which is copied unless it was computed there."""
    if not np.may_share_memory(result, out):
        np.copyto(out, result)
    return out
