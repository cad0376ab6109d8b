"""Convolution as a function of signal and kernel, with its derivatives: what :mod:`.torch` and :mod:`.jax` share.

``conv(x, k)`` is linear in either argument, so everything about its derivatives, of any order, is in the form
``⟨y, conv(x, k)⟩`` of three arguments: `product` leaves out `y`, `adjoint` leaves out `x`, `kernel_gradient` leaves out
`k`, and the derivatives of each are the other two.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._types import Array, Shape
from .operators import Conv1d, Conv2d, Conv3d, Convolution, RowwiseConv

#: The description of a convolution, by the number of axes of its kernel.
BY_AXES: dict[int, Callable[..., Convolution]] = {1: Conv1d, 2: Conv2d, 3: Conv3d}


class Bilinear:
    """A convolution whose kernel is not known yet.

    Parameters
    ----------
    kernel : tuple of int
        Shape of the kernels.
    signal : tuple of int
        Shape of the signals, batch axes included.
    settings : dict
        Keyword arguments of the convolution.

    Attributes
    ----------
    batch, dims, dimsd : tuple of int
        Leading axes, and the shapes of one signal and one output.
    """

    def __init__(self, kernel: Shape, signal: Shape, settings: dict[str, Any]) -> None:
        axes = len(kernel)
        if axes not in BY_AXES:
            raise ValueError(f"kernel has shape {kernel}, expected one, two or three axes")
        if len(signal) < axes:
            raise ValueError(f"x has shape {signal}, expected at least {axes} axes, those of the kernel")
        self.kernel, self.settings = kernel, settings
        self.batch, self.dims = signal[: len(signal) - axes], signal[len(signal) - axes :]

    def _conv(self, kernel: Array) -> Convolution:
        return BY_AXES[kernel.ndim](kernel, self.dims, **self.settings)

    @functools.cached_property
    def linear(self) -> Bilinear:
        """The same with zeros in place of a constant beyond the ends: the part that is linear in the signal."""
        boundary = self.settings.get("boundary", "zero")
        words = [boundary] if np.ndim(boundary) == 0 else list(boundary)
        if all(isinstance(word, str) for word in words):
            return self
        words = [word if isinstance(word, str) else "zero" for word in words]
        settings = {**self.settings, "boundary": words if np.ndim(boundary) else words[0]}
        return type(self)(self.kernel, (*self.batch, *self.dims), settings)

    @functools.cached_property
    def dimsd(self) -> Shape:
        return self.linear._conv(np.zeros(self.kernel)).dimsd

    def product(self, x: Array, kernel: Array) -> Array:
        """``conv(x, kernel)``, of shape ``(*batch, *dimsd)``."""
        return self._conv(kernel).apply(x)

    def adjoint(self, y: Array, kernel: Array) -> Array:
        """``Aᴴ y`` with ``A x = conv(x, kernel)``, of shape ``(*batch, *dims)``."""
        return self._conv(kernel).apply_adjoint(y)

    def kernel_gradient(self, x: Array, y: Array) -> Array:
        """``Hᴴ y`` with ``H k = conv(x, k)``, summed over the batch, of the kernel's shape."""
        signals = math.prod(x.shape[: x.ndim - len(self.dims)])
        x, y = x.reshape(signals, *self.dims), y.reshape(signals, *self.dimsd)
        nothing = np.zeros(self.kernel, np.result_type(x, y))
        return self._conv(nothing).adjoint_kernel(x, y) if signals else nothing


class Rowwise(Bilinear):
    """Row i of the signals with row i of the kernels, a single row on either side shared; there is no batch."""

    def __init__(self, kernel: Shape, signal: Shape, settings: dict[str, Any]) -> None:
        if len(kernel) != 2 or len(signal) != 2:
            raise ValueError(f"A has shape {signal} and B {kernel}, expected rows: two axes each")
        self.kernel, self.settings = kernel, settings
        self.batch, self.dims = (), signal

    def _conv(self, kernel: Array) -> Convolution:
        signals, samples = self.dims
        return RowwiseConv(kernel, (signals, samples), **self.settings)
