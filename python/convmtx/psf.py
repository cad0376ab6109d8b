"""Point-spread functions: the picture of a single bright pixel, as an array that sums to one.

The centre of a PSF with K taps along an axis is tap ``K // 2``: the one that MATLAB's ``conv2(..., 'same')`` puts over
the output pixel. An even K has no middle tap, so that a symmetric PSF of even size moves the picture by half a pixel up
and left; only an odd K avoids that. :func:`recentre` moves any other point of an array to the centre.

==================================== ============================================ ==================================
PSF                                  names elsewhere                              shape
==================================== ============================================ ==================================
:func:`gaussian`                     ``fspecial('gaussian')``                     as asked
:func:`gaussian_elliptic`            a Gaussian with two widths and a direction   as asked
:func:`motion`                       ``fspecial('motion')``                       the smallest odd one with the line
:func:`disk`                         ``fspecial('disk')``, pillbox                ``2*ceil(radius - 1/2) + 1`` square
:func:`boxcar`                       ``fspecial('average')``, uniform             as asked
:func:`from_array`                   a measured one                               as given
==================================== ============================================ ==================================

:func:`parse` makes them from a text such as ``gaussian:size=9,sigma=4``, as the command line does.

>>> import numpy as np, convmtx
>>> blur = convmtx.Conv2d(convmtx.psf.gaussian(9, 2.0), (64, 64), "same", boundary="symmetric")
>>> bool(abs(blur @ np.ones((64, 64)) - 1).max() < 1e-14)
True
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from . import _core
from ._arrays import number, real_dtype, real_elements, sizes
from ._types import Array, ArrayLike, DTypeLike, Sizes

__all__ = [
    "boxcar",
    "centre",
    "describe",
    "disk",
    "from_array",
    "gaussian",
    "gaussian_elliptic",
    "motion",
    "normalise",
    "parse",
    "recentre",
    "resize",
]


def gaussian(size: Sizes, sigma: float, *, dtype: DTypeLike = np.float64) -> Array:
    """A sampled Gaussian, ``h[r, c] ∝ exp(-(y² + x²) / (2σ²))``, `y` and `x` measured from the middle of the array.

    The values of MATLAB's and Octave's ``fspecial('gaussian', size, sigma)``, except that values below ε times the
    largest are kept: so the array is an outer product.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns; a number stands for a square.
    sigma : float
        Standard deviation in pixels, above 0.
    dtype : {float32, float64}

    Returns
    -------
    (rows, columns) array
        Sum 1.

    Raises
    ------
    ValueError
        If `sigma` is not a finite number above 0, or the array would be empty or have more than 2**26 elements.

    Examples
    --------
    >>> import numpy as np
    >>> from convmtx import psf
    >>> h = psf.gaussian(3, 1.0)
    >>> h.round(4)
    array([[0.0751, 0.1238, 0.0751],
           [0.1238, 0.2042, 0.1238],
           [0.0751, 0.1238, 0.0751]])
    >>> bool(np.isclose(h[0, 1] / h[1, 1], np.exp(-0.5)))
    True
    """
    return _core.psf_gaussian(real_dtype(dtype), _shape(size), number(sigma, "sigma"))


def gaussian_elliptic(
    size: Sizes, sigma: tuple[float, float], angle: float = 0.0, *, dtype: DTypeLike = np.float64
) -> Array:
    """A Gaussian ``h ∝ exp(-u²/(2σ₀²) - v²/(2σ₁²))``, `u` along a direction and `v` across it.

    Parameters
    ----------
    size : int or (int, int)
    sigma : (float, float)
        Standard deviations along and across the direction.
    angle : float
        The direction in degrees, counter-clockwise from the horizontal, rows running downwards.
    dtype : {float32, float64}

    Raises
    ------
    ValueError
        As :func:`gaussian`, and for an angle that is not finite.

    Examples
    --------
    >>> from convmtx import psf
    >>> h = psf.gaussian_elliptic(7, (2.0, 0.5))
    >>> bool(h[3, 5] > h[5, 3])  # long along the row
    True
    """
    along, across = (number(width, "sigma") for width in sigma)
    return _core.psf_gaussian_elliptic(real_dtype(dtype), _shape(size), (along, across), number(angle, "angle"))


def motion(length: float, angle: float = 0.0, *, dtype: DTypeLike = np.float64) -> Array:
    """Linear motion over `length` pixels: an anti-aliased line, ``h ∝ max(1 - d, 0)``.

    `d` is the distance of a pixel's centre from the segment of length ``length - 1`` through the centre of the array,
    so that `length` pixels in a row get ``1 / length`` each. This is the formula that MATLAB documents for
    ``fspecial('motion')``; the values MATLAB prints weigh the pixels around the two ends slightly less.

    Parameters
    ----------
    length : float
        Pixels from end to end, at least 1.
    angle : float
        Degrees, counter-clockwise from the horizontal.
    dtype : {float32, float64}

    Raises
    ------
    ValueError
        If `length` is not a finite number of at least 1 or `angle` is not finite.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.motion(4)
    array([[0.125, 0.25 , 0.25 , 0.25 , 0.125]])
    >>> psf.motion(5, 90).shape
    (5, 1)
    """
    return _core.psf_motion(real_dtype(dtype), number(length, "length"), number(angle, "angle"))


def disk(radius: float, *, dtype: DTypeLike = np.float64) -> Array:
    """A disc of constant brightness, as a lens out of focus makes it: the pillbox.

    ``h[r, c] = |pixel ∩ disc| / (π·radius²)``: the area of each pixel inside the circle, exactly, not by sampling. The
    values of Octave's ``fspecial('disk', radius)`` for whole radii; fractions are allowed.

    Parameters
    ----------
    radius : float
        In pixels, above 0.
    dtype : {float32, float64}

    Raises
    ------
    ValueError
        If `radius` is not a finite number above 0, or the array would have more than 2**26 elements.

    Examples
    --------
    >>> import math
    >>> from convmtx import psf
    >>> h = psf.disk(3)
    >>> h.shape, math.isclose(h[3, 3], 1 / (9 * math.pi))
    ((7, 7), True)
    """
    return _core.psf_disk(real_dtype(dtype), number(radius, "radius"))


def boxcar(size: Sizes, *, dtype: DTypeLike = np.float64) -> Array:
    """A rectangle of equal weights, ``fspecial('average', size)``.

    Parameters
    ----------
    size : int or (int, int)
    dtype : {float32, float64}

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.boxcar((1, 4))
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    return _core.psf_boxcar(real_dtype(dtype), _shape(size))


