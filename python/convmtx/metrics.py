"""How good a restoration is: MSE, PSNR, ISNR, relative error, SSIM.

All sums are in float64 whatever the dtype. NaN in, NaN out. :func:`ssim` takes one channel of a picture; the others
take arrays of any shape.
"""

from __future__ import annotations

import numpy as np

from . import _core
from ._arrays import in_dtype, number, real_elements
from ._types import Array, ArrayLike

__all__ = ["isnr", "mse", "psnr", "relative_error", "ssim"]


def mse(a: ArrayLike, reference: ArrayLike) -> float:
    """The mean squared error ``Σ (a - reference)² / n``.

    Parameters
    ----------
    a, reference : arrays of one shape

    Raises
    ------
    ValueError
        If the shapes differ or there are no elements.

    Examples
    --------
    >>> from convmtx import metrics
    >>> metrics.mse([1, 2], [1, 4])
    2.0
    """
    return _core.mse(*_alike(a=a, reference=reference))


def psnr(a: ArrayLike, reference: ArrayLike, peak: float) -> float:
    """The peak signal-to-noise ratio in decibels, ``10·log10(peak² / mse)``; infinite for equal arrays.

    Parameters
    ----------
    a, reference : arrays of one shape
    peak : float
        The largest value a pixel can have: 1 for pictures in [0, 1], 255 for bytes.

    Raises
    ------
    ValueError
        As :func:`mse`, and if `peak` is not a finite number above 0.

    Examples
    --------
    >>> from convmtx import metrics
    >>> round(metrics.psnr([0.0, 0.5], [0.1, 0.4], peak=1), 9)
    20.0
    >>> metrics.psnr([0.5], [0.5], peak=1)
    inf
    """
    picture, other = _alike(a=a, reference=reference)
    return _core.psnr(picture, other, number(peak, "peak"))


def isnr(degraded: ArrayLike, restored: ArrayLike, reference: ArrayLike) -> float:
    """The improvement in signal-to-noise ratio in decibels, ``10·log10(‖y - x‖² / ‖x̂ - x‖²)``.

    ``y`` is `degraded`, ``x̂`` is `restored`, ``x`` is `reference`. Infinite for a perfect restoration, 0 if nothing
    was changed.

    Raises
    ------
    ValueError
        If the shapes differ or there are no elements.

    References
    ----------
    A. Danielyan, V. Katkovnik, K. Egiazarian, BM3D frames and variational image deblurring, IEEE Trans. Image Process.
    21(4), 2012, arXiv:1106.6180.

    Examples
    --------
    >>> from convmtx import metrics
    >>> metrics.isnr(degraded=[0, 10], restored=[0, 1], reference=[0, 0])
    20.0
    """
    return _core.isnr(*_alike(degraded=degraded, restored=restored, reference=reference))


def relative_error(x: ArrayLike, reference: ArrayLike) -> float:
    """``‖x - reference‖ / ‖reference‖`` in the Euclidean (Frobenius) norm.

    Raises
    ------
    ValueError
        If the shapes differ, there are no elements, or the reference is zero.

    Examples
    --------
    >>> from convmtx import metrics
    >>> metrics.relative_error([3, 5], [3, 4])
    0.2
    """
    return _core.relative_error(*_alike(x=x, reference=reference))


def ssim(a: ArrayLike, reference: ArrayLike, peak: float) -> float:
    """The structural similarity of two pictures, at most 1, which it is for equal ones.

    The mean over all positions of an 11×11 Gaussian window (σ = 1.5) within the picture of
    ``(2μₐμᵣ + C₁)(2σₐᵣ + C₂) / ((μₐ² + μᵣ² + C₁)(σₐ² + σᵣ² + C₂))``, ``C₁ = (0.01·peak)²``, ``C₂ = (0.03·peak)²``, with
    means, variances and covariance weighted by the window. Equals scikit-image's ``structural_similarity`` with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``.

    Parameters
    ----------
    a, reference : (rows, columns) arrays of one shape
    peak : float
        The largest value a pixel can have.

    Raises
    ------
    ValueError
        If the shapes differ, a side is below 11, or `peak` is not a finite number above 0.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, Image quality assessment, IEEE Trans. Image Process. 13(4),
    2004, DOI 10.1109/TIP.2003.819861; without the downsampling that the authors suggest for large pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from convmtx import metrics
    >>> x = np.outer(np.arange(16), np.arange(16)) % 7 / 7
    >>> metrics.ssim(x, x, peak=1)
    1.0
    >>> metrics.ssim(1 - x, x, peak=1) < 0  # the negative
    True
    """
    picture, other = _alike(a=a, reference=reference)
    return _core.ssim(picture, other, number(peak, "peak"))


def _alike(**arrays: ArrayLike) -> list[Array]:
    """The arrays in their common dtype."""
    real = [real_elements(array, name) for name, array in arrays.items()]
    dtype = np.result_type(*real)
    return [in_dtype(array, dtype) for array in real]
