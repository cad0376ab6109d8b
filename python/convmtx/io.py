"""Pictures from and to files, as arrays of numbers in [0, 1].

Matrices and ``.mat`` files go through SciPy: ``scipy.io.mmwrite("K.mtx", A.to_scipy())``,
``scipy.io.savemat("K.mat", {"K": A.to_scipy("csc")})``, ``scipy.sparse.save_npz("K.npz", A.to_scipy())``.
"""

from __future__ import annotations

import os

import numpy as np

from . import _core
from ._arrays import as_elements
from ._types import Array, ArrayLike

__all__ = ["read_image", "write_image"]


def read_image(path: str | os.PathLike[str]) -> Array:
    """A picture as an array: PNG, JPEG, TIFF, PNM or ``.npy``.

    Integers are divided by their maximum, floats taken as they are; no gamma, no colour management.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    (rows, columns) float64 array for grey, (rows, columns, channels) otherwise: 2 grey and alpha, 3 colour, 4 with
    alpha.

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where it is no picture, or a damaged one.

    Examples
    --------
    >>> import os, tempfile
    >>> from convmtx import io
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.pgm")
    >>> with open(path, "w") as file:
    ...     _ = file.write("P2 3 1 255  0 51 255")  # three pixels
    >>> io.read_image(path)
    array([[0. , 0.2, 1. ]])
    """
    picture: Array = _core.read_image(os.fsdecode(path))
    return picture[:, :, 0] if picture.shape[2] == 1 else picture


def write_image(path: str | os.PathLike[str], picture: ArrayLike, *, bits: int = 8) -> None:
    """Writes a picture; the extension names the format. All of it or nothing.

    Parameters
    ----------
    path : path-like
        .png .jpg .jpeg .tif .tiff .pgm .ppm .pam .pnm .npy
    picture : (rows, columns) or (rows, columns, channels) array
        Clipped to [0, 1] and rounded where the format stores integers.
    bits : {8, 16}
        Per channel, where the format has both.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from convmtx import io
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.png")
    >>> io.write_image(path, [[0.0, 0.2], [0.6, 1.0]])
    >>> io.read_image(path)
    array([[0. , 0.2],
           [0.6, 1. ]])
    """
    pixels = as_elements(picture, "picture").astype(np.float64)
    if bits not in (8, 16):
        raise ValueError(f"bits is {bits!r}, expected 8 or 16")
    if pixels.ndim not in (2, 3):
        raise ValueError(f"picture has shape {pixels.shape}, expected (rows, columns) or (rows, columns, channels)")
    _core.write_image(os.fsdecode(path), pixels.reshape(*pixels.shape[:2], *pixels.shape[2:] or (1,)), bits)
