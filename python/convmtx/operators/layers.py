"""Many kernels and channels, and the map from kernel to output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._arrays import in_dtype, size, sizes
from .._types import Array, ArrayLike, Boundary, Convention, DType, DTypeLike, Engine, Mode, PaddingMode, Shape, Sizes
from .._types import Summation
from .base import LinearOperator
from .convolutions import Convolution, spell

if TYPE_CHECKING:
    from scipy import sparse


class FilterBank(Convolution):
    """One signal with every kernel of a bank: ``dims`` to ``(F, *outputs)``.

    :meth:`layer` and :meth:`transposed_layer` make the convolution layers of neural networks, with several input
    channels, padding and groups.

    Parameters
    ----------
    kernels : (F, K, ...) array
        F kernels of one, two or three axes.
    shape : int or tuple of int
        Samples per axis.
    mode : {"full", "same", "valid"}, default "full"
    offset, output, boundary, convention, stride, dilation, correlate, engine, summation, dtype
        See :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.FilterBank([[1, 1], [1, -1]], 3, "valid")  # sums and differences of neighbours
    >>> A.apply([1.0, 4.0, 9.0])
    array([[ 5., 13.],
           [ 3.,  5.]])
    """

    def __init__(
        self,
        kernels: ArrayLike,
        shape: Sizes,
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
        summation: Summation = "fastest",
        dtype: DTypeLike | None = None,
    ) -> None:
        self._take_kernel(kernels, dtype, "kernels")
        self._shape = sizes(shape, "the shape of the signal")
        if self._kernel.ndim != len(self._shape) + 1:
            raise ValueError(
                f"kernels has shape {self._kernel.shape}, expected {len(self._shape) + 1} axes: the kernels, then one "
                "per axis of the signal"
            )
        self._geometry = spell(
            self._kernel, self._shape, mode, offset, output, boundary, convention, stride, dilation, correlate
        )
        self._take_engine(engine, summation)
        self._native

    def _describe(self) -> _core.Description:
        return _core.bank(self._kernel, list(self._shape), self._geometry)

    def _stored_taps(self) -> Array | None:
        return _each_reversed(self._kernel.shape, 1) if self._geometry["correlate"] else None

    @classmethod
    def layer(cls, weights: ArrayLike, shape: Sizes, **settings: Any) -> Layer:
        """The cross-correlation layer of torch's ``conv1d`` … ``conv3d``: see :class:`Layer`."""
        return Layer(weights, shape, **settings)

    @classmethod
    def transposed_layer(cls, weights: ArrayLike, shape: Sizes, **settings: Any) -> Layer:
        """The transpose of a layer, torch's ``conv_transpose``: see :class:`Layer`."""
        return Layer(weights, shape, transposed=True, **settings)


