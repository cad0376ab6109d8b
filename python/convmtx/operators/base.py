"""The operator as Python sees it: shapes, products, algebra, and the ways out to SciPy and PyLops."""

from __future__ import annotations

import math
import numbers
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import _core
from .._arrays import as_elements, element_dtype, in_dtype, size
from .._outputs import check_out, put, takes_results
from .._types import Array, ArrayLike, DType, DTypeLike, Number, Order, Shape, SparseFormat
from .._words import FORMATS, look_up
from .dottest import DotTest

if TYPE_CHECKING:
    from scipy import sparse
    from typing_extensions import Self


class LinearOperator:
    """A linear map from arrays of shape `dims` to arrays of shape `dimsd`; the base of all operators here.

    Works wherever SciPy or PyLops expect an operator: it has ``shape``, ``dtype``, ``matvec``, ``rmatvec``, ``matmat``,
    ``rmatmat``. A batch is a matrix with one signal per **column**, in any memory layout; none is copied to change it.

    Results have the dtype that NumPy's promotion gives for operator and vector. A complex vector meets a real operator
    as its real and imaginary part.

    Products by name (`matvec`, `rmatvec`, `matmat`, `rmatmat`, `apply`, `apply_adjoint`) take ``out=``, an array of
    exactly the result's shape and dtype, write into it and return it. It may have any strides and may overlap what is
    read. Contiguous memory that does not is written directly, without a result beside it: a vector, a batch by rows or
    by columns (fastest in the layout of the batch that is read), a stack of arrays in the operator's `order`. Elsewhere
    the result is computed first and then copied. A product that raises on its way, after its arguments were accepted,
    may leave `out` partly written. No other thread may use `out` meanwhile; products that do are refused where it is
    written directly.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the matrix.
    dtype : numpy.dtype
    dims, dimsd : tuple of int
        Shapes of input and output arrays.
    order : {"C", "F"}
        How arrays of these shapes become vectors.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A: convmtx.LinearOperator = 2 * convmtx.Conv1d([1.0, 1.0], 3).H
    >>> A.shape, A.dims, A.dimsd
    ((3, 4), (4,), (3,))
    >>> A @ np.array([1.0, 2.0, 4.0, 8.0])
    array([ 6., 12., 24.])
    """

    __array_ufunc__ = None  # so that `array @ operator` and `number * operator` ask us
    order: Order = "C"

    # What a subclass says about itself.

    if TYPE_CHECKING:  # attributes or properties, as a subclass likes

        @property
        def dims(self) -> Shape: ...
        @property
        def dimsd(self) -> Shape: ...
        @property
        def dtype(self) -> DType: ...

    def _build(self) -> _core.Operator:
        """The native operator, of this dtype."""
        raise NotImplementedError

    def _in_dtype(self, dtype: DType) -> Self:
        """The same operator with elements of another type."""
        raise NotImplementedError

    def _sparse(self) -> sparse.sparray:
        """The matrix as a SciPy sparse array in whatever format is natural."""
        from scipy import sparse

        return sparse.csr_array(self.todense())

    # Everything below follows from it.

    @property
    def shape(self) -> tuple[int, int]:
        return (math.prod(self.dimsd), math.prod(self.dims))

    @property
    def ndim(self) -> int:
        """2, as every matrix."""
        return 2

    @cached_property
    def _native(self) -> _core.Operator:
        return self._build()

    @cached_property
    def _twins(self) -> dict[DType, Self]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        caches = ("_native", "_twins", "_description")
        return {name: value for name, value in self.__dict__.items() if name not in caches}

    def astype(self, dtype: DTypeLike) -> Self:
        """This operator with elements of another type: the taps converted, which may round.

        Parameters
        ----------
        dtype : dtype
            float32, float64, complex64 or complex128.
        """
        dtype = element_dtype(dtype)
        if dtype == self.dtype:
            return self
        if dtype not in self._twins:
            self._twins[dtype] = self._in_dtype(dtype)
        return self._twins[dtype]

    def _product(self, v: Array, adjoint: bool, out: Array | None = None) -> Array:
        """A v or Aᴴ v for elements `v` of checked shape; in `out`, checked for shape and dtype, if given."""
        dtype = np.result_type(self.dtype, v.dtype)
        if dtype.kind == "c" and self.dtype.kind != "c":
            return self._product_of_parts(v, adjoint, dtype, out)
        native = self.astype(dtype)._native
        product = native.adjoint if adjoint else native.forward
        v = in_dtype(v, dtype)
        if out is None or takes_results(out, v):
            return product(v, out)
        return put(product(v), out)

    def _product_of_parts(self, v: Array, adjoint: bool, dtype: DType, out: Array | None) -> Array:
        """The product of a real operator with complex vectors: twice as many real ones."""
        v = in_dtype(v, dtype)
        if v.ndim == 2 and v.shape[1] >= 4 and v.flags.c_contiguous:
            real = v.real.dtype
            if out is not None and out.size and out.flags.c_contiguous:
                self._product(v.view(real), adjoint, out.view(real))
                return out
            result = self._product(v.view(real), adjoint).view(dtype)
            return result if out is None else put(result, out)
        parts = [self._product(np.ascontiguousarray(part), adjoint) for part in (v.real, v.imag)]
        result = np.empty(parts[0].shape, dtype) if out is None else out
        result.real, result.imag = parts
        return result

    def _vector(self, v: ArrayLike, adjoint: bool, name: str, out: Array | None) -> Array:
        v = as_elements(v, name)
        to, expected = self.shape[::-1] if adjoint else self.shape
        if v.shape not in ((expected,), (expected, 1)):
            raise ValueError(f"{name} has shape {v.shape}, expected ({expected},) or ({expected}, 1)")
        column = v.ndim == 2
        if out is None:
            product = self._product(v.reshape(expected), adjoint)
            return product.reshape(to, 1) if column else product
        room = check_out(out, (to, 1) if column else (to,), np.result_type(self.dtype, v.dtype))
        self._product(v.reshape(expected), adjoint, room[:, 0] if column else room)
        return out

    def _batch(self, v: ArrayLike, adjoint: bool, name: str, out: Array | None) -> Array:
        v = as_elements(v, name)
        to, expected = self.shape[::-1] if adjoint else self.shape
        if v.ndim != 2 or v.shape[0] != expected:
            raise ValueError(f"{name} has shape {v.shape}, expected ({expected}, S), one signal per column")
        if out is None:
            return self._product(v, adjoint)
        self._product(v, adjoint, check_out(out, (to, v.shape[1]), np.result_type(self.dtype, v.dtype)))
        return out

    def matvec(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """A x for a vector of ``shape[1]`` elements, in `out` if given; a column stays a column.

        Examples
        --------
        >>> import numpy as np, convmtx
        >>> A, y = convmtx.Conv1d([1.0, 2.0], 2), np.empty(3)
        >>> A.matvec([1.0, 10.0], out=y) is y
        True
        >>> y
        array([ 1., 12., 20.])
        """
        return self._vector(x, False, "x", out)

    def rmatvec(self, y: ArrayLike, *, out: Array | None = None) -> Array:
        """Aᴴ y for a vector of ``shape[0]`` elements, in `out` if given; a column stays a column."""
        return self._vector(y, True, "y", out)

    def matmat(self, X: ArrayLike, *, out: Array | None = None) -> Array:
        """A X for a batch, one signal per column, in `out` if given; otherwise the result has the layout of `X`."""
        return self._batch(X, False, "X", out)

    def rmatmat(self, Y: ArrayLike, *, out: Array | None = None) -> Array:
        """Aᴴ Y for a batch, one signal per column, in `out` if given; otherwise the result has the layout of `Y`."""
        return self._batch(Y, True, "Y", out)

    # What `pylops.aslinearoperator` calls.

    def _matvec(self, x: ArrayLike) -> Array:
        return self.matvec(x)

    def _rmatvec(self, y: ArrayLike) -> Array:
        return self.rmatvec(y)

    @overload
    def dot(self, x: LinearOperator | Number) -> LinearOperator: ...  # type: ignore[overload-overlap]
    @overload
    def dot(self, x: ArrayLike) -> Array: ...
    def dot(self, x: Any) -> Any:
        """The product with a vector, a batch ``(n, S)``, an array of shape `dims`, a number, or another operator."""
        if is_number(x):
            return x * self
        if is_operator(x):
            return self @ x
        v = as_elements(x)
        if v.ndim > 1 and v.shape == self.dims:
            return self._of_shape(self._product(v.ravel(self.order), False), self.dimsd)
        n = self.shape[1]
        if v.ndim in (1, 2) and v.shape[0] == n:
            return self._product(v, False)
        also = f" or {self.dims}" if len(self.dims) > 1 else ""
        raise ValueError(f"x has shape {v.shape}, expected ({n},), ({n}, S){also}")

    def _of_shape(self, v: Array, shape: Shape) -> Array:
        return v.reshape(shape, order=self.order)

    @overload
    def __call__(self, x: LinearOperator | Number) -> LinearOperator: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, x: ArrayLike) -> Array: ...
    def __call__(self, x: Any) -> Any:
        return self.dot(x)

    def apply(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """The map of arrays of shape `dims` with any leading batch axes, ``(*batch, *dims)`` to ``(*batch, *dimsd)``.

        Where the boundary is a constant its contribution is added, unlike in products with the operator, which are
        linear.

        Parameters
        ----------
        x : array of shape ``(*batch, *dims)``
        out : ndarray of shape ``(*batch, *dimsd)``, optional
            Of the result's dtype, to write into; it is returned.
        """
        y = self._apply(x, self.dims, self.dimsd, False, "x", out)
        constant = self.constant_term()
        if constant is not None:
            plain = np.asarray(y)  # a subclass may add in its own way
            plain += constant.astype(y.dtype, copy=False)
        return y

    def apply_adjoint(self, y: ArrayLike, *, out: Array | None = None) -> Array:
        """The adjoint for arrays of shape `dimsd` with any leading batch axes, in `out` if given."""
        return self._apply(y, self.dimsd, self.dims, True, "y", out)

    def _apply(
        self, v: ArrayLike, shape: Shape, result: Shape, adjoint: bool, name: str, out: Array | None = None
    ) -> Array:
        v = as_elements(v, name)
        axes = len(shape)
        if v.ndim < axes or v.shape[v.ndim - axes :] != shape:
            raise ValueError(f"{name} has shape {v.shape}, expected (..., {', '.join(map(str, shape))})")
        batch = v.shape[: v.ndim - axes]
        place = None
        if out is not None:
            room = self._in_order(check_out(out, (*batch, *result), np.result_type(self.dtype, v.dtype)), len(batch))
            place = room if room.flags.c_contiguous else None  # others have no view of the shape below
        v = self._in_order(v, len(batch))
        if batch:  # one signal per column, adjacent in memory
            count = math.prod(batch)
            columns = None if place is None else place.reshape(count, math.prod(result)).T
            product = self._product(v.reshape(count, math.prod(shape)).T, adjoint, columns).T
        else:
            product = self._product(v.ravel(), adjoint, None if place is None else place.ravel())
        product = product.reshape(*batch, *(result if self.order == "C" else result[::-1]))
        y = self._in_order(product, len(batch))
        return y if out is None else put(y, out)

    def _in_order(self, v: Array, batch: int) -> Array:
        """The axes behind those of the batch as they become vectors: the last one fastest. The same again undoes it."""
        return v if self.order == "C" else v.transpose(*range(batch), *reversed(range(batch, v.ndim)))

    def constant_term(self) -> Array | None:
        """What a constant boundary adds, of shape `dimsd`; None where there is none."""
        return None

    # Algebra

    @property
    def H(self) -> LinearOperator:
        """The adjoint (conjugate transpose)."""
        from .algebra import Adjoint

        return Adjoint(self)

    @property
    def adjoint(self) -> LinearOperator:
        """The adjoint (conjugate transpose)."""
        return self.H

    @property
    def T(self) -> LinearOperator:
        """The transpose, without conjugation."""
        from .algebra import Adjoint, Conjugate

        return Adjoint(self) if self.dtype.kind != "c" else Adjoint(Conjugate(self))

    def transpose(self) -> LinearOperator:
        """The transpose, without conjugation."""
        return self.T

    def conj(self) -> LinearOperator:
        """The operator whose matrix has the conjugated entries."""
        from .algebra import Conjugate

        return self if self.dtype.kind != "c" else Conjugate(self)

    conjugate = conj

    @overload
    def __matmul__(self, other: LinearOperator) -> LinearOperator: ...
    @overload
    def __matmul__(self, other: ArrayLike) -> Array: ...
    def __matmul__(self, other: Any) -> Any:
        if is_number(other):
            raise ValueError("a number is no operand of @, use * instead")
        if is_operator(other):
            from .algebra import Product, aslinearoperator

            return Product(self, aslinearoperator(other))
        return self.dot(other)

    def __rmatmul__(self, other: Any) -> Any:
        if is_operator(other):
            from .algebra import Product, aslinearoperator

            return Product(aslinearoperator(other), self)
        return (self.T @ as_elements(other).T).T

    @overload
    def __mul__(self, other: LinearOperator | Number) -> LinearOperator: ...  # type: ignore[overload-overlap]
    @overload
    def __mul__(self, other: ArrayLike) -> Array: ...
    def __mul__(self, other: Any) -> Any:
        if is_number(other) or (isinstance(other, np.ndarray) and other.ndim == 0):
            from .algebra import Scaled

            return Scaled(other, self)
        return self @ other

    @overload
    def __rmul__(self, other: Number) -> LinearOperator: ...  # type: ignore[overload-overlap]
    @overload
    def __rmul__(self, other: ArrayLike) -> Array: ...
    def __rmul__(self, other: Any) -> Any:
        return self * other if is_number(other) or np.ndim(other) == 0 else self.__rmatmul__(other)

    @overload
    def __truediv__(self, other: Number) -> LinearOperator: ...  # type: ignore[overload-overlap]
    @overload
    def __truediv__(self, other: ArrayLike) -> Array: ...
    def __truediv__(self, other: Any) -> Any:
        if np.ndim(other) == 0:
            return self * (1 / other)
        from ..solvers import divide

        return divide(self, other)

    def __neg__(self) -> LinearOperator:
        return -1.0 * self

    def __add__(self, other: Any) -> LinearOperator:
        from .algebra import Sum, aslinearoperator

        return Sum(self, aslinearoperator(other))

    def __radd__(self, other: Any) -> LinearOperator:
        from .algebra import Sum, aslinearoperator

        return Sum(aslinearoperator(other), self)

    def __sub__(self, other: Any) -> LinearOperator:
        from .algebra import aslinearoperator

        return self + -1.0 * aslinearoperator(other)

    def __rsub__(self, other: Any) -> LinearOperator:
        from .algebra import aslinearoperator

        return aslinearoperator(other) + -1.0 * self

    def __pow__(self, power: int) -> LinearOperator:
        from .algebra import power_of

        return power_of(self, power)

    # Ways out

    def to_scipy(self, format: SparseFormat = "csr") -> sparse.sparray:
        """The matrix as a SciPy sparse array.

        Parameters
        ----------
        format : {"csr", "csc", "coo", "dia", "bsr", "lil", "dok"}
        """
        look_up("format", format, FORMATS)  # before any work
        return self._sparse().asformat(format)

    def tosparse(self) -> sparse.sparray:
        """The matrix as a SciPy sparse array in compressed rows, PyLops' name."""
        return self.to_scipy()

    def todense(self) -> Array:
        """The matrix as an array of ``shape[0] × shape[1]`` numbers."""
        return self._product(np.eye(self.shape[1], dtype=self.dtype), False)

    toarray = todense

    def to_pylops(self) -> Any:
        """A ``pylops.LinearOperator`` over this one, with the same `dims` and `dimsd`. Needs PyLops."""
        import pylops
        from scipy.sparse.linalg import aslinearoperator

        return pylops.LinearOperator(Op=aslinearoperator(self), dims=self.dims, dimsd=self.dimsd)

    def dottest(self, seed: int = 0) -> DotTest:
        """Compares ⟨A x, y⟩ with ⟨x, Aᴴ y⟩ for standard normal vectors.

        Parameters
        ----------
        seed : int
            From 0 to 2**64 - 1. The same seed draws the same numbers on every machine.

        Returns
        -------
        DotTest
            True if the difference is no larger than rounding explains.
        """
        return DotTest(*self._native.dottest(size(seed, "seed", most=2**64 - 1)))

    def explain(self) -> str:
        """How products are computed and why, in words."""
        return repr(self)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{m}x{n} {type(self).__name__} with dtype={self.dtype}>"


def is_number(value: object) -> bool:
    """Whether a value is a number; unlike in NumPy, text and buffers are none."""
    return isinstance(value, (numbers.Number, np.number, np.bool_))


def is_operator(value: object) -> bool:
    """Whether a value acts as a matrix: one of ours, SciPy's or PyLops' operators, or a sparse array."""
    return isinstance(value, LinearOperator) or (
        not isinstance(value, np.ndarray)
        and hasattr(value, "shape")
        and (hasattr(value, "matvec") or hasattr(value, "tocsr"))
    )
