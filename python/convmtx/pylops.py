"""PyLops' convolution operators: its names, arguments and results, without PyLops.

``Convolve1D``, ``Convolve2D`` and ``ConvolveND`` convolve arrays of shape ``dims`` along some of their axes;
``offset`` is the tap that stands on the sample (0 by default, a causal filter): ``y = full[offset : offset + n]``
along each axis. They are operators of this package, so that the adjoint is exact for complex kernels too, for every
axis and for kernels longer than the axis, where PyLops 2.8.0's is not; ``to_pylops()`` makes PyLops operators of
them.

>>> import numpy as np
>>> from convmtx.pylops import Convolve1D
>>> op = Convolve1D(5, np.array([1.0, 2.0, 1.0]), offset=1)
>>> op @ np.array([0.0, 0.0, 1.0, 0.0, 0.0])
array([0., 1., 2., 1., 0.])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import _core
from ._apply import convolve, operator_for
from ._arrays import as_elements, size, sizes
from ._types import Array, ArrayLike, DType, DTypeLike, Engine, Shape, Sizes, SparseFormat
from ._words import look_up
from .operators import Convolution, LinearOperator, RowwiseConv

if TYPE_CHECKING:
    from scipy import sparse
    from typing_extensions import Self

__all__ = ["Convolve1D", "Convolve2D", "ConvolveND"]

# PyLops' methods choose between functions of SciPy. Here "direct" is kept, and the others leave the choice to the plan.
ENGINES = {None: "auto", "auto": "auto", "direct": "direct", "fft": "auto", "overlapadd": "auto"}


class _AlongAxes(LinearOperator):
    """Convolution of arrays of shape ``dims`` along ``axes``: ``full[offset : offset + output]`` per axis.

    ``kernel`` has one axis per convolved axis, or as many axes as ``dims``: then it has its own taps for every position
    along the axes that are not convolved, unless it is 1 wide there.
    """

    def __init__(
        self,
        dims: Shape,
        kernel: Array,
        axes: Sequence[int],
        offset: Sequence[int],
        output: Sequence[int],
        method: str | None,
        dtype: DTypeLike,
        name: str,
    ) -> None:
        self._dims = dims
        self.axes = tuple(axes)
        self.offset = tuple(size(o, "offset", least=-(2**62)) for o in offset)
        lengths = dict(zip(self.axes, output))
        self._dimsd = tuple(lengths.get(a, n) for a, n in enumerate(dims))
        self.name = name
        self._engine = look_up("method", method, ENGINES)
        self._kernel = kernel.astype(np.result_type(kernel.dtype, dtype))
        self._native  # refuses what cannot be, now

    @property
    def dims(self) -> Shape:
        return self._dims

    @property
    def dimsd(self) -> Shape:
        return self._dimsd

    @property
    def dtype(self) -> DType:
        return self._kernel.dtype

    def _in_dtype(self, dtype: DType) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__getstate__())
        twin._kernel = self._kernel.astype(dtype)
        return twin

    def _build(self) -> _core.Operator:
        inner = self._inner()
        if inner is not None:
            return inner._native
        return _core.foreign(self.dtype.name, self.shape, self._along(False), self._along(True))

    def to_scipy(self, format: SparseFormat = "csr") -> sparse.sparray:
        inner = self._inner()
        return super().to_scipy(format) if inner is None else inner.to_scipy(format)

    def todense(self) -> Array:
        inner = self._inner()
        return super().todense() if inner is None else inner.todense()

    toarray = todense

    def _inner(self) -> Convolution | None:
        """The operator of the package that is this one on reshaped arrays, or None if no reshaping leads to one."""
        output = [self.dimsd[a] for a in self.axes]
        if self._kernel.ndim == len(self.axes):
            return _grouped(self.dims, self._kernel, self.axes, self.offset, output, self._engine)
        if self.axes == (len(self.dims) - 1,):  # its own taps for every row
            rows = math.prod(self.dims[:-1])
            taps = np.broadcast_to(self._kernel, (*self.dims[:-1], self._kernel.shape[-1])).reshape(rows, -1)
            return RowwiseConv(
                taps, (rows, self.dims[-1]), offset=self.offset[0], output=output[0], engine=self._engine
            )
        return None

    def _along(self, adjoint: bool) -> Callable[[Array], Array]:
        """The product as a function of flat vectors, by convolution along the axes."""
        axes, ndim = self.axes, len(self.dims)
        last = range(ndim - len(axes), ndim)
        kernel = self._kernel
        own_taps = kernel.ndim == ndim
        if own_taps:
            kernel = np.moveaxis(kernel, axes, last)
        offset, output, shape = self.offset, self.dimsd, self.dims
        if adjoint:
            taps = kernel.shape[kernel.ndim - len(axes) :]
            kernel = np.flip(kernel, tuple(range(-len(axes), 0))).conj()
            offset = tuple(k - 1 - o for k, o in zip(taps, offset))
            output, shape = shape, output
        lengths, engine = [output[a] for a in axes], self._engine  # no `self`: see `_Foreign`

        def product(v: Array) -> Array:
            x = np.moveaxis(v.reshape(shape), axes, last)
            y = convolve(x, kernel, offset, lengths, engine=engine, names=("x", "h"))
            return np.moveaxis(y, last, axes).ravel()

        return product


def _grouped(
    dims: Shape, kernel: Array, axes: Sequence[int], offset: Sequence[int], output: Sequence[int], engine: Engine
) -> Convolution | None:
    """A ``Conv`` over at most three axes: neighbours that are not convolved are one axis, the kernel 1 wide there."""
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    kernel = kernel.transpose(order)
    groups: list[tuple[int, int, int, int]] = []  # samples, taps, offset, output
    after = 0
    for i, taps in zip(order, kernel.shape):
        between = math.prod(dims[after : axes[i]])
        groups += [(between, 1, 0, between)] * (between != 1)
        groups.append((dims[axes[i]], taps, offset[i], output[i]))
        after = axes[i] + 1
    rest = math.prod(dims[after:])
    groups += [(rest, 1, 0, rest)] * (rest != 1)
    if len(groups) > 3:
        return None
    samples, widths, offsets, outputs = zip(*groups)
    return operator_for(kernel.reshape(widths), samples, offset=offsets, output=outputs, engine=engine)


class Convolve1D(_AlongAxes):
    """Convolution along one axis (``pylops.signalprocessing.Convolve1D``).

    Parameters
    ----------
    dims : int or tuple of int
        Shape of the model.
    h : array
        The kernel: of one dimension, or with as many dimensions as ``dims`` to give every row its own taps.
    offset : int
        The tap that stands on the sample. ``len(h) // 2`` gives MATLAB's "same".
    axis : int
        The axis to convolve along.
    method : {None, "direct", "fft", "overlapadd"}
        "direct" is taken as it is; the others let the plan choose.
    dtype : dtype
        The operator has the promotion of this and the dtype of ``h``.
    name : str
        For PyLops' descriptions.

    Notes
    -----
    As in PyLops, a kernel that is longer than the axis gives data as long as the kernel.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> op = convmtx.Convolve1D((2, 3), np.array([1.0, 10.0]), axis=0)
    >>> op @ np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([[ 1.,  2.,  3.],
           [14., 25., 36.]])
    >>> bool(op.dottest())
    True
    """

    def __init__(
        self,
        dims: Sizes,
        h: ArrayLike,
        offset: int = 0,
        axis: int = -1,
        method: str | None = None,
        dtype: DTypeLike = "float64",
        name: str = "C",
    ) -> None:
        dims, h = sizes(dims, "dims", least=1), as_elements(h, "h")
        axis = _axis(axis, len(dims))
        if h.ndim not in (1, len(dims)):
            raise ValueError(f"h has shape {h.shape}, expected one dimension or {len(dims)}, as dims {dims}")
        taps = h.shape[0] if h.ndim == 1 else h.shape[axis]
        if h.ndim > 1:
            others = [(h.shape[a], dims[a]) for a in range(len(dims)) if a != axis]
            if any(width not in (1, n) for width, n in others):
                raise ValueError(f"h has shape {h.shape}, expected 1 or the numbers of dims {dims} beside axis {axis}")
            if all(width == 1 for width, _ in others):
                h = h.reshape(-1)
        length, offset = max(dims[axis], taps), size(offset, "offset", least=-(2**62))
        if offset > min(dims[axis], taps) - 1 and offset > 0:
            raise ValueError(
                f"`offset` is {offset}, expected at most {min(dims[axis], taps) - 1}: one less than taps and samples"
            )
        super().__init__(dims, h, (axis,), (offset,), (length,), method, dtype, name)


class ConvolveND(_AlongAxes):
    """Convolution along several axes (``pylops.signalprocessing.ConvolveND``).

    Parameters
    ----------
    dims : int or tuple of int
        Shape of the model, and of the data.
    h : array
        The kernel, with one dimension per convolved axis, or as many as ``dims`` (then all axes are convolved).
    offset : tuple of int, optional
        The tap that stands on the sample, per dimension of the kernel; zeros by default.
    axes : tuple of int, optional
        The axes to convolve along; None for all.
    method, dtype, name
        As for :class:`Convolve1D`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> op = convmtx.ConvolveND((2, 2, 2), np.ones((2, 2, 2)), axes=(0, 1, 2))
    >>> (op @ np.ones((2, 2, 2)))[1]
    array([[2., 4.],
           [4., 8.]])
    """

    def __init__(
        self,
        dims: Sizes,
        h: ArrayLike,
        offset: Sizes | None = None,
        axes: Sequence[int] | None = (-2, -1),
        method: str | None = "fft",
        dtype: DTypeLike = "float64",
        name: str = "C",
    ) -> None:
        dims, h = sizes(dims, "dims", least=1), as_elements(h, "h")
        every = range(len(dims))
        axes = tuple(every) if axes is None or h.ndim == len(dims) else tuple(_axis(a, len(dims)) for a in axes)
        if h.ndim != len(axes) or len(set(axes)) != len(axes):
            raise ValueError(f"h has {h.ndim} dimensions, expected one for each of the axes {axes}")
        offset = (0,) * h.ndim if offset is None else sizes(offset, "offset", h.ndim, least=-(2**62))
        super().__init__(dims, h, axes, offset, [dims[a] for a in axes], method, dtype, name)


class Convolve2D(ConvolveND):
    """Convolution along two axes (``pylops.signalprocessing.Convolve2D``); parameters as for :class:`ConvolveND`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> op = convmtx.Convolve2D((3, 3), np.ones((3, 3)), offset=(1, 1))
    >>> op @ np.ones((3, 3))
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]])
    """

    def __init__(
        self,
        dims: Sizes,
        h: ArrayLike,
        offset: Sizes = (0, 0),
        axes: Sequence[int] | None = (-2, -1),
        method: str | None = "fft",
        dtype: DTypeLike = "float64",
        name: str = "C",
    ) -> None:
        h = as_elements(h, "h")
        if h.ndim != 2:
            raise ValueError(f"`h` must be 2-dimensional, but has {h.ndim} dimensions")
        super().__init__(dims, h, offset, axes, method, dtype, name)


def _axis(axis: int, ndim: int) -> int:
    axis = size(axis, "axis", least=-(2**62))
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis {axis} is out of range for {ndim} dimensions")
    return axis % ndim
