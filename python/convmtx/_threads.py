"""How many threads the products of this process use."""

from __future__ import annotations

from . import _core


def set_num_threads(n: int) -> None:
    """Sets the number of threads for every later call; no result depends on it, not even in the last bit.

    Parameters
    ----------
    n : int
        0 for the default: what the environment says in ``CONVMTX_NUM_THREADS`` or ``RAYON_NUM_THREADS``, otherwise one
        per core.

    Raises
    ------
    ValueError
        Below 0 or above 65536.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.set_num_threads(2)
    >>> convmtx.get_num_threads()
    2
    >>> convmtx.set_num_threads(0)
    """
    _core.set_num_threads(n)


def get_num_threads() -> int:
    """The number of threads that products use.

    Examples
    --------
    >>> import convmtx
    >>> convmtx.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()
