"""Convolutions and operators as functions of JAX arrays, for ``jit``, ``grad`` and ``vmap``.

>>> import jax, jax.numpy as jnp, convmtx.jax
>>> x, k = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, -1.0])
>>> loss = lambda x, k: jnp.sum(convmtx.jax.conv(x, k) ** 2)
>>> jax.jit(jax.grad(loss, argnums=(0, 1)))(x, k)
(Array([0., 0., 8.], dtype=float32), Array([ 12., -12.], dtype=float32))

Gradients are exact adjoints and can be differentiated again, in reverse mode, to any order. Values are computed by the
library on the host, by callback; under ``vmap`` signals of one kernel are one batch. Dtypes are JAX's: float64 needs
``jax.config.update("jax_enable_x64", True)``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ._bilinear import Bilinear, Rowwise
from ._types import Array, Boundary, Convention, Engine, Mode, Shape, Sizes
from .operators import LinearOperator, aslinearoperator

__all__ = ["apply", "conv", "rows"]


def conv(
    x: Any,
    kernel: Any,
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
) -> jax.Array:
    """The convolution of signals with one kernel, differentiable with respect to both.

    Parameters
    ----------
    x : (*batch, *n) array
        Any number of signals with as many axes as the kernel.
    kernel : (K,), (K0, K1) or (K0, K1, K2) array
    mode, offset, output, boundary, convention, stride, dilation, correlate, engine
        See :class:`convmtx.Conv2d`. A constant boundary counts as part of the function.

    Returns
    -------
    (*batch, *outputs) array
        Of the dtype that JAX's promotion gives, at least float32.

    Raises
    ------
    ValueError
        For shapes and settings that do not fit, when the function is traced.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, convmtx.jax
    >>> x, k = jnp.arange(5.0), jnp.array([1.0, 2.0, 3.0])
    >>> bool(jnp.allclose(convmtx.jax.conv(x, k), jnp.convolve(x, k)))
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
    x, kernel = _promoted(x, kernel)
    return _parts(_form(Bilinear, kernel, x, settings)).product(x, kernel)


def rows(A: Any, B: Any, mode: Mode = "full", **settings: Any) -> jax.Array:
    """Row i of `A` with row i of `B`, differentiable with respect to both.

    Parameters
    ----------
    A : (R, n) array
        Signals.
    B : (R, K) array
        Kernels. A single row on either side is shared by all rows of the other; its gradient is the sum.
    mode : {"full", "same", "valid"}
    **settings
        Those of :class:`convmtx.RowwiseConv`.

    Examples
    --------
    >>> import jax.numpy as jnp, convmtx.jax
    >>> convmtx.jax.rows(jnp.array([[1.0, 2], [3, 4]]), jnp.array([[1.0, 1]]))
    Array([[1., 3., 2.],
           [3., 7., 4.]], dtype=float32)
    """
    A, B = _promoted(A, B)
    return _parts(_form(Rowwise, B, A, {"mode": mode, **settings})).product(A, B)


def apply(operator: Any, x: Any) -> jax.Array:
    """``operator.apply(x)`` as a function of `x`; its gradient is the transpose.

    Parameters
    ----------
    operator : LinearOperator
        Or anything that :func:`convmtx.aslinearoperator` takes. Its values are brought to the precision of `x`.
    x : (*batch, *dims) array

    Returns
    -------
    (*batch, *dimsd) array

    Examples
    --------
    >>> import jax, jax.numpy as jnp, convmtx, convmtx.jax
    >>> D = convmtx.Difference(4)
    >>> jax.grad(lambda x: convmtx.jax.apply(D, x).sum())(jnp.array([1.0, 2.0, 4.0, 8.0]))
    Array([-1.,  0.,  0.,  1.], dtype=float32)
    """
    A = aslinearoperator(operator)
    (x,) = _promoted(x)
    dtype = jnp.promote_types(x.dtype, jnp.complex64) if A.dtype.kind == "c" else x.dtype
    A = A.astype(dtype if A.dtype.kind == "c" else np.empty(0, dtype).real.dtype)
    x = x.astype(dtype)
    if x.shape[x.ndim - len(A.dims) :] != A.dims:
        raise ValueError(f"x has shape {x.shape}, expected (..., {', '.join(map(str, A.dims))})")
    y = _linear(A, False)(x)
    constant = A.constant_term()
    return y if constant is None else y + jnp.asarray(constant, dtype)


# JAX's derivatives are transposes without conjugation: those of (x, k) -> conv(x, k) are the parts of Σ y·conv(x, k),
# which is linear in all three arguments. A part is conjugated where the library's is an adjoint.


