"""What the functions people know ask of their arguments, beyond what operators ask: integers stay integers here."""

from __future__ import annotations

import numpy as np

from ._arrays import ELEMENTS, as_array, exact_floats
from ._types import Array, ArrayLike, DType


def as_numeric(value: ArrayLike, what: str) -> Array:
    """Anything array-like as an array of booleans, integers, floats or complex numbers, in the dtype it has.

    Raises ``TypeError`` for object arrays, text and dates, and for ``longdouble``, which would have to be narrowed.
    """
    array = as_array(value, what)
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"{what} has dtype {array.dtype}, expected bool, integers, floats or complex numbers; "
            "convert it first, for example with numpy.asarray(x, dtype=numpy.float64)"
        )
    if is_extended(array.dtype):
        raise TypeError(
            f"{what} has dtype {array.dtype}, which would have to be narrowed; "
            "convert it to float64 or complex128 yourself if that is precise enough"
        )
    return array


def is_extended(dtype: DType) -> bool:
    """Whether ``dtype`` is wider than float64 or complex128."""
    return dtype.kind in "fc" and np.finfo(dtype).eps < np.finfo(np.float64).eps


def is_integral(*arrays: Array) -> bool:
    """Whether all arrays hold booleans or integers."""
    return all(array.dtype.kind in "biu" for array in arrays)


def computing_dtype(dtype: DType) -> DType:
    """Which of the four element types computes values of ``dtype``: float32 for float16, float64 for integers."""
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype in ELEMENTS:
        return dtype
    return np.dtype(np.float32 if dtype.kind == "f" else np.float64)


def to_float(array: Array, dtype: DType, what: str) -> Array:
    """``array`` in one of the four element types; integers beyond 2**53 raise ``ValueError``."""
    if is_integral(array):
        array = exact_floats(array, what)
    return array.astype(dtype, copy=False)


def not_empty(array: Array, what: str) -> None:
    """Raise ``ValueError`` for an array without elements."""
    if array.size == 0:
        raise ValueError(f"{what} is empty (shape {array.shape}), but len({what}) must be at least 1")


def same_ndim(in1: Array, in2: Array) -> None:
    """Raise ``ValueError`` unless both arrays have the same number of dimensions."""
    if in1.ndim != in2.ndim:
        raise ValueError(
            f"in1 and in2 should have the same dimensionality, but have {in1.ndim} and {in2.ndim} dimensions"
        )


def as_vector(value: ArrayLike, what: str) -> Array:
    """A scalar, a vector, a row or a column as an array of one dimension."""
    array = as_numeric(value, what)
    not_empty(array, what)
    if array.ndim > 2 or (array.ndim == 2 and 1 not in array.shape):
        raise ValueError(f"{what} has shape {array.shape}, expected a vector: (n,), (n, 1) or (1, n)")
    return array.reshape(-1)


def as_matrix(value: ArrayLike, what: str) -> Array:
    """An array of two dimensions that is not empty."""
    array = as_numeric(value, what)
    if array.ndim != 2:
        raise ValueError(f"{what} has {array.ndim} dimensions (shape {array.shape}), expected 2: a row is x[None, :]")
    not_empty(array, what)
    return array
