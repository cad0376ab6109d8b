"""Operators: convolutions, layers, and what is made of them."""

from .algebra import BlockDiagonal, Diagonal, Difference, Gradient2d, HStack, Identity, VStack, aslinearoperator
from .base import LinearOperator
from .convolutions import Conv1d, Conv2d, Conv3d, Convolution, RowwiseConv
from .dottest import DotTest
from .layers import FilterBank, KernelOperator, Layer

__all__ = [
    "BlockDiagonal",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Convolution",
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
    "RowwiseConv",
    "VStack",
    "aslinearoperator",
]
