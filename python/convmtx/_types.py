"""Names for what annotations mention often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt


class SupportsDLPack(Protocol):
    """An array of another package, e.g. a torch tensor."""

    def __dlpack__(self, *, stream: Any = ...) -> Any: ...


#: What comes out: an array of float32, float64, complex64 or complex128.
Array: TypeAlias = npt.NDArray[Any]
#: What goes in: arrays, lists, numbers, and arrays of other packages.
ArrayLike: TypeAlias = npt.ArrayLike | SupportsDLPack
#: What acts as a matrix: operators of this package, of SciPy or of PyLops, sparse arrays, matrices.
MatrixLike: TypeAlias = Any
DTypeLike: TypeAlias = npt.DTypeLike
DType: TypeAlias = np.dtype[Any]

Number: TypeAlias = complex | np.number[Any]
Shape: TypeAlias = tuple[int, ...]
#: One number, or one per axis.
Sizes: TypeAlias = int | Sequence[int]

Mode: TypeAlias = Literal["full", "same", "valid"]
BoundaryWord: TypeAlias = Literal["zero", "periodic", "symmetric", "reflect", "replicate", "antireflective"]
#: What stands beyond the ends: a word or a number, or one per axis.
Boundary: TypeAlias = BoundaryWord | Number | Sequence[BoundaryWord | Number]
Convention: TypeAlias = Literal["matlab", "scipy", "numpy"]
Order: TypeAlias = Literal["C", "F"]
Engine: TypeAlias = Literal["auto", "direct", "separable", "fft"]
Summation: TypeAlias = Literal["fastest", "ascending"]
PaddingMode: TypeAlias = Literal[
    "zeros", "zero", "circular", "periodic", "reflect", "replicate", "symmetric", "antireflective"
]
SparseFormat: TypeAlias = Literal["csr", "csc", "coo", "dia", "bsr", "lil", "dok"]
#: What a solver recorded, by name.
History: TypeAlias = dict[str, Any]