def from_array(values: ArrayLike) -> Array:
    """A measured PSF: a copy in rows and columns that sums to one.

    Parameters
    ----------
    values : (rows, columns) array

    Raises
    ------
    ValueError
        As :func:`normalise`, and for another number of axes.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.from_array([[1, 2], [0, 1]])
    array([[0.25, 0.5 ],
           [0.  , 0.25]])
    """
    array = real_elements(values, "values")
    if array.ndim != 2:
        raise ValueError(f"values has {array.ndim} axes, expected rows and columns")
    return _core.psf_normalise(array)


def normalise(values: ArrayLike) -> Array:
    """``h / sum(h)`` in any number of dimensions, the sum taken in float64.

    Raises
    ------
    ValueError
        If there are no values, one is not finite, or their sum is zero up to rounding, as for a derivative.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.normalise([1, 3, 4])
    array([0.125, 0.375, 0.5  ])
    """
    return _core.psf_normalise(real_elements(values, "values"))


def recentre(values: ArrayLike, on: Literal["peak", "mass"] | tuple[int, int] = "peak") -> Array:
    """The PSF with rows and columns of zeros added so that a point lies on the centre ``K // 2``.

    Zeros are added on one side of an axis only, as few as possible; nothing is removed or rescaled.

    Parameters
    ----------
    values : (rows, columns) array
    on : {"peak", "mass"} or (int, int)
        The largest value (among equal ones the nearest to the centre), the centre of mass rounded to a pixel, or this
        row and column.

    Raises
    ------
    ValueError
        If the point lies outside the array or there is no mass.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.recentre([[0.2, 0.7, 0.05, 0.05]])  # 0.7 is now tap 5 // 2
    array([[0.  , 0.2 , 0.7 , 0.05, 0.05]])
    """
    array = real_elements(values, "values")
    if isinstance(on, str):
        return _core.psf_recentre(array, on, None)
    return _core.psf_recentre(array, "", sizes(on, "on", 2) if np.ndim(on) else _no_point(on))


def resize(values: ArrayLike, shape: Sizes) -> Array:
    """The PSF cropped or padded with zeros; its centre ``K // 2`` stays the centre.

    Cropping loses the sum of one: :func:`normalise` restores it if that is wanted.

    Parameters
    ----------
    values : (rows, columns) array
    shape : int or (int, int)

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.resize([[1, 2, 3]], (3, 2))
    array([[0., 0.],
           [1., 2.],
           [0., 0.]])
    """
    return _core.psf_resize(real_elements(values, "values"), _shape(shape, "shape"))


def centre(shape: Sizes) -> tuple[int, int]:
    """The tap that lies over the output pixel in a ``same`` convolution, ``(rows // 2, columns // 2)``.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.centre((5, 4))
    (2, 2)
    """
    return _core.psf_centre(_shape(shape, "shape"))


def parse(text: str, *, dtype: DTypeLike = np.float64) -> Array:
    """The PSF of a text ``name:key=value,key=value``, the form that the command line takes.

    ============================ =================== ====================================================
    text                         meaning             defaults
    ============================ =================== ====================================================
    ``gaussian:size=9,sigma=4``  :func:`gaussian`    ``size = 2*ceil(3*sigma) + 1``, 99.7 % of an axis
    ``motion:length=15,angle=30`` :func:`motion`     ``angle = 0``, horizontal
    ``disk:radius=4``            :func:`disk`
    ``box:size=9x5``             :func:`boxcar`
    ============================ =================== ====================================================

    A size is ``K``, for a square, or ``ROWSxCOLUMNS``.

    Parameters
    ----------
    text : str
    dtype : {float32, float64}

    Raises
    ------
    ValueError
        For an unknown name or key, and for numbers out of range.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.parse("gaussian:sigma=2").shape
    (13, 13)
    >>> psf.parse("gausian:sigma=2")
    Traceback (most recent call last):
        ...
    ValueError: PSF is gausian, expected one of gaussian, motion, disk, box
    """
    return _core.psf_parse(real_dtype(dtype), text)


def describe(text: str) -> str:
    """The textual form of a PSF with every default filled in; :func:`parse` gives the same array for both.

    Examples
    --------
    >>> from convmtx import psf
    >>> psf.describe("gaussian:sigma=2")
    'gaussian:size=13,sigma=2'
    """
    return _core.psf_describe(text)


def _shape(size: Sizes, name: str = "size") -> tuple[int, int]:
    rows, columns = sizes(size, name, 2)
    return rows, columns


def _no_point(on: object) -> tuple[int, int]:
    raise TypeError(f"on is {on!r}, expected 'peak', 'mass', or a row and column")
