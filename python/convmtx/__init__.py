"""Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.

>>> import numpy as np, convmtx
>>> A = convmtx.Conv1d([1, 4, 6, 4, 1], 50, "same", boundary="symmetric") / 16
>>> A.shape
(50, 50)
>>> bool(A.dottest())
True

SciPy is imported only by what needs it: matrices (`to_scipy` and the builders).
"""

from . import io, metrics, noise, psf
from ._core import __version__
from ._threads import get_num_threads, set_num_threads
from .gradients import adjoint_kernel, adjoint_signal
from .linalg import circulant, convolution_matrix, matmul_toeplitz, solve_circulant, solve_toeplitz, toeplitz
from .matlab import conv, conv2, convn, deconv, filter2, imfilter
from .matrices import conv_mtx_1d, conv_mtx_2d, convmtx, convmtx2, image_filter_mtx
from .operators import (
    aslinearoperator,
    BlockDiagonal,
    Conv1d,
    Conv2d,
    Conv3d,
    Convolution,
    Diagonal,
    Difference,
    DotTest,
    FilterBank,
    Gradient2d,
    HStack,
    Identity,
    KernelOperator,
    Layer,
    LinearOperator,
    RowwiseConv,
    VStack,
)
from .pylops import Convolve1D, Convolve2D, ConvolveND
from .rows import convolve_rows
from .signal import choose_conv_method, convolve, convolve2d, correlate, correlate2d, fftconvolve, oaconvolve
from .solvers import Progress, cg, cgls, lsmr, lsqr, richardson_lucy, tikhonov

__all__ = [
    "BlockDiagonal",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Convolution",
    "Convolve1D",
    "Convolve2D",
    "ConvolveND",
    "Diagonal",
    "Difference",
    "DotTest",
    "FilterBank",
    "Gradient2d",
    "HStack",
    "Identity",
    "KernelOperator",
    "Layer",
    "LinearOperator",
    "Progress",
    "RowwiseConv",
    "VStack",
    "adjoint_kernel",
    "adjoint_signal",
    "aslinearoperator",
    "cg",
    "cgls",
    "choose_conv_method",
    "circulant",
    "conv",
    "conv2",
    "conv_mtx_1d",
    "conv_mtx_2d",
    "convmtx",
    "convmtx2",
    "convn",
    "convolution_matrix",
    "convolve",
    "convolve2d",
    "convolve_rows",
    "correlate",
    "correlate2d",
    "deconv",
    "fftconvolve",
    "filter2",
    "get_num_threads",
    "image_filter_mtx",
    "imfilter",
    "io",
    "lsmr",
    "lsqr",
    "matmul_toeplitz",
    "metrics",
    "noise",
    "oaconvolve",
    "psf",
    "richardson_lucy",
    "set_num_threads",
    "solve_circulant",
    "solve_toeplitz",
    "tikhonov",
    "toeplitz",
]
