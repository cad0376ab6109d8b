"""Signals extended beyond their ends: the boundary as an explicit copy.

The operators extend without a copy. Copies serve where no operator reaches: beyond three dimensions and for integers
too large for float64. The extension repeats as often as the kernel needs, as everywhere in this package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._types import Array


def extended_indices(n: int, start: int, stop: int, boundary: str) -> Array:
    """Which of n samples stands at each position start ... stop - 1; -1 where there is none."""
    at = np.arange(start, stop)
    if boundary == "zero":
        return np.where((at >= 0) & (at < n), at, -1)
    if boundary == "periodic":
        return at % n
    if boundary == "replicate":
        return np.clip(at, 0, n - 1)
    if boundary == "symmetric":  # period 2n: a b c | c b a
        at = at % (2 * n)
        return np.where(at < n, at, 2 * n - 1 - at)
    if boundary == "reflect":  # period 2n - 2: a b c | b a
        period = max(2 * n - 2, 1)
        at = at % period
        return np.where(at < n, at, period - at)
    raise ValueError(f"the boundary {boundary!r} is not available for integers beyond 2**53 or beyond three dimensions")


def extend(x: Array, axis: int, start: int, stop: int, boundary: Any) -> Array:
    """``x`` on positions start ... stop - 1 of ``axis``; ``boundary`` is a word or the number beyond the ends."""
    word, beyond = (boundary, 0) if isinstance(boundary, str) else ("zero", boundary)
    indices = extended_indices(x.shape[axis], start, stop, word)
    extended = np.take(x, indices, axis=axis)
    outside = indices < 0
    if outside.any():
        extended[(slice(None),) * (axis % x.ndim) + (outside,)] = beyond
    return extended
