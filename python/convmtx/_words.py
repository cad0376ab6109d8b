"""The words of the functions people know, and the numbers they stand for.

Every function takes its mode, shape and boundary words from here, so that a misspelt word gets the same
answer everywhere: the list of the valid ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from . import _core
from ._types import Mode

MODES = ("full", "same", "valid")
FORMATS = {word: word for word in ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")}
ENGINES = {word: word for word in ("auto", "direct", "separable", "fft")}
SUMMATIONS = {word: word for word in ("fastest", "ascending")}
CONVENTIONS = {"matlab": "matlab", "scipy": "scipy", "numpy": "numpy"}

# RoyiAvital's builders number the words; MATLAB's imfilter has its own names for them.
SHAPES = {"full": "full", "same": "same", "valid": "valid", 1: "full", 2: "same", 3: "valid"}
OPERATIONS = {"conv": "conv", "convolution": "conv", 1: "conv", "corr": "corr", "correlation": "corr", 2: "corr"}
MATLAB_BOUNDARIES = {
    "zeros": "zero", 1: "zero", "symmetric": "symmetric", 2: "symmetric",
    "replicate": "replicate", 3: "replicate", "circular": "periodic", 4: "periodic",
}  # fmt: skip
IMFILTER_BOUNDARIES = {
    "symmetric": "symmetric", "replicate": "replicate", "circular": "periodic",
    "zero": "zero", "reflect": "reflect", "antireflective": "antireflective",
}  # fmt: skip
SCIPY_BOUNDARIES = {
    "fill": "fill", "pad": "fill", "wrap": "periodic", "circular": "periodic",
    "symm": "symmetric", "symmetric": "symmetric",
}  # fmt: skip


def look_up(what: str, word: Any, table: Mapping[Any, Any]) -> Any:
    """The meaning of ``word`` in ``table``, or a ``ValueError`` that lists the valid words."""
    try:
        if isinstance(word, bool):  # True is no shape 1
            raise KeyError(word)
        return table[word]
    except (KeyError, TypeError):
        raise ValueError(f"{what} is {word!r}, expected one of {', '.join(map(repr, table))}") from None


def mode_word(mode: Any) -> Mode:
    """``mode`` if it is one of 'full', 'same', 'valid'."""
    if not isinstance(mode, str) or mode not in MODES:
        # The wording that SciPy's users, and SciPy's tests, look for.
        raise ValueError(f"mode {mode!r} must be one of three: acceptable mode flags are 'valid', 'same', or 'full'")
    return cast(Mode, mode)


def shape_word(shape: Any) -> Mode:
    """The word for a shape given as a word or as 1, 2, 3."""
    return cast(Mode, look_up("shape", shape, SHAPES))


def window(mode: str, n: int, k: int, convention: str = "matlab") -> tuple[int, int]:
    """Where ``mode`` begins in the full convolution of n samples with k taps, and how many values it keeps.

    ========== =================== ========================= =========================
    convention full                same                      valid
    ========== =================== ========================= =========================
    matlab     0, n + k - 1        k // 2, n                 k - 1, max(n - k + 1, 0)
    scipy      0, n + k - 1        (k - 1) // 2, n           min - 1, max - min + 1
    numpy      0, n + k - 1        (min - 1) // 2, max(n, k) min - 1, max - min + 1
    ========== =================== ========================= =========================

    with min and max those of n and k: SciPy and NumPy swap the operands of 'valid' when the kernel is longer.
    """
    return _core.window(mode_word(mode), look_up("convention", convention, CONVENTIONS), n, k)


def windows(
    mode: str, signal: Sequence[int], kernel: Sequence[int], convention: str = "matlab"
) -> tuple[list[int], list[int]]:
    """The offsets and lengths of :func:`window`, axis by axis.

    Raises ``ValueError`` for SciPy's and NumPy's 'valid' when neither operand fits into the other in every axis.
    """
    if mode_word(mode) == "valid" and convention != "matlab":
        inside = [n >= k for n, k in zip(signal, kernel)]
        outside = [n <= k for n, k in zip(signal, kernel)]
        if not (all(inside) or all(outside)):
            raise ValueError(
                "For 'valid' mode, one must be at least as large as the other in every dimension:"
                f" the shapes are {tuple(signal)} and {tuple(kernel)}"
            )
    pairs = [window(mode, n, k, convention) for n, k in zip(signal, kernel)]
    return [offset for offset, _ in pairs], [length for _, length in pairs]
