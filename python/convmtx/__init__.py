"""Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.

>>> import numpy as np, convmtx
>>> A = convmtx.Conv1d([1, 4, 6, 4, 1], 50, "same", boundary="symmetric") / 16
>>> A.shape
(50, 50)
>>> bool(A.dottest())
True

SciPy is imported only by what needs it: matrices (`to_scipy` and the builders).
"""

from . import _core, metrics, noise, psf
from ._core import __version__, get_num_threads, set_num_threads
from .operators import *
from .operators import __all__ as _operators
from .solvers import cg, cgls, lsmr, lsqr, richardson_lucy, tikhonov

__all__ = [
    *_operators,
    "cg",
    "cgls",
    "get_num_threads",
    "lsmr",
    "lsqr",
    "metrics",
    "noise",
    "psf",
    "richardson_lucy",
    "set_num_threads",
    "tikhonov",
]
