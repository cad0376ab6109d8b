"""Seeded noise: the same seed gives the same numbers on every machine.

The source is ChaCha with 8 rounds, which is defined bit by bit. Elements are drawn in row order whatever the memory
layout, always in float64: float32 and float64 arrays see the same stream.
"""

from __future__ import annotations

from . import _core
from ._arrays import number, real_elements, size
from ._types import Array, ArrayLike

__all__ = ["bsnr", "gaussian", "poisson", "sigma_for_bsnr"]


def gaussian(x: ArrayLike, sigma: float, seed: int) -> Array:
    """``x + σ·z`` with independent standard normal ``z``: white Gaussian noise.

    Parameters
    ----------
    x : array
    sigma : float
        Standard deviation, at least 0.
    seed : int
        From 0 to 2**64 - 1.

    Returns
    -------
    array
        A new one of the same shape and dtype, also for ``sigma = 0``.

    Raises
    ------
    ValueError
        If `sigma` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from convmtx import noise
    >>> x = np.zeros((64, 64))
    >>> y = noise.gaussian(x, 0.1, seed=7)
    >>> bool((y == noise.gaussian(x, 0.1, seed=7)).all()), round(float(y.std()), 2)
    (True, 0.1)
    """
    return _core.noise_gaussian(real_elements(x), number(sigma, "sigma"), _seed(seed))


def poisson(x: ArrayLike, peak: float, seed: int) -> Array:
    """``Poisson(peak·x) / peak``, element by element: the noise of counting `peak` photons where `x` is 1.

    The mean is ``x``, the variance ``x / peak``; an element that is 0 stays 0.

    Parameters
    ----------
    x : array
        Not negative.
    peak : float
        Above 0.
    seed : int
        From 0 to 2**64 - 1.

    Raises
    ------
    ValueError
        If `peak` is not a finite number above 0, an element is negative or not finite, or ``peak·x`` exceeds 1.844e19.

    Examples
    --------
    >>> import numpy as np
    >>> from convmtx import noise
    >>> photons = 64 * noise.poisson(np.array([0.0, 0.5, 1.0]), 64, seed=7)
    >>> bool((photons == photons.round()).all()), float(photons[0])
    (True, 0.0)
    """
    return _core.noise_poisson(real_elements(x), number(peak, "peak"), _seed(seed))


def bsnr(blurred: ArrayLike, sigma: float) -> float:
    """The blurred signal-to-noise ratio in decibels, ``10·log10(var(blurred) / σ²)``; infinite for ``sigma = 0``.

    Parameters
    ----------
    blurred : array
        The blurred picture without noise.
    sigma : float
        Standard deviation of the noise.

    Raises
    ------
    ValueError
        If `sigma` is negative or not finite, or the variance is zero or not finite.

    References
    ----------
    A. Danielyan, V. Katkovnik, K. Egiazarian, BM3D frames and variational image deblurring, IEEE Trans. Image Process.
    21(4), 2012, arXiv:1106.6180.

    Examples
    --------
    >>> from convmtx import noise
    >>> round(noise.bsnr([0, 2], 0.1), 9)
    20.0
    """
    return _core.bsnr(real_elements(blurred, "blurred"), number(sigma, "sigma"))


def sigma_for_bsnr(blurred: ArrayLike, bsnr: float) -> float:
    """The σ of noise for a wanted :func:`bsnr`: ``√(var(blurred) / 10^(bsnr/10))``.

    Raises
    ------
    ValueError
        If `bsnr` is not finite, or the variance is zero or not finite.

    Examples
    --------
    >>> from convmtx import noise
    >>> round(noise.sigma_for_bsnr([0, 2], 40), 9)
    0.01
    """
    return _core.sigma_for_bsnr(real_elements(blurred, "blurred"), number(bsnr, "bsnr"))


def _seed(seed: int) -> int:
    return size(seed, "seed", most=2**64 - 1)
