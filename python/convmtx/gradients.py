"""The two gradients of a convolution: with respect to the signal and with respect to the kernel.

For ``f(x, h) = ½‖h ∗ x − b‖²`` with the residual ``y = h ∗ x − b``, the gradients are ``adjoint_signal(h, y, x.shape,
mode)`` and ``adjoint_kernel(x, y, h.shape, mode)``. Both are exact adjoints for every mode, boundary, stride and
dilation: ``⟨h ∗ x, y⟩ = ⟨x, adjoint_signal(h, y)⟩ = ⟨h, adjoint_kernel(x, y)⟩``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._apply import operator_for
from ._arrays import sizes
from ._checks import as_numeric, computing_dtype, not_empty, to_float
from ._types import Array, ArrayLike, Mode, Shape, Sizes

__all__ = ["adjoint_kernel", "adjoint_signal"]


def adjoint_signal(
    h: ArrayLike, y: ArrayLike, signal_shape: Sizes, mode: Mode = "full", *, correlate: bool = False, **geometry: Any
) -> Array:
    """The adjoint of ``x ↦ h ∗ x`` applied to ``y``: the gradient with respect to the signal.

    Parameters
    ----------
    h : array_like, shape (..., *k)
        Kernel, of as many dimensions as ``signal_shape``; leading axes are a batch of kernels.
    y : array_like, shape (..., *m)
        What the convolution of ``h`` with a signal has the shape of. Leading axes are broadcast with those of ``h``.
    signal_shape : int or tuple of int
        The shape of the signal, of one to three dimensions.
    mode : {"full", "same", "valid"}
        Of the convolution.
    correlate : bool
        Whether the forward map is correlation, as in a neural network's layer.
    **geometry
        ``boundary``, ``stride``, ``dilation``, ``convention``, ``offset``, ``output`` as for :class:`convmtx.Conv1d`.

    Returns
    -------
    ndarray, shape (..., *signal_shape)

    Examples
    --------
    Correlation "valid" of a signal of 4 samples with [1, 2]; its adjoint spreads [1, 10, 100] again:

    >>> import convmtx
    >>> convmtx.adjoint_signal([1, 2], [1, 10, 100], 4, "valid", correlate=True)
    array([  1.,  12., 120., 200.])
    """
    shape = _shape(signal_shape, "signal_shape")
    h, y = _operands(h, "h", y, len(shape))
    return _broadcast(
        lambda kernel, value: operator_for(kernel, shape, mode, correlate=correlate, **geometry).apply_adjoint(value),
        h,
        y,
        len(shape),
    )


def adjoint_kernel(
    x: ArrayLike, y: ArrayLike, kernel_shape: Sizes, mode: Mode = "full", *, correlate: bool = False, **geometry: Any
) -> Array:
    """The adjoint of ``h ↦ h ∗ x`` applied to ``y``: the gradient with respect to the kernel.

    Parameters
    ----------
    x : array_like, shape (..., *n)
        Signal, of as many dimensions as ``kernel_shape``; leading axes are a batch of signals.
    y : array_like, shape (..., *m)
        What the convolution has the shape of. Leading axes are broadcast with those of ``x``.
    kernel_shape : int or tuple of int
        The shape of the kernel, of one to three dimensions.
    mode, correlate, **geometry
        As for :func:`adjoint_signal`.

    Returns
    -------
    ndarray, shape (..., *kernel_shape)
        One gradient per pair of ``x`` and ``y``; add them up over the batch for the gradient of a shared kernel.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.adjoint_kernel([1, 2, 3, 4], [1, 0, 0], 2, "valid", correlate=True)
    array([1., 2.])
    """
    shape = _shape(kernel_shape, "kernel_shape")
    x, y = _operands(x, "x", y, len(shape))
    # The gradient does not depend on the kernel, only on its shape.
    ones = np.ones(shape, x.dtype)
    operator = operator_for(ones, x.shape[x.ndim - len(shape) :], mode, correlate=correlate, **geometry)
    return _broadcast(operator.adjoint_kernel, x, y, len(shape), one_by_one=True)


def _shape(shape: Sizes, what: str) -> Shape:
    shape = sizes(shape, what, least=1)
    if not 1 <= len(shape) <= 3:
        raise ValueError(f"{what} has {len(shape)} dimensions, expected one to three")
    return shape


def _operands(first: ArrayLike, what: str, y: ArrayLike, ndim: int) -> tuple[Array, Array]:
    first, y = as_numeric(first, what), as_numeric(y, "y")
    for array, name in ((first, what), (y, "y")):
        if array.ndim < ndim:
            raise ValueError(f"{name} has shape {array.shape}, expected at least {ndim} dimensions")
    not_empty(first, what)
    dtype = computing_dtype(np.result_type(first, y))
    return to_float(first, dtype, what), to_float(y, dtype, "y")


def _broadcast(
    adjoint: Callable[[Array, Array], Array], first: Array, y: Array, ndim: int, *, one_by_one: bool = False
) -> Array:
    """``adjoint(first[i], y[i])`` over broadcast leading axes; all of ``y`` at once where ``first`` is not a batch."""
    if first.ndim == ndim and not one_by_one:
        return adjoint(first, y)
    batch = np.broadcast_shapes(first.shape[: first.ndim - ndim], y.shape[: y.ndim - ndim])
    first = np.broadcast_to(first, batch + first.shape[first.ndim - ndim :])
    y = np.broadcast_to(y, batch + y.shape[y.ndim - ndim :])
    results = [adjoint(first[at], y[at]) for at in np.ndindex(*batch)]
    if not math.prod(batch):
        raise ValueError(f"the batch of shape {batch} is empty, expected at least one pair")
    return np.stack(results).reshape(*batch, *results[0].shape)
