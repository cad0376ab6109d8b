"""SciPy's convolutions: names, arguments, defaults, shapes and dtypes of ``scipy.signal``, over our operators.

What differs, always on purpose:

* Integers never wrap. The exact result has SciPy's dtype; if a value does not fit it, ``ValueError`` says so.
* One NaN or infinity stays where a direct sum leaves it, also with ``method="fft"``, ``fftconvolve`` and
  ``oaconvolve``.
* ``object`` arrays and ``longdouble`` are refused with ``TypeError``: the core computes in float32, float64 and their
  complex types.
* Empty operands are errors; only ``fftconvolve`` and ``oaconvolve`` return an empty array, as SciPy's do.
* Axes that are only broadcast keep their broadcast length in mode "same" (SciPy cuts them to the length of ``in1``).
* ``correlate2d`` in mode "valid" with the larger array second conjugates ``in2`` (SciPy conjugates ``in1``).
"""

from __future__ import annotations

import operator as _operator
import timeit
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from ._arrays import EXACT
from ._apply import convolve as _convolve
from ._apply import predicted_engine
from ._checks import as_numeric, computing_dtype, is_extended, is_integral, not_empty, same_ndim
from ._integers import magnitude
from ._types import Array, ArrayLike, Convention, Mode, Sizes
from ._words import SCIPY_BOUNDARIES, look_up, mode_word, windows

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "fftconvolve",
    "oaconvolve",
]

Method: TypeAlias = Literal["auto", "direct", "fft"]
METHODS = {word: word for word in ("auto", "direct", "fft")}


def convolve(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto", *, convention: Convention = "scipy"
) -> Array:
    """Convolve two N-dimensional arrays (``scipy.signal.convolve``).

    ``full[i] = Σ_j in1[j] in2[i - j]`` along every axis, and ``mode`` keeps a part of it.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays of the same number of dimensions.
    mode : {"full", "same", "valid"}
        "full": everything; "same": the shape of ``in1``, from (k - 1) // 2 on; "valid": what needs no value from beyond
        the ends, with the operands swapped if ``in2`` is the larger one.
    method : {"auto", "direct", "fft"}
        How to compute it. Integers are exact and non-finite values stay local with every method.
    convention : {"scipy", "numpy", "matlab"}
        Whose "same" and "valid" are meant: "matlab" begins "same" at k // 2 and never swaps; "numpy" returns the
        longer length.

    Returns
    -------
    ndarray
        Of NumPy's promoted dtype.

    Raises
    ------
    ValueError
        For an unknown word, shapes that do not fit, empty arrays, and integers that do not fit the dtype of the result.
    TypeError
        For object arrays and longdouble.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.convolve([1, 2, 3], [0, 1, 2])
    array([0, 1, 4, 7, 6])
    >>> convmtx.convolve([1, 2, 3, 4], [1, 1], "same")
    array([1, 3, 5, 7])
    >>> convmtx.convolve([1, 2, 3, 4], [1, 1], "same", convention="matlab")
    array([3, 5, 7, 4])
    """
    in1, in2 = as_numeric(in1, "in1"), as_numeric(in2, "in2")
    same_ndim(in1, in2)
    engine = look_up("method", method, METHODS)
    mode_word(mode)
    not_empty(in1, "in1")
    not_empty(in2, "in2")
    offset, output = windows(mode, in1.shape, in2.shape, convention)
    if method == "fft" and not (np.isfinite(in1).all() and np.isfinite(in2).all()):
        warnings.warn(
            "Use of fft convolution on input with NAN or inf would result in NAN or inf everywhere:"
            " the direct method was used instead.",
            RuntimeWarning,
            stacklevel=2,
        )
    return _nd(in1, in2, offset, output, engine=engine)


def _nd(in1: Array, in2: Array, offset: Sequence[int], output: Sequence[int], **keywords: Any) -> Array:
    """:func:`_apply.convolve`, also of two scalars, whose convolution is their product, a NumPy scalar."""
    if in1.ndim == 0:
        return _convolve(in1.reshape(1), in2.reshape(1), [0], [1], **keywords)[0]
    return _convolve(in1, in2, offset, output, **keywords)