class _Parts(NamedTuple):
    product: Any
    """``conv(x, k)``"""
    adjoint: Any
    """``Aᵀ y`` with ``A x = conv(x, k)``"""
    gradient: Any
    """``Hᵀ y`` with ``H k = conv(x, k)``, summed over the batch"""


def _form(kind: Any, kernel: Any, x: Any, settings: dict[str, Any]) -> Bilinear:
    """The same object for the same shapes and settings, so that JAX compiles what it calls once."""
    hashable = tuple((name, tuple(v) if np.ndim(v) else v) for name, v in settings.items())
    form: Bilinear = _known_form(kind, kernel.shape, x.shape, hashable)
    return form


@functools.lru_cache(maxsize=256)
def _known_form(kind: Any, kernel: Shape, x: Shape, settings: tuple[tuple[str, Any], ...]) -> Any:
    return kind(kernel, x, dict(settings))


@functools.lru_cache(maxsize=512)
def _parts(form: Bilinear) -> _Parts:
    """The three parts as differentiable functions, each defined by the other two."""
    x, y, k = (*form.batch, *form.dims), (*form.batch, *form.dimsd), form.kernel
    parts = _Parts(
        product=_part(form.product, (x, k), y, of_kernel=True),
        adjoint=_part(lambda y, k: form.adjoint(y.conj(), k).conj(), (y, k), x, of_kernel=True),
        gradient=_part(lambda x, y: form.kernel_gradient(x, y.conj()).conj(), (x, y), k, of_kernel=False),
    )

    def linear() -> _Parts:
        """Those without what stands beyond the ends, which does not depend on the signal."""
        return parts if form.linear is form else _parts(form.linear)

    def derivatives(part: Any, backward: Callable[..., Any]) -> None:
        part.defvjp(lambda a, b: (part(a, b), (a, b)), lambda saved, g: backward(*saved, g))

    derivatives(parts.product, lambda x, k, g: (linear().adjoint(g, k), parts.gradient(x, g)))
    derivatives(parts.adjoint, lambda y, k, g: (linear().product(g, k), linear().gradient(g, y)))
    derivatives(parts.gradient, lambda x, y, g: (linear().adjoint(y, g), parts.product(x, g)))
    return parts


def _part(compute: Callable[[Array, Array], Array], shapes: tuple[Shape, Shape], result: Shape, of_kernel: bool) -> Any:
    """`compute(a, b)` on the host; `of_kernel` says that `b` is a kernel, which takes any batch of signals."""

    def on_host(a: Any, b: Any) -> Array:
        a, b = np.asarray(a), np.asarray(b)
        mapped = [v.shape[: v.ndim - len(shape)] for v, shape in zip((a, b), shapes)]  # by vmap; 1 where it is not
        if of_kernel and math.prod(mapped[1]) == 1:
            return np.ascontiguousarray(compute(a, b.reshape(shapes[1])))
        every = np.broadcast_shapes(*mapped)
        a, b = (np.broadcast_to(v, (*every, *shape)) for v, shape in zip((a, b), shapes))
        out = np.empty((*every, *result), a.dtype)
        for i in np.ndindex(*every):
            out[i] = compute(a[i], b[i])
        return out

    @jax.custom_vjp
    def part(a: Any, b: Any) -> Any:
        return jax.pure_callback(on_host, jax.ShapeDtypeStruct(result, a.dtype), a, b, vmap_method="expand_dims")

    return part


@functools.lru_cache(maxsize=64)
def _linear(A: LinearOperator, transpose: bool) -> Any:
    """``A v`` or ``Aᵀ v``, each the derivative of the other."""
    before, after = (A.dimsd, A.dims) if transpose else (A.dims, A.dimsd)

    def on_host(v: Any) -> Array:
        v = np.asarray(v)
        if transpose:
            return np.ascontiguousarray(A._apply(v.conj(), before, after, True, "x").conj())
        return np.ascontiguousarray(A._apply(v, before, after, False, "x"))

    @jax.custom_vjp
    def product(v: Any) -> Any:
        result = jax.ShapeDtypeStruct((*v.shape[: v.ndim - len(before)], *after), v.dtype)
        return jax.pure_callback(on_host, result, v, vmap_method="expand_dims")

    product.defvjp(lambda v: (product(v), None), lambda _, g: (_linear(A, not transpose)(g),))
    return product


def _promoted(*arrays: Any) -> list[Any]:
    """Arrays of their common dtype, at least float32."""
    arrays = tuple(jnp.asarray(array) for array in arrays)
    dtype = jnp.result_type(*arrays)
    dtype = jnp.promote_types(dtype, jnp.float32)
    return [array.astype(dtype) for array in arrays]
