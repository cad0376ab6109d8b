"""Two arrays, an operator, their convolution: the one way through all functions with known names.

A function decides what its mode means (:mod:`convmtx._words`) and calls :func:`convolve` with the window that it wants
of the full convolution. Here the dtype is settled, integers are kept exact (:mod:`convmtx._integers`), leading axes
are broadcast as NumPy does, and the right operator is applied.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _integers
from ._checks import computing_dtype, is_integral, to_float
from ._extend import extend
from ._outputs import put
from ._types import Array, DType, DTypeLike, Engine, Mode, Shape, Sizes
from .operators import Conv1d, Conv2d, Conv3d, RowwiseConv

_CONV: dict[int, type[Conv1d] | type[Conv2d] | type[Conv3d]] = {1: Conv1d, 2: Conv2d, 3: Conv3d}


def operator_for(
    kernel: Array,
    signal_shape: Sizes,
    mode: Mode = "full",
    *,
    offset: Sizes | None = None,
    output: Sizes | None = None,
    **geometry: Any,
) -> Conv1d | Conv2d | Conv3d:
    """``Conv1d``, ``Conv2d`` or ``Conv3d``, as the kernel has dimensions; shapes and windows may be sequences."""

    def per_axis(value: Any) -> Any:
        if value is None or isinstance(value, int):
            return value
        return value[0] if kernel.ndim == 1 and len(value) == 1 else tuple(value)

    return _CONV[kernel.ndim](
        kernel, per_axis(signal_shape), mode, offset=per_axis(offset), output=per_axis(output), **geometry
    )


def convolve(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    *,
    boundary: Any = "zero",
    engine: Engine = "auto",
    dtype: DTypeLike | None = None,
    names: tuple[str, str] = ("in1", "in2"),
    out: Array | None = None,
) -> Array:
    """``full[offset : offset + output]`` of the convolution of ``x`` with ``h`` along their last ``len(offset)`` axes.

    Parameters
    ----------
    x, h : ndarray
        Signals and kernels of as many dimensions; the axes before the last ``len(offset)`` are broadcast.
    offset, output : sequence of int
        The first value kept and the number of values, per convolved axis.
    boundary : str or number
        What stands beyond the ends of ``x`` in the convolved axes.
    dtype : dtype, optional
        Of the result, NumPy's promotion of both by default. If ``x`` and ``h`` are integers they are convolved
        exactly, and a value that ``dtype`` cannot hold raises ``ValueError``.
    engine : {"auto", "direct", "separable", "fft"}
        "fft" becomes "direct" for data that are not finite.
    out : ndarray, optional
        Of the shape and dtype of the result, which is put there, and computed there where nothing stands in the way.
    """
    dtype = np.dtype(np.result_type(x, h) if dtype is None else dtype)
    if is_integral(x, h) and (isinstance(boundary, str) or float(boundary).is_integer()):
        y = _integers.convolve(x, h, offset, output, boundary=boundary, engine=engine, dtype=dtype, floating=_convolve)
        return y if out is None else put(y, out)
    computing = computing_dtype(dtype)
    if is_integral(x) or is_integral(h):  # integers beside float32: in float64, as SciPy's transforms, and rounded once
        computing = np.result_type(computing, np.float64)
    x, h = to_float(x, _real_or(computing, x), names[0]), to_float(h, _real_or(computing, h), names[1])
    if np.iscomplexobj(boundary):  # the constant of a boundary has the type of the kernel
        h = h.astype(computing)
    # Operators keep NaN in signals where it is, but there are no transforms of kernels that are not finite.
    if engine == "fft" and not (np.isfinite(x).all() and np.isfinite(h).all()):
        engine = "direct"
    if out is None:
        return _convolve(x, h, offset, output, boundary, engine).astype(dtype, copy=False)
    suits = out.flags.c_contiguous and np.result_type(x, h) == dtype
    return put(_convolve(x, h, offset, output, boundary, engine, out if suits else None), out)


def _real_or(computing: DType, array: Array) -> DType:
    """The dtype in which ``array`` enters: a real array stays real beside a complex one, which halves the work."""
    if computing.kind == "c" and array.dtype.kind != "c":
        return np.dtype(np.float32 if computing.itemsize == 8 else np.float64)
    return computing


def _convolve(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    boundary: Any = "zero",
    engine: Engine = "auto",
    out: Array | None = None,
) -> Array:
    """:func:`convolve` in one of the four floating dtypes; in `out`, row-contiguous, or else in memory of its own."""
    ndim = len(offset)
    x_batch, h_batch = x.shape[: x.ndim - ndim], h.shape[: h.ndim - ndim]
    batch = np.broadcast_shapes(x_batch, h_batch)
    if 0 in output or 0 in batch:
        return np.zeros((*batch, *output), np.result_type(x, h))
    if math.prod(h_batch) == 1:
        y = _one_kernel(x, h.reshape(h.shape[h.ndim - ndim :]), offset, output, boundary, engine, out)
    elif math.prod(x_batch) == 1 and boundary == "zero":  # one signal, many kernels: the roles may change
        y = _one_kernel(h, x.reshape(x.shape[x.ndim - ndim :]), offset, output, boundary, engine, out)
    else:
        x = np.broadcast_to(x, batch + x.shape[x.ndim - ndim :])
        h = np.broadcast_to(h, batch + h.shape[h.ndim - ndim :])
        if ndim == 1:
            if boundary == "zero" and h.shape[-1] > x.shape[-1]:
                x, h = h, x
            rows = (math.prod(batch), x.shape[-1])
            operator = RowwiseConv(
                h.reshape(rows[0], -1), rows, offset=offset[0], output=output[0], boundary=boundary, engine=engine
            )
            y = operator.apply(x.reshape(rows), out=_of_shape(out, (rows[0], *output)))
        else:
            y = np.stack([_one_kernel(x[at], h[at], offset, output, boundary, engine) for at in np.ndindex(*batch)])
    return y.reshape(*batch, *output)


def _of_shape(out: Array | None, shape: Shape) -> Array | None:
    """The same memory, row-contiguous, with other axes."""
    return None if out is None else out.reshape(shape)


def _one_kernel(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    boundary: Any,
    engine: Engine,
    out: Array | None = None,
) -> Array:
    """Every signal in ``x`` (its last ``h.ndim`` axes) with the same kernel."""
    ndim = h.ndim
    batch, n = x.shape[: x.ndim - ndim], x.shape[x.ndim - ndim :]
    if math.prod(batch) == 1 and boundary == "zero" and h.size > math.prod(n):
        # The shorter operand is the kernel; the full convolution, of which the window is cut, is the same.
        x, h, batch, n = h, x.reshape(n), (), h.shape

    # Axes in which the kernel is one tap wide and nothing is cut are not convolved. One axis remains in any case.
    folded = [a for a in range(ndim) if h.shape[a] == 1 and offset[a] == 0 and output[a] == n[a]]
    if len(folded) == ndim:
        folded.remove(max(folded, key=lambda a: n[a]))
    if not folded:
        return _kept_axes(x, h, offset, output, boundary, engine, out)
    kept = [a for a in range(ndim) if a not in folded]
    lead = len(batch)
    x = np.moveaxis(x, [lead + a for a in folded], range(lead, lead + len(folded)))
    y = _kept_axes(
        x,
        h.reshape([h.shape[a] for a in kept]),
        [offset[a] for a in kept],
        [output[a] for a in kept],
        boundary,
        engine,
    )
    return np.moveaxis(y, range(lead, lead + len(folded)), [lead + a for a in folded])


def _kept_axes(
    x: Array,
    h: Array,
    offset: Sequence[int],
    output: Sequence[int],
    boundary: Any,
    engine: Engine,
    out: Array | None = None,
) -> Array:
    """The operators up to three dimensions; beyond, a sum over the first axis' taps of convolutions of the rest."""
    ndim = h.ndim
    n = x.shape[x.ndim - ndim :]
    if ndim <= 3:
        operator = operator_for(h, n, offset=offset, output=output, boundary=boundary, engine=engine)
        return operator.apply(x, out=_of_shape(out, (*x.shape[: x.ndim - ndim], *output)))
    # y[i, ...] = Σ_t h[t] * x[i + offset - t]
    axis = x.ndim - ndim
    taps, rows = h.shape[0], output[0]
    x = extend(x, axis, offset[0] - taps + 1, offset[0] + rows, boundary)
    lead = (slice(None),) * axis
    total = np.zeros((*x.shape[:axis], rows, *output[1:]), np.result_type(x, h))
    for t in range(taps):
        shifted = x[(*lead, slice(taps - 1 - t, taps - 1 - t + rows))]
        total += _kept_axes(shifted, h[t], offset[1:], output[1:], boundary, engine)
    return total


def predicted_engine(x: Array, h: Array, offset: Sequence[int], output: Sequence[int]) -> str:
    """What "auto" takes for this convolution, in SciPy's words: "direct" or "fft"."""
    if h.ndim > 3 or 0 in output:
        return "direct"
    x, h = (x, h) if x.size >= h.size else (h, x)
    taps = h.astype(computing_dtype(h.dtype))
    return "fft" if operator_for(taps, x.shape, offset=offset, output=output).engine == "fft" else "direct"
