"""Convolutions and operators as differentiable functions of torch tensors.

>>> import torch, convmtx.torch
>>> x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> k = torch.tensor([1.0, -1.0], requires_grad=True)
>>> convmtx.torch.conv(x, k).square().sum().backward()
>>> x.grad, k.grad
(tensor([0., 0., 8.]), tensor([ 12., -12.]))

Gradients are exact adjoints, not derived anew: that of the signal is the operator's adjoint, that of the kernel its
``adjoint_kernel``. They are convolutions themselves, so they can be differentiated again, to any order. For complex
tensors they are torch's, the conjugate ones.

Tensors live on the CPU and enter and leave without a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch

from ._bilinear import Bilinear, Rowwise
from ._types import Array, Boundary, Convention, Engine, Mode, Sizes
from .operators import LinearOperator, aslinearoperator

__all__ = ["apply", "conv", "rows"]

_DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)
_Derivatives: TypeAlias = tuple[Callable[[], torch.Tensor], Callable[[], torch.Tensor]]


def conv(
    x: torch.Tensor,
    kernel: torch.Tensor,
    mode: Mode = "full",
    *,
    offset: Sizes | None = None,
    output: Sizes | None = None,
    boundary: Boundary = "zero",
    convention: Convention = "matlab",
    stride: Sizes = 1,
    dilation: Sizes = 1,
    correlate: bool = False,
    engine: Engine = "auto",
) -> torch.Tensor:
    """The convolution of signals with one kernel, differentiable with respect to both.

    Parameters
    ----------
    x : (*batch, *n) tensor
        Any number of signals with as many axes as the kernel.
    kernel : (K,), (K0, K1) or (K0, K1, K2) tensor
    mode, offset, output, boundary, convention, stride, dilation, correlate, engine
        See :class:`convmtx.Conv2d`. A constant boundary counts as part of the function.

    Returns
    -------
    (*batch, *outputs) tensor
        Of the dtype that torch's promotion gives.

    Raises
    ------
    TypeError
        For tensors on another device, and for dtypes other than float32, float64, complex64 and complex128.
    ValueError
        For shapes and settings that do not fit.

    Examples
    --------
    torch's ``conv1d`` is the correlation in the window "valid":

    >>> import torch, convmtx.torch
    >>> x, k = torch.randn(2, 1, 50), torch.randn(1, 1, 4)
    >>> y = convmtx.torch.conv(x, k[0, 0], "valid", correlate=True)
    >>> torch.allclose(y, torch.nn.functional.conv1d(x, k), atol=1e-6)
    True
    """
    settings = {
        "mode": mode,
        "offset": offset,
        "output": output,
        "boundary": boundary,
        "convention": convention,
        "stride": stride,
        "dilation": dilation,
        "correlate": correlate,
        "engine": engine,
    }
    _check(x, "x")
    _check(kernel, "kernel")
    return _Product.apply(x, kernel, Bilinear(tuple(kernel.shape), tuple(x.shape), settings))


def rows(A: torch.Tensor, B: torch.Tensor, mode: Mode = "full", **settings: Any) -> torch.Tensor:
    """Row i of `A` with row i of `B`, differentiable with respect to both.

    Parameters
    ----------
    A : (R, n) tensor
        Signals.
    B : (R, K) tensor
        Kernels. A single row on either side is shared by all rows of the other; its gradient is the sum.
    mode : {"full", "same", "valid"}
    **settings
        Those of :class:`convmtx.RowwiseConv`.

    Examples
    --------
    >>> import torch, convmtx.torch
    >>> convmtx.torch.rows(torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[1.0, 1]]))
    tensor([[1., 3., 2.],
            [3., 7., 4.]])
    """
    _check(A, "A")
    _check(B, "B")
    return _Product.apply(A, B, Rowwise(tuple(B.shape), tuple(A.shape), {"mode": mode, **settings}))


def apply(operator: Any, x: torch.Tensor) -> torch.Tensor:
    """``operator.apply(x)`` as a differentiable function of `x`; its gradient is the adjoint.

    Parameters
    ----------
    operator : LinearOperator
        Or anything that :func:`convmtx.aslinearoperator` takes.
    x : (*batch, *dims) tensor

    Returns
    -------
    (*batch, *dimsd) tensor

    Examples
    --------
    >>> import torch, convmtx, convmtx.torch
    >>> D = convmtx.Difference(4)
    >>> x = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64, requires_grad=True)
    >>> convmtx.torch.apply(D, x).sum().backward()
    >>> x.grad
    tensor([-1.,  0.,  0.,  1.], dtype=torch.float64)
    """
    _check(x, "x")
    A = aslinearoperator(operator)
    y = _Linear.apply(x, A, False)
    constant = A.constant_term()
    return y if constant is None else y + _tensor(constant).to(y.dtype)


class _Part(torch.autograd.Function):
    """⟨y, conv(x, k)⟩ without one of its arguments: a function of the others, whose derivatives are the other parts."""

    #: Whether the second argument is a kernel, which takes any batch of signals.
    _of_kernel = False

    @staticmethod
    def _derivatives(first: torch.Tensor, second: torch.Tensor, g: torch.Tensor, form: Bilinear) -> _Derivatives:
        """With respect to either argument, for the gradient `g` of the result; computed when called."""
        raise NotImplementedError

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        first, second, ctx.form = inputs
        ctx.save_for_backward(first, second)

    @classmethod
    def backward(cls, ctx: Any, g: torch.Tensor) -> Any:
        first, second = ctx.saved_tensors
        to_first, to_second, _ = ctx.needs_input_grad
        of_first, of_second = cls._derivatives(first, second, g, ctx.form)
        return (
            _like(first.dtype, of_first()) if to_first else None,
            _like(second.dtype, of_second()) if to_second else None,
            None,
        )

    @classmethod
    def vmap(cls, info: Any, in_dims: Any, first: torch.Tensor, second: torch.Tensor, form: Bilinear) -> Any:
        """All signals of one kernel as one batch; otherwise one call after the other."""
        dims = in_dims[:2]
        if cls._of_kernel and dims[1] is None:
            return cls.apply(first.movedim(dims[0], 0), second, form), 0
        pairs = [
            [v if dim is None else v.select(dim, i) for v, dim in zip((first, second), dims)]
            for i in range(info.batch_size)
        ]
        return torch.stack([cls.apply(*pair, form) for pair in pairs]), 0


class _Product(_Part):
    """``conv(x, k)``."""

    _of_kernel = True

    @staticmethod
    def forward(x: torch.Tensor, k: torch.Tensor, form: Bilinear) -> torch.Tensor:
        return _tensor(form.product(_array(x), _array(k)))

    @staticmethod
    def _derivatives(x: torch.Tensor, k: torch.Tensor, g: torch.Tensor, form: Bilinear) -> _Derivatives:
        return lambda: _Adjoint.apply(g, k, form.linear), lambda: _KernelGradient.apply(x, g, form)


class _Adjoint(_Part):
    """``Aᴴ y`` with ``A x = conv(x, k)``."""

    _of_kernel = True

    @staticmethod
    def forward(y: torch.Tensor, k: torch.Tensor, form: Bilinear) -> torch.Tensor:
        return _tensor(form.adjoint(_array(y), _array(k)))

    @staticmethod
    def _derivatives(y: torch.Tensor, k: torch.Tensor, g: torch.Tensor, form: Bilinear) -> _Derivatives:
        return lambda: _Product.apply(g, k, form), lambda: _KernelGradient.apply(g, y, form)


class _KernelGradient(_Part):
    """``Hᴴ y`` with ``H k = conv(x, k)``, summed over the batch."""

    @staticmethod
    def forward(x: torch.Tensor, y: torch.Tensor, form: Bilinear) -> torch.Tensor:
        return _tensor(form.kernel_gradient(_array(x), _array(y)))

    @staticmethod
    def _derivatives(x: torch.Tensor, y: torch.Tensor, g: torch.Tensor, form: Bilinear) -> _Derivatives:
        return lambda: _Adjoint.apply(y, g, form.linear), lambda: _Product.apply(x, g, form)


class _Linear(torch.autograd.Function):
    """``A v`` or ``Aᴴ v``, each the derivative of the other."""

    @staticmethod
    def forward(v: torch.Tensor, A: LinearOperator, adjoint: bool) -> torch.Tensor:
        shapes = (A.dimsd, A.dims) if adjoint else (A.dims, A.dimsd)
        return _tensor(A._apply(_array(v), *shapes, adjoint, "x"))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        v, ctx.A, ctx.adjoint = inputs
        ctx.dtype = v.dtype

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> Any:
        return _like(ctx.dtype, _Linear.apply(g, ctx.A, not ctx.adjoint)), None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, v: torch.Tensor, A: LinearOperator, adjoint: bool) -> Any:
        return _Linear.apply(v.movedim(in_dims[0], 0), A, adjoint), 0


def _like(dtype: torch.dtype, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient in the dtype of its variable: that of a real one is real."""
    if gradient.is_complex() and not dtype.is_complex:
        gradient = gradient.real
    return gradient.to(dtype)


def _check(tensor: Any, name: str) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} is a {type(tensor).__name__}, expected a tensor")
    if tensor.device.type != "cpu":
        raise TypeError(
            f"{name} is on the device {tensor.device}, expected the CPU: this build computes there; "
            f"move it with {name}.cpu() first"
        )
    if tensor.layout != torch.strided:
        raise TypeError(f"{name} has the layout {tensor.layout}, expected a dense tensor")
    if tensor.dtype not in _DTYPES:
        names = "float32, float64, complex64 or complex128"
        raise TypeError(f"{name} has dtype {tensor.dtype}, expected {names}; convert it with {name}.to(torch.float32)")


def _array(tensor: torch.Tensor) -> Array:
    """The tensor's memory as an array."""
    return tensor.detach().resolve_conj().resolve_neg().numpy()


def _tensor(array: Array) -> torch.Tensor:
    """The array's memory as a tensor; every result is new, so nobody else writes to it."""
    return torch.from_numpy(array)
