"""Operators made of operators, the small ones that penalties consist of, and operators of other packages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._arrays import as_array, as_elements, element_dtype, in_dtype, size, sizes
from .._types import Array, ArrayLike, DType, DTypeLike, Shape, Sizes, Summation
from .._words import SUMMATIONS, look_up
from .base import LinearOperator, is_operator

if TYPE_CHECKING:
    from scipy import sparse
    from typing_extensions import Self


class _Composite(LinearOperator):
    """An operator that consists of others, all brought to their common dtype."""

    dims: Shape
    dimsd: Shape

    def __init__(self, parts: Iterable[LinearOperator], dims: Shape, dimsd: Shape) -> None:
        self._parts = tuple(parts)
        self.dims, self.dimsd = tuple(dims), tuple(dimsd)
        self._native

    @property
    def dtype(self) -> DType:
        return np.result_type(*(part.dtype for part in self._parts))

    def _natives(self) -> list[_core.Operator]:
        return [part.astype(self.dtype)._native for part in self._parts]

    def _in_dtype(self, dtype: DType) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__getstate__())
        twin._parts = tuple(part.astype(dtype) for part in self._parts)
        return twin


class Adjoint(_Composite):
    """``Aᴴ``, made by ``A.H``."""

    def __init__(self, a: LinearOperator) -> None:
        self.order = a.order
        super().__init__([a], a.dimsd, a.dims)

    def _build(self) -> _core.Operator:
        return _core.adjoint(*self._natives())

    def _sparse(self) -> sparse.sparray:
        return self._parts[0].to_scipy().conj().T

    @property
    def H(self) -> LinearOperator:
        return self._parts[0]


class Conjugate(_Composite):
    """``conj(A)``, made by ``A.conj()``."""

    def __init__(self, a: LinearOperator) -> None:
        self.order = a.order
        super().__init__([a], a.dims, a.dimsd)

    def _build(self) -> _core.Operator:
        return _core.conjugate(*self._natives())

    def _sparse(self) -> sparse.sparray:
        return self._parts[0].to_scipy().conj()

    def conj(self) -> LinearOperator:
        return self._parts[0]


class Scaled(_Composite):
    """``alpha * A``."""

    def __init__(self, alpha: ArrayLike, a: LinearOperator) -> None:
        alpha = as_array(float(alpha) if isinstance(alpha, int) else alpha, "alpha")  # integers of any size
        if alpha.ndim or alpha.dtype.kind not in "biufc":
            raise TypeError(f"cannot multiply an operator by {alpha!r}, expected a number")
        complex_result = alpha.dtype.kind == "c" and a.dtype.kind != "c"
        self._alpha = alpha
        self.order = a.order
        # A number alone does not widen: 2.0 * A keeps float32, as NumPy does with arrays.
        super().__init__([a.astype(np.result_type(a.dtype, np.complex64)) if complex_result else a], a.dims, a.dimsd)

    def _build(self) -> _core.Operator:
        return _core.scaled(self._alpha.astype(self.dtype).reshape(1), *self._natives())

    def _sparse(self) -> sparse.sparray:
        return self._alpha.astype(self.dtype)[()] * self._parts[0].to_scipy()


class Sum(_Composite):
    """``A + B``."""

    def __init__(self, a: LinearOperator, b: LinearOperator) -> None:
        if a.shape != b.shape:
            raise ValueError(f"B has shape {b.shape}, expected {a.shape} as A")
        self.order = a.order
        super().__init__([a, b], a.dims, a.dimsd)

    def _build(self) -> _core.Operator:
        return _core.sum(*self._natives())

    def _sparse(self) -> sparse.sparray:
        a, b = self._parts
        return a.to_scipy() + b.to_scipy()


class Product(_Composite):
    """``A @ B``: first B, then A."""

    def __init__(self, a: LinearOperator, b: LinearOperator) -> None:
        if a.shape[1] != b.shape[0]:
            raise ValueError(f"B has {b.shape[0]} rows, expected {a.shape[1]}, the columns of A")
        self.order = b.order
        super().__init__([a, b], b.dims, a.dimsd)

    def _build(self) -> _core.Operator:
        return _core.product(*self._natives())

    def _sparse(self) -> sparse.sparray:
        a, b = self._parts
        return a.to_scipy() @ b.to_scipy()


class _Blocks(_Composite):
    """Operators side by side or below each other; vectors are one after the other."""

    def __init__(self, operators: Iterable[Any]) -> None:
        parts = [aslinearoperator(op) for op in operators]
        if not parts:
            raise ValueError("no operators are given, expected at least one")
        super().__init__(parts, *self._shapes(parts))

    @staticmethod
    def _shapes(parts: Sequence[LinearOperator]) -> tuple[Shape, Shape]:
        """`dims` and `dimsd` of the whole."""
        raise NotImplementedError


class VStack(_Blocks):
    """``[A; B; …]``: every operator sees the same vector, the results one after the other.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 1.0], 3, "same")
    >>> D = convmtx.Difference(3)
    >>> convmtx.VStack([A, 0.1 * D]).shape
    (5, 3)
    """

    @staticmethod
    def _shapes(parts: Sequence[LinearOperator]) -> tuple[Shape, Shape]:
        return parts[0].dims, (sum(part.shape[0] for part in parts),)

    def _build(self) -> _core.Operator:
        return _core.vstack(self._natives())

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        return sparse.vstack([part.to_scipy() for part in self._parts], format="csr")


class HStack(_Blocks):
    """``[A, B, …]``: the results of consecutive parts of the vector, added.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.HStack([convmtx.Identity(2), convmtx.Conv1d([10.0, 10.0], 1)])
    >>> A @ np.array([1.0, 2.0, 3.0])
    array([31., 32.])
    """

    @staticmethod
    def _shapes(parts: Sequence[LinearOperator]) -> tuple[Shape, Shape]:
        return (sum(part.shape[1] for part in parts),), parts[0].dimsd

    def _build(self) -> _core.Operator:
        return _core.hstack(self._natives())

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        return sparse.hstack([part.to_scipy() for part in self._parts], format="csr")


class BlockDiagonal(_Blocks):
    """Every operator on its own part of the vector.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.BlockDiagonal([convmtx.Difference(2), 10 * convmtx.Identity(1)])
    >>> A @ np.array([1.0, 4.0, 7.0])
    array([ 3., 70.])
    """

    @staticmethod
    def _shapes(parts: Sequence[LinearOperator]) -> tuple[Shape, Shape]:
        return (sum(part.shape[1] for part in parts),), (sum(part.shape[0] for part in parts),)

    def _build(self) -> _core.Operator:
        return _core.block_diagonal(self._natives())

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        return sparse.block_diag([part.to_scipy() for part in self._parts], format="csr")


class _Elementary(LinearOperator):
    """An operator that exists for every dtype."""

    dims: Shape
    dimsd: Shape
    dtype: DType

    def _in_dtype(self, dtype: DType) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__getstate__())
        twin.dtype = dtype
        return twin


class Identity(_Elementary):
    """``y = x``.

    Parameters
    ----------
    dims : int or tuple of int
    dtype : dtype, default float64

    Examples
    --------
    >>> import convmtx
    >>> A = convmtx.Conv1d([1.0, 2.0], 3, "same")
    >>> (A + 10 * convmtx.Identity(3)).todense()
    array([[12.,  1.,  0.],
           [ 0., 12.,  1.],
           [ 0.,  0., 12.]])
    """

    def __init__(self, dims: Sizes, dtype: DTypeLike = np.float64) -> None:
        self.dims = self.dimsd = _dims(dims)
        self.dtype = element_dtype(dtype)

    def _build(self) -> _core.Operator:
        return _core.identity(self.dtype.name, self.shape[1])

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        return sparse.eye_array(self.shape[0], dtype=self.dtype, format="csr")


class Difference(_Elementary):
    """Differences of neighbours of order 1 or 2 and higher, without boundary rows: ``(n - order) × n``.

    Parameters
    ----------
    n : int
        Samples.
    order : int, default 1
        1 has rows ``[-1 1]``, 2 has rows ``[1 -2 1]``.
    dtype : dtype, default float64

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.Difference(4, 2) @ np.array([1.0, 4.0, 9.0, 16.0])
    array([2., 2.])
    """

    def __init__(self, n: int, order: int = 1, dtype: DTypeLike = np.float64) -> None:
        n, self._order = size(n, "n"), size(order, "order")
        self.dtype = element_dtype(dtype)
        self.dims = (n,)
        self.dimsd = (max(n - self._order, 0),)
        self.dimsd = (self._native.shape[0],)

    def _build(self) -> _core.Operator:
        return _core.difference(self.dtype.name, self._order, self.dims[0])

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        taps = [(-1.0) ** (self._order - t) * math.comb(self._order, t) for t in range(self._order + 1)]
        diagonals = sparse.diags_array(taps, offsets=range(len(taps)), shape=self.shape, dtype=self.dtype)
        return diagonals.tocsr()


class Gradient2d(_Elementary):
    """Differences of neighbours of an image, down the columns and then along the rows: two images, 0 at their ends.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    dtype : dtype, default float64

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.Gradient2d((2, 2)) @ np.array([[1.0, 2.0], [4.0, 8.0]])
    array([3., 6., 0., 0., 1., 0., 4., 0.])
    """

    def __init__(self, shape: tuple[int, int], dtype: DTypeLike = np.float64) -> None:
        self.dims = _dims(shape)
        if len(self.dims) != 2:
            raise ValueError(f"the shape of the image is {self.dims}, expected two numbers")
        self.dtype = element_dtype(dtype)
        self.dimsd = (0,)
        self.dimsd = (self._native.shape[0],)

    def _build(self) -> _core.Operator:
        return _core.gradient2d(self.dtype.name, *self.dims)


class Diagonal(LinearOperator):
    """``y = d * x``, element by element.

    Parameters
    ----------
    d : array
        Its shape is `dims`.

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> convmtx.Diagonal([1.0, 2.0]) @ np.array([3.0, 4.0])
    array([3., 8.])
    """

    dims: Shape
    dimsd: Shape

    def __init__(self, d: ArrayLike) -> None:
        self._d = np.array(as_elements(d, "d"))
        self.dims = self.dimsd = self._d.shape
        self._native

    @property
    def dtype(self) -> DType:
        return self._d.dtype

    def _build(self) -> _core.Operator:
        return _core.diagonal(self._d.ravel())

    def _in_dtype(self, dtype: DType) -> Diagonal:
        return Diagonal(self._d.astype(dtype))

    def _sparse(self) -> sparse.sparray:
        from scipy import sparse

        return sparse.diags_array(self._d.ravel()).tocsr()


class _Matrix(LinearOperator):
    """A sparse matrix that was given as such; the operator owns a copy, and one of its adjoint."""

    dims: Shape
    dimsd: Shape

    def __init__(self, matrix: Any, summation: Summation = "fastest") -> None:
        self._summation = look_up("summation", summation, SUMMATIONS)
        matrix = matrix.tocsr()
        data = as_elements(matrix.data, "the matrix")
        if data is not matrix.data or not matrix.has_canonical_format:
            matrix = type(matrix)((data, matrix.indices, matrix.indptr), shape=matrix.shape, copy=True)
            matrix.sum_duplicates()
        self._matrix = matrix
        self.dims, self.dimsd = (matrix.shape[1],), (matrix.shape[0],)
        self._native

    @property
    def dtype(self) -> DType:
        return self._matrix.dtype

    def _build(self) -> _core.Operator:
        matrix = self._matrix
        return _core.csr(matrix.data, matrix.indices, matrix.indptr, matrix.shape, self._summation)

    def _in_dtype(self, dtype: DType) -> _Matrix:
        return _Matrix(self._matrix.astype(dtype), self._summation)

    def _sparse(self) -> sparse.sparray:
        return self._matrix.copy()


class _Foreign(LinearOperator):
    """An operator of another package, by its `matvec` and `rmatvec`."""

    dims: Shape
    dimsd: Shape
    dtype: DType

    def __init__(self, operator: Any, dtype: DTypeLike | None = None) -> None:
        self._operator = operator
        found = np.dtype(getattr(operator, "dtype", None) or np.float64)
        self.dtype = element_dtype(dtype if dtype is not None else np.result_type(found, np.float32))
        rows, cols = (size(v, "the shape of the operator") for v in operator.shape)
        own = getattr(operator, "dims", None), getattr(operator, "dimsd", None)
        self.dims = tuple(own[0]) if own[0] is not None and math.prod(own[0]) == cols else (cols,)
        self.dimsd = tuple(own[1]) if own[1] is not None and math.prod(own[1]) == rows else (rows,)

    def _build(self) -> _core.Operator:
        # The collector does not see what the library holds: a function that knew `self` would keep it alive for ever.
        operator, dtype = self._operator, self.dtype

        def call(name: str) -> Callable[[Array], Array]:
            def product(v: Array) -> Array:
                function = getattr(operator, name, None)
                if function is None:
                    raise TypeError(f"{type(operator).__name__} has no {name}, which the adjoint needs")
                result = as_elements(function(v), f"the result of {name}").ravel()
                if result.dtype.kind == "c" and dtype.kind != "c":
                    raise TypeError(
                        f"the result of {name} is complex, expected {dtype}, the dtype of {type(operator).__name__}"
                    )
                return in_dtype(result, dtype)

            return product

        return _core.foreign(dtype.name, self.shape, call("matvec"), call("rmatvec"))

    def _in_dtype(self, dtype: DType) -> _Foreign:
        return _Foreign(self._operator, dtype)


class _Dense(LinearOperator):
    """A dense matrix; the operator owns a copy."""

    dims: Shape
    dimsd: Shape

    def __init__(self, matrix: Array) -> None:
        self._matrix = np.array(as_elements(matrix, "the matrix"))
        self.dims, self.dimsd = (matrix.shape[1],), (matrix.shape[0],)

    @property
    def dtype(self) -> DType:
        return self._matrix.dtype

    def _build(self) -> _core.Operator:
        adjoint = self._matrix.conj().T
        return _core.foreign(self.dtype.name, self.shape, self._matrix.__matmul__, adjoint.__matmul__)

    def _in_dtype(self, dtype: DType) -> _Dense:
        return _Dense(self._matrix.astype(dtype))

    def todense(self) -> Array:
        return self._matrix.copy()

    toarray = todense


def aslinearoperator(value: Any, *, summation: Summation = "fastest") -> LinearOperator:
    """Anything that acts as a matrix as one of our operators.

    Parameters
    ----------
    value : operator, sparse array or two-dimensional array
        SciPy's and PyLops' operators are called through their `matvec` and `rmatvec`; matrices are copied, and a sparse
        array also keeps its adjoint, so that both products are equally fast.
    summation : {"fastest", "ascending"}
        For sparse arrays: with ``"ascending"`` products have the same bits as those of SciPy, and as those of a
        convolution with that setting.

    Returns
    -------
    LinearOperator

    Examples
    --------
    >>> import numpy as np, convmtx
    >>> A = convmtx.Conv1d([1.0, 1.0], 2) @ convmtx.aslinearoperator(np.array([[1.0, 0.0], [2.0, 1.0]]))
    >>> A @ np.array([1.0, 10.0])
    array([ 1., 13., 12.])
    """
    if isinstance(value, LinearOperator):
        return value
    if hasattr(value, "tocsr"):
        return _Matrix(value, summation)
    if is_operator(value):
        return _Foreign(value)
    matrix = as_array(value, "the operator")
    if matrix.ndim != 2:
        raise TypeError(
            f"a {type(value).__name__} is no operator: expected one, a sparse array, or an array with two axes"
        )
    return _Dense(matrix)


def power_of(a: LinearOperator, power: int) -> LinearOperator:
    """``a`` applied `power` times."""
    power = size(power, "the power")
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"a power needs a square operator, got shape {a.shape}")
    result: LinearOperator = Identity(a.dims, a.dtype)
    for _ in range(power):
        result = Product(a, result)
    return result


def _dims(dims: Any) -> Shape:
    return sizes(dims, "dims")
