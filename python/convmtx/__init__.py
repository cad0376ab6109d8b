"""Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.

>>> import numpy as np, convmtx
>>> A = convmtx.Conv1d([1, 4, 6, 4, 1], 50, "same", boundary="symmetric") / 16
>>> A.shape
(50, 50)
>>> bool(A.dottest())
True

SciPy is imported only by what needs it: matrices (`to_scipy` and the builders).
"""

from . import _core
from ._core import __version__, get_num_threads, set_num_threads
from .gradients import *
from .gradients import __all__ as _gradients
from .linalg import *
from .linalg import __all__ as _linalg
from .matlab import *
from .matlab import __all__ as _matlab
from .operators import *
from .operators import __all__ as _operators
from .pylops import *
from .pylops import __all__ as _pylops
from .rows import *
from .rows import __all__ as _rows
from .signal import *
from .signal import __all__ as _signal

__all__ = [
    *_operators,
    *_matlab,
    *_signal,
    *_linalg,
    *_rows,
    *_gradients,
    *_pylops,
    "get_num_threads",
    "set_num_threads",
]
