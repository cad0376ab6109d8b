"""What users pass becomes arrays of one of the four element types, never silently narrowed.

Arrays, lists, numbers, anything with ``__array_interface__``, ``__array__`` or ``__dlpack__`` (torch CPU tensors, JAX
arrays) come in without a copy where their memory allows. float32, float64, complex64 and complex128 stay what they are;
float16 widens to float32; integers and bool become float64, and one beyond 2**53, which float64 cannot hold, is an
error.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

import numpy as np

from ._types import Array, ArrayLike, DType, DTypeLike, Shape

ELEMENTS = tuple(np.dtype(t) for t in (np.float32, np.float64, np.complex64, np.complex128))

#: The largest integer below which float64 holds every integer.
EXACT = 2**53


def as_array(value: ArrayLike, name: str = "x") -> Array:
    """Anything array-like as an array of whatever dtype it has.

    Raises
    ------
    TypeError
        For masked and object arrays, and for device tensors, which would have to be copied.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, expected plain numbers; fill it first, e.g. {name}.filled(0)")
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array_interface__"):
        try:
            return np.from_dlpack(value)  # type: ignore[arg-type]
        except (BufferError, RuntimeError, TypeError, AttributeError) as error:
            raise TypeError(
                f"{name} of type {type(value).__name__} cannot be read as an array: {error}; expected one in the CPU's "
                "memory, detached from any gradient, of a dtype that NumPy has"
            ) from error
    if hasattr(value, "__cuda_array_interface__") and not hasattr(value, "__array__"):
        raise TypeError(f"{name} of type {type(value).__name__} is on a GPU, expected an array in the CPU's memory")
    return np.asarray(value)


def as_elements(value: ArrayLike, name: str = "x") -> Array:
    """Anything array-like as an array of one of the four element types.

    Raises
    ------
    ValueError
        For an integer beyond 2**53.
    TypeError
        For object arrays, text, dates, and types wider than float64.
    """
    array = as_array(value, name)
    dtype = array.dtype
    if dtype in ELEMENTS and dtype.isnative:
        return array if has_whole_steps(array) else array.copy()
    if dtype.kind in "biu" or (dtype.kind == "O" and array.size and all(type(v) is int for v in array.flat)):
        return exact_floats(array, name)
    native = dtype.newbyteorder("=")
    if native in ELEMENTS:
        return array.astype(native)
    if dtype.kind == "f" and dtype.itemsize == 2:
        return array.astype(np.float32)
    raise TypeError(
        f"{name} has dtype {dtype}, expected float32, float64, complex64, complex128, integers or bool; "
        "convert it with astype(numpy.float64) if that is what you mean"
    )


def has_whole_steps(array: Array) -> bool:
    """Whether the library can count through it: aligned, its elements apart by multiples of their size.

    A complex field of a record array is aligned with half of it, and not always at such a distance.
    """
    flags = array.flags
    return flags.aligned and (flags.forc or not any(stride % array.itemsize for stride in array.strides))


def exact_floats(array: Array, name: str = "x") -> Array:
    """Integers as float64, exactly or not at all."""
    if array.dtype.itemsize == 8 and array.size:
        low, high = int(array.min()), int(array.max())
        if max(-low, high) > EXACT:
            worst = low if -low > high else high
            raise ValueError(
                f"{name} holds the integer {worst}, expected at most 2**53 in magnitude, beyond which float64 is not "
                "exact; convert it with astype(numpy.float64) if rounding is acceptable"
            )
    return array.astype(np.float64)


def in_dtype(array: Array, dtype: DTypeLike) -> Array:
    """The array in a dtype that NumPy's promotion led to; the same array where nothing changes."""
    return array.astype(dtype, copy=False)


def element_dtype(dtype: DTypeLike, name: str = "dtype") -> DType:
    """One of the four element types, from anything that NumPy takes for a dtype."""
    found = np.dtype(dtype)
    if found not in ELEMENTS:
        raise TypeError(f"{name} is {found}, expected float32, float64, complex64 or complex128")
    return found


def real_elements(value: ArrayLike, name: str = "x") -> Array:
    """Anything array-like as an array of float32 or float64.

    Raises
    ------
    TypeError
        For complex arrays, and as :func:`as_elements`.
    """
    array = as_elements(value, name)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} is complex, expected real numbers; take its real part or its magnitude first")
    return array


def real_dtype(dtype: DTypeLike, name: str = "dtype") -> str:
    """The name of float32 or float64, from anything that NumPy takes for a dtype."""
    found = np.dtype(dtype)
    if found not in (np.float32, np.float64):
        raise TypeError(f"{name} is {found}, expected float32 or float64")
    return found.name


def size(value: Any, name: str, least: int = 0, most: int = sys.maxsize) -> int:
    """A length or count as an int.

    Raises
    ------
    TypeError
        For what is not a whole number; 2.0 is none.
    ValueError
        Below `least` or above `most`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected a whole number") from None
    if number < least:
        raise ValueError(f"{name} is {number}, expected at least {least}")
    if number > most:
        raise ValueError(f"{name} is {number}, expected at most {most}")
    return number


def has_axes(value: Any) -> bool:
    """Whether a value is a sequence rather than one number; also of one whose parts are no numbers."""
    return isinstance(value, (tuple, list)) or np.ndim(value) > 0


def number(value: Any, name: str) -> float:
    """A real number as a float.

    Raises
    ------
    TypeError
        For text, and for what is not a single real number.
    """
    try:
        if isinstance(value, (str, bytes, bytearray)) or has_axes(value):
            raise TypeError
        return float(value)
    except (TypeError, OverflowError):
        raise TypeError(f"{name} is {value!r}, expected a real number") from None


def sizes(value: Any, name: str, axes: int | None = None, least: int = 0) -> Shape:
    """A shape: one number or a sequence of them, as a tuple; one number serves all `axes` where they are known."""
    if not has_axes(value):
        return (size(value, name, least),) * (1 if axes is None else axes)
    shape = tuple(size(v, name, least) for v in value)
    if axes is not None and len(shape) != axes:
        raise ValueError(f"{name} has {len(shape)} values, expected {axes}, one per axis")
    return shape