def correlate(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> Array:
    """Cross-correlate two arrays (``scipy.signal.correlate``): convolve with ``in2`` reversed, conjugated.

    Parameters and errors are those of :func:`convolve`.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.correlate([1, 2, 3], [0, 1, 2])
    array([2, 5, 8, 3, 0])
    >>> convmtx.correlate([1j], [1j])
    array([1.+0.j])
    """
    return convolve(in1, _reversed_conjugate(as_numeric(in2, "in2")), mode, method)


def _reversed_conjugate(array: Array) -> Array:
    return np.flip(array).conj()


def convolve2d(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", boundary: str = "fill", fillvalue: ArrayLike = 0
) -> Array:
    """Convolve two 2-dimensional arrays (``scipy.signal.convolve2d``), with a choice of boundaries of ``in1``.

    Parameters
    ----------
    in1, in2 : array_like
        Two-dimensional; ``in1`` is the one that is extended.
    mode : {"full", "same", "valid"}
        As in :func:`convolve`.
    boundary : {"fill", "wrap", "symm"}
        "fill" (or "pad"): ``fillvalue``; "wrap" ("circular"): periodic; "symm" ("symmetric"): mirrored, the edge
        repeated.
    fillvalue : scalar
        For ``boundary="fill"``.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.convolve2d([[1, 2], [3, 4]], [[1, 1]], "same", "wrap")
    array([[3, 3],
           [7, 7]])
    """
    in1, in2 = _images(in1, in2, "convolve2d")
    offset, output = windows(mode, in1.shape, in2.shape, "scipy")
    return _convolve(in1, in2, offset, output, boundary=_extension(mode, boundary, fillvalue, in1, in2))


def correlate2d(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", boundary: str = "fill", fillvalue: ArrayLike = 0
) -> Array:
    """Cross-correlate two 2-dimensional arrays (``scipy.signal.correlate2d``).

    As :func:`convolve2d` with ``in2`` reversed and conjugated, but "same" begins at k // 2: SciPy centres the kernel
    before it reverses it, so that ``correlate2d`` and ``correlate`` differ by one for even kernels.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.correlate2d([[1, 2, 3, 4]], [[1, 1]], "same")
    array([[3, 5, 7, 4]])
    >>> convmtx.correlate([[1, 2, 3, 4]], [[1, 1]], "same")
    array([[1, 3, 5, 7]])
    """
    in1, in2 = _images(in1, in2, "correlate2d")
    offset, output = windows(mode, in1.shape, in2.shape, "matlab" if mode == "same" else "scipy")
    kernel = _reversed_conjugate(in2)
    return _convolve(in1, kernel, offset, output, boundary=_extension(mode, boundary, fillvalue, in1, in2))


def _images(in1: ArrayLike, in2: ArrayLike, name: str) -> tuple[Array, Array]:
    in1, in2 = as_numeric(in1, "in1"), as_numeric(in2, "in2")
    if not in1.ndim == in2.ndim == 2:
        raise ValueError(f"{name} inputs must both be 2-D arrays, but have {in1.ndim} and {in2.ndim} dimensions")
    not_empty(in1, "in1")
    not_empty(in2, "in2")
    return in1, in2


def _extension(mode: str, boundary: str, fillvalue: ArrayLike, in1: Array, in2: Array) -> Any:
    """SciPy's boundary word and fill value as this package's boundary."""
    word = look_up("boundary", boundary, SCIPY_BOUNDARIES)
    if word != "fill":
        return "zero" if mode == "valid" else word  # "valid" meets no boundary, and may swap the operands
    value = np.asarray(fillvalue)
    if value.size != 1:
        raise ValueError(f"`fillvalue` must be scalar or an array with one element, but has shape {value.shape}")
    value, dtype = value.reshape(()), np.result_type(in1, in2)
    numeric = value.dtype.kind in "biufc"
    loses = numeric and (
        (value.dtype.kind == "c" and dtype.kind != "c") or (dtype.kind in "biu" and value != np.floor(value.real))
    )
    if not numeric or loses:
        raise ValueError(f"could not cast `fillvalue` directly to the output type (it is {value}, the output {dtype})")
    number = value.item()
    return "zero" if number == 0 or mode == "valid" else int(number) if isinstance(number, bool) else number


def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", axes: Sizes | None = None) -> Array:
    """Convolve two N-dimensional arrays along some axes, by FFT where that is faster (``scipy.signal.fftconvolve``).

    The plan takes direct sums for short kernels, where they are faster than transforms and exact on integers;
    ``convolve(..., method="fft")`` insists on transforms.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays of the same number of dimensions. Axes that are not convolved are broadcast.
    mode : {"full", "same", "valid"}
        As in :func:`convolve`.
    axes : int or sequence of int, optional
        The axes to convolve along; all by default.

    Returns
    -------
    ndarray
        Of a floating dtype; integers are convolved exactly and returned as float64. Two scalars, and arrays of which
        one is 1 wide in every convolved axis, are multiplied in their own dtype. An empty operand gives an empty
        array, as SciPy's.

    Examples
    --------
    Row by row:

    >>> import numpy as np, convmtx
    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [1.0, -1.0]])
    >>> convmtx.fftconvolve(a, b, axes=1)
    array([[ 1.,  3.,  2.],
           [ 3.,  1., -4.]])
    """
    return _along_axes(in1, in2, mode, axes)


def oaconvolve(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", axes: Sizes | None = None) -> Array:
    """Convolve two N-dimensional arrays along some axes, in blocks where that is faster (``scipy.signal.oaconvolve``).

    The same function as :func:`fftconvolve`: whether and how signals are cut into blocks is chosen by the plan.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.oaconvolve(np.arange(5.0), np.array([1.0, 1.0]), "valid")
    array([1., 3., 5., 7.])
    """
    return _along_axes(in1, in2, mode, axes)


def _along_axes(in1: ArrayLike, in2: ArrayLike, mode: Mode, axes: Sizes | None) -> Array:
    """:func:`fftconvolve` and :func:`oaconvolve`."""
    mode_word(mode)
    in1, in2 = as_numeric(in1, "in1"), as_numeric(in2, "in2")
    same_ndim(in1, in2)
    if in1.ndim == 0:
        return _nd(in1, in2, [], [])
    asked = _axes(axes, in1.ndim)
    if in1.size == 0 or in2.size == 0:
        return np.array([])
    # As SciPy's: where one operand is 1 wide there is nothing to convolve, and the axis is broadcast.
    wide = [a for a in asked if in1.shape[a] != 1 and in2.shape[a] != 1]
    broadcast = [a for a in range(in1.ndim) if a not in wide]
    if any(in1.shape[a] != in2.shape[a] and 1 not in (in1.shape[a], in2.shape[a]) for a in broadcast):
        raise ValueError(f"incompatible shapes for in1 and in2: {in1.shape} and {in2.shape}")
    if mode == "same":  # of an axis that is convolved with a signal of one sample, the middle tap remains
        for a in asked:
            if a not in wide and in2.shape[a] > in1.shape[a]:
                middle = (in2.shape[a] - 1) // 2
                in2 = in2.take([middle], axis=a)
    offset, output = windows(mode, [in1.shape[a] for a in wide], [in2.shape[a] for a in wide], "scipy")
    dtype = np.result_type(*(computing_dtype(array.dtype) for array in (in1, in2))) if wide else None

    last = range(in1.ndim - len(wide), in1.ndim)
    if not wide:  # a product; one axis of length one makes it a convolution
        in1, in2, offset, output = in1[..., None], in2[..., None], [0], [1]
        return _convolve(in1, in2, offset, output, engine="direct")[..., 0]
    y = _convolve(np.moveaxis(in1, wide, last), np.moveaxis(in2, wide, last), offset, output, dtype=dtype)
    return np.moveaxis(y, last, wide)


def _axes(axes: Any, ndim: int) -> list[int]:
    """``axes`` as a list of different numbers in 0 ... ndim - 1."""
    if axes is None:
        return list(range(ndim))
    try:
        numbers = [_operator.index(axes)] if np.ndim(axes) == 0 else [_operator.index(a) for a in axes]
    except (TypeError, ValueError):
        raise ValueError(f"axes must be a scalar or iterable of integers, not {axes!r}") from None
    if not numbers:
        raise ValueError("when provided, axes cannot be empty")
    if not all(-ndim <= a < ndim for a in numbers):
        raise ValueError(f"axes exceeds dimensionality of input: {axes} for {ndim} dimensions")
    numbers = [a % ndim for a in numbers]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"all axes must be unique, but are {axes}")
    return numbers


def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", measure: bool = False
) -> str | tuple[str, dict[str, float]]:
    """Which method :func:`convolve` would take: "direct" or "fft" (``scipy.signal.choose_conv_method``).

    Parameters
    ----------
    in1, in2, mode
        As in :func:`convolve`.
    measure : bool
        Time both methods on these arrays instead of predicting.

    Returns
    -------
    method : str
    times : dict
        Only with ``measure=True``: the seconds of one call by method.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.choose_conv_method(np.ones(8), np.ones(6))
    'direct'
    """
    in1, in2 = np.asarray(in1), np.asarray(in2)
    if any(is_extended(array.dtype) for array in (in1, in2)):
        return "direct"
    in1, in2 = as_numeric(in1, "in1"), as_numeric(in2, "in2")
    same_ndim(in1, in2)
    if measure:
        methods: tuple[Method, ...] = ("fft", "direct")
        times: dict[str, float] = {m: _seconds(partial(convolve, in1, in2, mode, m)) for m in methods}
        return min(times, key=lambda m: times[m]), times
    if is_integral(in1, in2):
        both_bool = in1.dtype.kind == in2.dtype.kind == "b"
        if both_bool or magnitude(in1) * magnitude(in2) * min(in1.size, in2.size) > EXACT:
            return "direct"
    elif not (np.isfinite(in1).all() and np.isfinite(in2).all()):
        return "direct"
    offset, output = windows(mode, in1.shape, in2.shape, "scipy")
    return predicted_engine(in1, in2, offset, output)


def _seconds(call: Callable[[], Array]) -> float:
    """The shortest of three means over as many calls as take five milliseconds."""
    once = timeit.timeit(call, number=1)
    number = max(int(5e-3 / max(once, 1e-9)), 1)
    return min(timeit.repeat(call, repeat=3, number=number)) / number
