"""Convolutions as operators: one kernel in one, two or three dimensions, and row i with row i."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._arrays import as_elements, element_dtype, has_axes, in_dtype, size, sizes
from .._outputs import check_out, put
from .._types import Array, ArrayLike, Boundary, Convention, DType, DTypeLike, Engine, Mode, Order, Shape, Sizes
from .._types import SparseFormat, Summation
from .._words import CONVENTIONS, ENGINES, FORMATS, SUMMATIONS, look_up
from .base import LinearOperator

if TYPE_CHECKING:
    from scipy import sparse
    from typing_extensions import Self

    from .layers import KernelOperator

#: Words for what stands beyond the ends; a number stands for itself.
BOUNDARIES = ("zero", "periodic", "symmetric", "reflect", "replicate", "antireflective")

_GEOMETRY = """
    mode : {"full", "same", "valid"}
        Which outputs are kept, as in MATLAB: ``same`` begins at ⌊K/2⌋, ``valid`` is empty where the kernel is longer.
    offset, output : int or tuple of int, optional
        An explicit window instead of a mode: `output` values (default: as many as samples) beginning at `offset` of the
        full convolution, which may be negative.
    boundary : str or number, or one per axis
        What stands beyond the ends: ``"zero"``, ``"periodic"``, ``"symmetric"`` (half-sample), ``"reflect"``
        (whole-sample), ``"replicate"``, ``"antireflective"``, or a number. Beyond a corner the last axis decides.
    convention : {"matlab", "scipy", "numpy"}
        Whose definition of same and valid; they differ for even kernels and kernels longer than the signal.
    stride, dilation : int, or one per axis
        Keep every `stride`-th output, beginning with the first; put ``dilation - 1`` zeros between the taps.
    correlate : bool
        Correlation: the kernel reversed, not conjugated, in the same window.
    engine : {"auto", "direct", "separable", "fft"}
        How products are computed; ``explain()`` says what "auto" took and why.
    summation : {"fastest", "ascending"}
        With ``"ascending"`` the direct engine gives the same bits as the matrix, on every machine.
    dtype : dtype, optional
        Element type; that of the kernel by default, float64 for integers."""


class Convolution(LinearOperator):
    """What all convolutions have in common: a kernel, a geometry, and matrices built directly from them.

    Examples
    --------
    >>> import convmtx
    >>> A = convmtx.Conv1d([1.0, 2.0], 3, dtype="float32")
    >>> isinstance(A, convmtx.Convolution), isinstance(A.H, convmtx.Convolution)
    (True, False)
    >>> A.kernel
    array([1., 2.], dtype=float32)
    """

    _kernel: Array
    _shape: Shape
    _geometry: dict[str, Any]
    _engine: Engine
    _summation: Summation

    def _describe(self) -> _core.Description:
        """The checked description in the library."""
        raise NotImplementedError

    def _stored_taps(self) -> Array | None:
        """Positions in the given kernel of the taps in the library's order; None if that is the same."""
        return None

    @cached_property
    def _description(self) -> _core.Description:
        return self._describe()

    @property
    def kernel(self) -> Array:
        """The kernel; read-only."""
        return self._kernel

    @property
    def dtype(self) -> DType:
        return self._kernel.dtype

    @property
    def dims(self) -> Shape:
        return tuple(self._description.dims)

    @property
    def dimsd(self) -> Shape:
        return tuple(self._description.dimsd)

    def _take_kernel(self, kernel: ArrayLike, dtype: DTypeLike | None, name: str = "kernel") -> None:
        kernel = as_elements(kernel, name)
        if dtype is not None:
            dtype = element_dtype(dtype)
            if kernel.dtype.kind == "c" and dtype.kind != "c":
                raise TypeError(f"{name} is complex, expected a complex dtype, not {dtype}")
            kernel = kernel.astype(dtype)
        self._kernel = kernel.copy() if kernel.base is not None or kernel.flags.writeable else kernel
        self._kernel.flags.writeable = False

    def _take_engine(self, engine: Engine, summation: Summation) -> None:
        self._engine = look_up("engine", engine, ENGINES)
        self._summation = look_up("summation", summation, SUMMATIONS)

    def _in_dtype(self, dtype: DType) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__getstate__())
        twin._kernel = in_dtype(self._kernel, dtype)
        if isinstance(getattr(self, "_geometry", None), dict):
            twin._geometry = {**self._geometry, "constants": in_dtype(self._geometry["constants"], dtype)}
        return twin

    def _build(self) -> _core.Operator:
        return self._description.operator(self._engine, self._summation)

    def constant_term(self) -> Array | None:
        term = self._description.constant_term()
        return None if term is None else self._of_shape(term, self.dimsd)

    def to_scipy(self, format: SparseFormat = "csr", *, keep_zeros: bool = False) -> sparse.sparray:
        """The matrix as a SciPy sparse array, built in O(nnz); its arrays are handed over, not copied.

        Parameters
        ----------
        format : {"csr", "csc", "coo", "dia", "bsr", "lil", "dok"}
            Compressed rows and columns are built directly, others converted by SciPy.
        keep_zeros : bool
            Store an entry wherever a tap meets a sample, zero or not: one pattern for every kernel of this size,
            which `update_matrix` fills with other coefficients in place.

        Returns
        -------
        scipy.sparse.sparray
            Columns sorted, no duplicates. 32-bit indices where they suffice.

        Raises
        ------
        MemoryError
            Before any work, when the matrix does not fit into memory.
        """
        from scipy import sparse

        look_up("format", format, FORMATS)  # before any work
        if format == "csc" and not keep_zeros:
            return _canonical(sparse.csc_array, self._description.csr_transpose(), self.shape)
        matrix = _canonical(sparse.csr_array, self._description.csr(keep_zeros), self.shape)
        return matrix if format == "csr" else matrix.asformat(format)

    def update_matrix(self, matrix: sparse.csr_array | sparse.csr_matrix) -> None:
        """Writes the coefficients of this convolution into ``matrix.data``; the pattern stays, nothing is copied.

        Afterwards `matrix` equals ``to_scipy(keep_zeros=True)``, bit for bit. For kernels that change while the
        geometry stays: a few times faster than building the matrix again, for no fresh memory is needed. O(nnz).

        Parameters
        ----------
        matrix : scipy.sparse.csr_array or csr_matrix
            With the pattern of ``to_scipy(keep_zeros=True)``, which depends on the geometry and the kernel's size only,
            and with this operator's dtype. Row pointers are compared in full, columns in some rows.

        Raises
        ------
        TypeError
            For another format, another dtype, or data that are not writable.
        ValueError
            For another shape or another pattern, with the first row that differs. `matrix` is then as it was.

        Examples
        --------
        >>> import convmtx
        >>> matrix = convmtx.Conv1d([1.0, 0.0, 3.0], 3, "same").to_scipy(keep_zeros=True)
        >>> convmtx.Conv1d([4.0, 5.0, 6.0], 3, "same").update_matrix(matrix)
        >>> matrix.toarray()
        array([[5., 4., 0.],
               [6., 5., 4.],
               [0., 6., 5.]])
        """
        if getattr(matrix, "format", None) != "csr":
            found = getattr(matrix, "format", type(matrix).__name__)
            raise TypeError(f"matrix is {found}, expected a SciPy array in compressed rows: matrix.tocsr()")
        if matrix.dtype != self.dtype:
            raise TypeError(f"matrix has dtype {matrix.dtype}, expected {self.dtype}: astype() of either")
        self._description.update_csr(matrix.shape, matrix.indptr, matrix.indices, matrix.data)

    def _sparse(self) -> sparse.sparray:
        return self.to_scipy()

    def todense(self) -> Array:
        return self.to_scipy().toarray()

    toarray = todense

    def normal_matrix(self) -> sparse.csr_array:
        """AᴴA as a SciPy sparse array, built without forming A."""
        from scipy import sparse

        n = self.shape[1]
        return _canonical(sparse.csr_array, self._description.normal(), (n, n))

    def kernel_operator(self, x: ArrayLike) -> KernelOperator:
        """The map ``h -> conv(x, h)`` for a fixed signal `x` of shape `dims`; its adjoint is the kernel's gradient."""
        from .layers import KernelOperator

        return KernelOperator(self, x)

    def adjoint_kernel(self, x: ArrayLike, y: ArrayLike, *, out: Array | None = None) -> Array:
        """Hᴴ y, the gradient of ⟨y, conv(x, h)⟩ with respect to the kernel h, in the kernel's shape and orientation.

        Parameters
        ----------
        x : array of shape `dims`, or (*batch, *dims)
        y : array of shape `dimsd`, or (*batch, *dimsd)
            With batch axes, as many in both, the sum of the gradients over the batch: one product in the library.
        out : ndarray of the kernel's shape, optional
            Of the result's dtype, to write into; it is returned. Any strides; it may overlap `x` and `y`.

        Examples
        --------
        >>> import numpy as np, convmtx
        >>> A = convmtx.Conv1d([1.0, 2.0], 3, "valid", correlate=True)
        >>> A.adjoint_kernel([1.0, 2.0, 4.0], [1.0, 0.0])
        array([1., 2.])
        >>> A.adjoint_kernel([[1.0, 2.0, 4.0], [1.0, 0.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]])
        array([2., 2.])
        """
        x, y = as_elements(x, "x"), as_elements(y, "y")
        dtype = np.result_type(self.dtype, x.dtype, y.dtype)
        if out is not None:
            check_out(out, self.kernel.shape, dtype)
        if x.ndim > len(self.dims) and y.ndim > len(self.dimsd):
            x, y = self._members(x, y)
        else:
            x, y = self._flat(x, self.dims, "x"), self._flat(y, self.dimsd, "y")
        description = self.astype(dtype)._description
        taps = description.adjoint_kernel(in_dtype(x, dtype), in_dtype(y, dtype))
        gradient = taps.reshape(self.kernel.shape, order=self.order)
        return gradient if out is None else put(gradient, out)

    def _members(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The members of a batch one after the other, each in the library's order."""
        batches = []
        for v, shape, name in ((x, self.dims, "x"), (y, self.dimsd, "y")):
            batch = v.shape[: v.ndim - len(shape)]
            if v.shape != (*batch, *shape):
                raise ValueError(f"{name} has shape {v.shape}, expected {shape} after the axes of the batch")
            batches.append(batch)
        if batches[0] != batches[1]:
            raise ValueError(f"x is a batch of shape {batches[0]} and y of {batches[1]}, expected the same")
        if self.order == "C":
            return x.ravel(), y.ravel()
        # Column-major members: their axes reversed are row-major.
        x, y = (
            np.moveaxis(v, range(len(batches[0]), v.ndim), range(v.ndim - 1, len(batches[0]) - 1, -1)) for v in (x, y)
        )
        return x.ravel(), y.ravel()

    def _flat(self, v: ArrayLike, shape: Shape, name: str) -> Array:
        v = as_elements(v, name)
        if v.shape != shape and v.shape != (int(np.prod(shape)),):
            raise ValueError(f"{name} has shape {v.shape}, expected {shape}")
        return v.ravel(self.order)

    def explain(self) -> str:
        """The candidates for computing products, their cost, and why one was taken."""
        return self._description.explain(self._engine, self._summation)

    @property
    def engine(self) -> str:
        """The engine that computes products: "direct" or "fft"."""
        return self._description.engine(self._engine, self._summation)


def _canonical(array: Any, parts: _core.Arrays3, shape: tuple[int, int]) -> Any:
    """A sparse array over arrays that are sorted and without duplicates, as the library builds them."""
    data, indices, indptr = parts
    matrix = array((data, indices, indptr), shape=shape, copy=False)
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


def spell(
    kernel: Array,
    shape: Shape,
    mode: Mode,
    offset: Any,
    output: Any,
    boundary: Boundary,
    convention: Convention,
    stride: Sizes,
    dilation: Sizes,
    correlate: bool,
    order: Order = "C",
) -> dict[str, Any]:
    """The geometry as the library reads it: everything per axis."""
    axes = len(shape)
    if isinstance(boundary, (tuple, list)):
        if len(boundary) != axes:
            raise ValueError(f"boundary has {len(boundary)} values, expected {axes}, one per axis")
        boundaries = boundary
    else:
        boundaries = (boundary,) * axes
    constants = np.zeros(axes, kernel.dtype)
    words = []
    for a, word in enumerate(boundaries):
        if isinstance(word, str):
            if word not in BOUNDARIES:
                known = ", ".join(f"'{b}'" for b in BOUNDARIES)
                raise ValueError(f"boundary is '{word}', expected one of {known}, or a number")
            words.append(word)
        else:
            if isinstance(word, int) and not isinstance(word, bool):
                word = float(word)  # of any size
            if not np.isscalar(word) and np.ndim(word) != 0 or not np.issubdtype(np.asarray(word).dtype, np.number):
                raise TypeError(f"boundary is {word!r}, expected a word or a number")
            if np.iscomplexobj(word) and kernel.dtype.kind != "c":
                raise TypeError("boundary is a complex number, expected a real one for a real kernel")
            constants[a] = word
            words.append("constant")
    strides = sizes(stride, "stride", axes, least=1)
    spelled: dict[str, Any] = {"mode": mode, "offset": None, "output": None}
    if offset is not None:
        offsets = tuple(offset) if has_axes(offset) else (offset,) * axes
        if output is None:
            output = tuple(-(-n // s) for n, s in zip(shape, strides))
        spelled = {
            "mode": None,
            "offset": [size(o, "offset", least=-(2**62)) for o in offsets],
            "output": list(sizes(output, "output", axes)),
        }
    elif output is not None:
        raise ValueError("output is given without offset, expected both or neither")
    elif not isinstance(mode, str):
        raise TypeError(f"mode is {mode!r}, expected 'full', 'same' or 'valid'")
    if order not in ("C", "F"):
        raise ValueError(f"order is {order!r}, expected 'C' or 'F'")
    return spelled | {
        "convention": look_up("convention", convention, CONVENTIONS),
        "boundary": words,
        "constants": constants,
        "stride": list(strides),
        "dilation": list(sizes(dilation, "dilation", axes, least=1)),
        "correlate": bool(correlate),
        "column_major": order == "F",
    }


class _Conv(Convolution):
    """One kernel of as many axes as the signal."""

    _axes: int

    def __init__(
        self,
        kernel: ArrayLike,
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
        order: Order = "C",
        engine: Engine = "auto",
        summation: Summation = "fastest",
        dtype: DTypeLike | None = None,
    ) -> None:
        self._take_kernel(kernel, dtype)
        if self._kernel.ndim != self._axes:
            raise ValueError(f"kernel has shape {self._kernel.shape}, expected {self._axes} axes")
        self._shape = sizes(shape, "the shape of the signal", self._axes if has_axes(shape) else None)
        if len(self._shape) != self._axes:
            raise ValueError(f"the shape of the signal is {self._shape}, expected {self._axes} numbers")
        self._geometry = spell(
            self._kernel, self._shape, mode, offset, output, boundary, convention, stride, dilation, correlate, order
        )
        self.order = order
        self._take_engine(engine, summation)
        self._native  # refuses what cannot be, now

    def _describe(self) -> _core.Description:
        return _core.conv(self._kernel, list(self._shape), self._geometry)

    def _stored_taps(self) -> Array | None:
        return np.arange(self._kernel.size)[::-1] if self._geometry["correlate"] else None


class Conv1d(_Conv):
    """Convolution of signals of `n` samples with one kernel, ``y[i] = Σ k[t] x[stride·i + offset − dilation·t]``.

    Parameters
    ----------
    kernel : (K,) array
    n : int
        Samples per signal.
    mode : {"full", "same", "valid"}, default "full"
    offset, output, boundary, convention, stride, dilation, correlate, engine, summation, dtype
        See :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1, 2, 3], 4, "valid")
    >>> A.todense()
    array([[3., 2., 1., 0.],
           [0., 3., 2., 1.]])
    >>> A @ np.array([1.0, 0, 0, 1])
    array([3., 1.])
    >>> A.H @ np.array([1.0, 0])
    array([3., 2., 1., 0.])
    >>> bool(A.dottest())
    True
    """

    _axes = 1

    def to_banded(self, fill: bool = False) -> tuple[tuple[int, int], Array]:
        """``(l, u), ab``: the band as LAPACK and ``scipy.linalg.solve_banded`` store it.

        Parameters
        ----------
        fill : bool
            Leave l rows of zeros on top, as LAPACK's ``gbtrf`` wants for fill-in.

        Raises
        ------
        ValueError
            For a stride above 1 and for periodic boundaries, whose matrices are not banded.
        """
        kl, ku, ab = self._description.banded(fill)
        return (kl, ku), ab

    def to_diagonals(self) -> tuple[Array, Array]:
        """``data, offsets`` as ``scipy.sparse.dia_array`` takes them: the non-empty diagonals."""
        offsets, data = self._description.diagonals()
        return data, offsets


class Conv2d(_Conv):
    __doc__ = f"""Convolution of images with one kernel.

    Parameters
    ----------
    kernel : (K0, K1) array
    shape : (int, int)
        Rows and columns of the image.{_GEOMETRY}
    order : {{"C", "F"}}
        How images become vectors: rows first, or columns first as MATLAB's ``X(:)``.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv2d(np.ones((3, 3)) / 9, (480, 640), "same", boundary="symmetric")
    >>> A.shape, A.dims, A.dimsd
    ((307200, 307200), (480, 640), (480, 640))
    >>> blurred = A @ np.ones((480, 640))
    >>> bool(abs(blurred - 1).max() < 1e-15)
    True
    >>> A.to_scipy().nnz
    2758084
    """

    _axes = 2


class Conv3d(_Conv):
    """Convolution of volumes with one kernel; parameters as in :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.Conv3d(np.ones((2, 2, 2)), (4, 5, 6)).dimsd
    (5, 6, 7)
    """

    _axes = 3


class RowwiseConv(Convolution):
    """Row i of the signals with row i of the kernels, never across rows.

    A single row on either side is shared by all rows of the other. The matrix is block-diagonal, or a stack of blocks
    for a shared signal; nothing of size rows² is computed.

    Parameters
    ----------
    kernels : (rows, K) array
    shape : (int, int)
        Number of signals and samples per signal.
    mode : {"full", "same", "valid"}, default "full"
    offset, output, boundary, convention, stride, dilation, correlate, engine, summation, dtype
        See :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.RowwiseConv([[1, -1], [0.5, 0.5]], (2, 3))
    >>> A @ np.array([[1.0, 2, 4], [1, 2, 4]])
    array([[ 1. ,  1. ,  2. , -4. ],
           [ 0.5,  1.5,  3. ,  2. ]])
    """

    def __init__(
        self,
        kernels: ArrayLike,
        shape: tuple[int, int],
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
        if self._kernel.ndim != 2:
            raise ValueError(f"kernels has shape {self._kernel.shape}, expected (rows, taps)")
        self._shape = sizes(shape, "the shape of the signals")
        if len(self._shape) != 2:
            raise ValueError(f"the shape of the signals is {self._shape}, expected (rows, samples)")
        self._geometry = spell(
            self._kernel, self._shape[1:], mode, offset, output, boundary, convention, stride, dilation, correlate
        )
        self._take_engine(engine, summation)
        self._native

    def _describe(self) -> _core.Description:
        return _core.rows(self._kernel, self._shape, self._geometry)

    def _stored_taps(self) -> Array | None:
        if not self._geometry["correlate"]:
            return None
        return np.arange(self._kernel.size).reshape(self._kernel.shape)[:, ::-1].ravel()
