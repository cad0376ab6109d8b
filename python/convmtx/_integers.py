"""Convolution of integers without wrapping and without rounding.

Three steps, so that the answer is exact whatever the integers:

1. While no sum can exceed 2**53 the floating operators are exact, and they do the work.
2. Beyond, both operands are written in digits of b bits, ``x = Σ x_i 2**(b i)`` (all digits in 0 ... 2**b - 1 but the
   last, which carries the sign), b so small that a sum of products of two digits stays below 2**53. Every pair of
   digits is convolved in float64, exactly, and the results are added up with carries: the exact value, digit by
   digit.
3. The exact values are compared with what the wanted dtype holds. If all fit they are returned, otherwise an error says
   how many do not, and that float64 operands would give the rounded result.

``bool`` is NumPy's: a sum of booleans is their logical or, so that a result of two boolean arrays always fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ._arrays import EXACT
from ._types import Array, DType, DTypeLike, Engine

#: Convolves two float64 arrays: signal, kernel, offset, output, boundary, engine.
Floating: TypeAlias = Callable[[Array, Array, Sequence[int], Sequence[int], Any, Engine], Array]


def convolve(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    *,
    boundary: Any,
    engine: Engine,
    dtype: DType,
    floating: Floating,
) -> Array:
    """The exact convolution of two integer arrays as ``dtype``; ``floating`` convolves two float64 arrays."""
    beyond = 0 if isinstance(boundary, str) else int(boundary)
    largest = (max(magnitude(x), abs(beyond)), magnitude(h))
    terms = min(math.prod(x.shape[x.ndim - len(offset) :]), math.prod(h.shape[h.ndim - len(offset) :]))
    if beyond or boundary not in ("zero", 0):
        terms = math.prod(h.shape[h.ndim - len(offset) :])
    if largest[0] * largest[1] * terms <= EXACT:
        values = _in_floats(x, h, offset, output, boundary, largest, engine, floating)
        return narrow(values, dtype)
    return _narrow_digits(*_in_digits(x, h, offset, output, boundary, largest, terms, floating), dtype)


def magnitude(array: Array) -> int:
    """The largest absolute value, as a Python int (that of the smallest int64 is no int64)."""
    return max(int(array.max()), -int(array.min())) if array.size else 0


def _in_floats(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    boundary: Any,
    largest: tuple[int, int],
    engine: Engine,
    floating: Floating,
) -> Array:
    """Sums below 2**53: exact if summed directly, and by FFT after rounding while its error is below 1/2."""
    x, h = x.astype(np.float64), h.astype(np.float64)
    boundary = boundary if isinstance(boundary, str) else float(boundary)
    if engine != "direct" and _fft_error(x, h, largest) > 0.25:
        engine = "direct"
    y = floating(x, h, offset, output, boundary, engine)
    return y if engine == "direct" else np.rint(y, out=y)


def _fft_error(x: Array, h: Array, largest: tuple[int, int]) -> float:
    """A bound for the error of transforms, 4 ε log₂N ‖h‖₁ ‖x‖₂, with the norms that the largest values allow."""
    points = 2 * (x.size + h.size)
    norms = h.size * largest[1] * math.sqrt(x.size) * largest[0]
    return 4 * float(np.finfo(np.float64).eps) * math.log2(points) * norms


# Digits -------------------------------------------------------------------------------------------------------------


def _split(array: Array, bits: int, count: int) -> list[Array]:
    """``count`` digits of ``bits`` bits, lowest first; the last one is what remains and carries the sign."""
    mask = array.dtype.type((1 << bits) - 1)
    digits = [((array >> (bits * i)) & mask) for i in range(count - 1)]
    return [digit.astype(np.float64) for digit in [*digits, array >> (bits * (count - 1))]]


def _widened(array: Array) -> Array:
    """Small integers as int64, so that digits of any width can be cut from them."""
    return array if array.dtype == np.uint64 else array.astype(np.int64)


def _in_digits(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    boundary: Any,
    largest: tuple[int, int],
    terms: int,
    floating: Floating,
) -> tuple[list[Array], Array, int]:
    """The exact values as digits: a list of int64 arrays in 0 ... 2**bits - 1, the carry above them, and bits."""
    # |digit| ≤ 2**bits, so that a sum of `terms` products of two digits is at most 2**52.
    bits = (52 - math.ceil(math.log2(max(terms, 2)))) // 2
    counts = [max(math.ceil(max(m.bit_length(), 1) / bits), 1) for m in largest]
    parts_x, parts_h = _split(_widened(x), bits, counts[0]), _split(_widened(h), bits, counts[1])
    # A number beyond the ends is cut into digits like the signal; a word serves every digit.
    beyond: list[Any] = [boundary] * counts[0]
    if not isinstance(boundary, str):
        beyond = [float(part.item()) for part in _split(np.array(int(boundary)), bits, counts[0])]

    sums: list[Any] = [0] * (counts[0] + counts[1] - 1)
    for i, part_x in enumerate(parts_x):
        for j, part_h in enumerate(parts_h):
            products = floating(part_x, part_h, offset, output, beyond[i], "direct")
            sums[i + j] = sums[i + j] + products.astype(np.int64)

    digits: list[Array] = []
    carry: Any = 0
    for total in sums:
        total = total + carry
        digits.append(total & ((1 << bits) - 1))
        carry = total >> bits
    return digits, carry, bits


def _narrow_digits(digits: list[Array], carry: Array, bits: int, dtype: DType) -> Array:
    """The values that ``digits`` spell as ``dtype``."""
    low = np.zeros_like(carry, dtype=np.uint64)
    for i, digit in enumerate([*digits, carry]):
        if bits * i < 64:
            low += digit.astype(np.uint64) << np.uint64(bits * i)
    if dtype.kind == "b":
        return np.any([digit != 0 for digit in [*digits, carry]], axis=0)
    values = low if dtype == np.uint64 else low.view(np.int64)
    # They fit 64 bits if the digits of what was put together are the digits again, and the sign above them.
    fits = np.ones(values.shape, bool)
    for i, digit in enumerate(digits):
        fits &= digit == (_shifted(values, bits * i) & ((1 << bits) - 1)).astype(np.int64)
    fits &= carry == _shifted(values, bits * len(digits)).astype(np.int64)
    if not fits.all():
        raise _does_not_fit(fits, "", dtype)
    return narrow(values, dtype)


def _shifted(values: Array, places: int) -> Array:
    """``values >> places``, also for 64 places and more, where only the sign remains."""
    if places < 64:
        return values >> values.dtype.type(places)
    return np.zeros_like(values) if values.dtype == np.uint64 else values >> np.int64(63)


# Into the wanted dtype ----------------------------------------------------------------------------------------------


def narrow(values: Array, dtype: DTypeLike) -> Array:
    """Integers (in float64, int64 or uint64) as ``dtype``; ``ValueError`` if one does not fit."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return values != 0
    if dtype.kind in "iu":
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    else:
        high = 2 ** (np.finfo(dtype).nmant + 1)
        low = -high
    if values.size and not (low <= int(values.min()) and int(values.max()) <= high):
        fits = np.array([low <= int(value) <= high for value in values.ravel()])
        raise _does_not_fit(fits, f", the smallest is {int(values.min())}, the largest {int(values.max())}", dtype)
    return values.astype(dtype)


def _does_not_fit(fits: Array, range_found: str, dtype: DType) -> ValueError:
    return ValueError(
        f"{np.count_nonzero(~fits)} of {fits.size} values of the convolution do not fit {dtype}{range_found}; "
        "values are never wrapped or rounded: pass float64 arrays, for example in1.astype(numpy.float64)"
    )