class Layer(Convolution):
    """A convolution layer, ``y[o] = Σ_c Σ_t w[o, c, t] x[c, i·stride + t·dilation − padding]``, or its transpose.

    Maps ``(channels, *shape)`` to ``(channels, *outputs)``. Parameters mean what they mean in torch; `padding_mode` may
    also be ``"symmetric"`` and ``"antireflective"``.

    Parameters
    ----------
    weights : array
        ``(outputs, inputs/groups, K, ...)``, or transposed ``(inputs, outputs/groups, K, ...)``.
    shape : int or tuple of int
        Samples per axis, without channels.
    stride, padding, dilation, output_padding : int, or one per axis
    padding_mode : {"zeros", "circular", "reflect", "replicate", "symmetric", "antireflective"}
    groups : int
    transposed : bool

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Layer(np.ones((4, 3, 5, 5)), (32, 32), padding=2, stride=2)
    >>> A.dims, A.dimsd
    ((3, 32, 32), (4, 16, 16))
    >>> A.adjoint_kernel(np.ones(A.dims), np.ones(A.dimsd)).shape
    (4, 3, 5, 5)
    """

    _layer: dict[str, Any]

    def __init__(
        self,
        weights: ArrayLike,
        shape: Sizes,
        *,
        stride: Sizes = 1,
        padding: Sizes = 0,
        padding_mode: PaddingMode = "zeros",
        dilation: Sizes = 1,
        groups: int = 1,
        output_padding: Sizes = 0,
        transposed: bool = False,
        engine: Engine = "auto",
        summation: Summation = "fastest",
        dtype: DTypeLike | None = None,
    ) -> None:
        self._take_kernel(weights, dtype, "weights")
        self._shape = sizes(shape, "the shape of the signal")
        axes = len(self._shape)
        if self._kernel.ndim != axes + 2:
            raise ValueError(
                f"weights has shape {self._kernel.shape}, expected {axes + 2} axes: two of channels, then one per axis "
                "of the signal"
            )
        self._layer = {
            "stride": list(sizes(stride, "stride", axes, least=1)),
            "padding": list(sizes(padding, "padding", axes)),
            "output_padding": list(sizes(output_padding, "output_padding", axes)),
            "dilation": list(sizes(dilation, "dilation", axes, least=1)),
            "groups": size(groups, "groups", 1),
            "padding_mode": padding_mode,
            "transposed": bool(transposed),
        }
        self._take_engine(engine, summation)
        self._native

    def _describe(self) -> _core.Description:
        return _core.layer(self._kernel, list(self._shape), self._layer)

    def _stored_taps(self) -> Array | None:
        shape = self._kernel.shape
        if not self._layer["transposed"]:
            return _each_reversed(shape, 2)
        groups = self._layer["groups"]
        positions = np.arange(self._kernel.size).reshape(groups, shape[0] // groups, shape[1], -1)
        return positions.swapaxes(1, 2).ravel()


def _each_reversed(shape: Shape, channels: int) -> Array:
    """Positions of taps with every kernel reversed along all of its axes."""
    kernels = int(np.prod(shape[:channels]))
    return np.arange(int(np.prod(shape))).reshape(kernels, -1)[:, ::-1].ravel()


class KernelOperator(LinearOperator):
    """The map ``h -> conv(x, h)`` from the kernel to the output, for a fixed signal `x`.

    Its adjoint is the gradient with respect to the kernel: for ``f(h) = ½‖conv(x, h) − b‖²``, ``∇f = Hᴴ(H h − b)``.

    Parameters
    ----------
    conv : Conv1d, Conv2d, Conv3d, RowwiseConv, FilterBank or Layer
        Whose geometry is used; its own kernel gives only the shape.
    x : array of shape ``conv.dims``

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([10.0, 1.0], 3)
    >>> H = A.kernel_operator([1.0, 2.0, 3.0])
    >>> H @ np.array([10.0, 1.0])
    array([10., 21., 32.,  3.])
    """

    dims: Shape
    dimsd: Shape
    dtype: DType
    _conv: Convolution

    def __init__(self, conv: Convolution, x: ArrayLike) -> None:
        if not isinstance(conv, Convolution):
            raise TypeError(f"conv is a {type(conv).__name__}, expected a convolution")
        x = conv._flat(x, conv.dims, "x")
        self.dtype = np.result_type(conv.dtype, x.dtype)
        self._conv, self._x = conv.astype(self.dtype), in_dtype(x, self.dtype).copy()
        self.order = conv.order
        self.dims, self.dimsd = conv.kernel.shape, conv.dimsd
        self._native

    def _in_dtype(self, dtype: DType) -> KernelOperator:
        return KernelOperator(self._conv.astype(dtype), in_dtype(self._x, dtype))

    def _build(self) -> _core.Operator:
        description = self._conv._description.kernel_operator(self._x, list(self.dims))
        native = description.operator("direct", "fastest")
        stored = self._conv._stored_taps()
        if stored is None:
            return native
        ones = np.ones(stored.size, self.dtype)
        taps = _core.csr(ones, stored, np.arange(stored.size + 1), (stored.size, stored.size), "ascending")
        return _core.product(native, taps)

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        description = self._conv._description.kernel_operator(self._x, list(self.dims))
        matrix = sparse.csr_array(description.csr(False), shape=self.shape)
        stored = self._conv._stored_taps()
        return matrix if stored is None else matrix[:, np.argsort(stored)]

    def todense(self) -> Array:
        return self.to_scipy().toarray()

    toarray = todense

    @property
    def signal(self) -> Array:
        """The fixed signal, of shape ``conv.dims``."""
        return self._x.reshape(self._conv.dims, order=self.order)
