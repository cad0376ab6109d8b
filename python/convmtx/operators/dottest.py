"""What comes out of a dot test."""

from __future__ import annotations

from typing import NamedTuple


class DotTest(NamedTuple):
    """Both sides of ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for random vectors, and how far apart they are. True if the test passed.

    Examples
    --------
    >>> import convmtx
    >>> test = convmtx.Conv1d([1.0, 2.0], 3).dottest()
    >>> bool(test), test.relative <= test.bound
    (True, True)
    """

    ax_y: complex
    """⟨A x, y⟩"""
    x_ahy: complex
    """⟨x, Aᴴ y⟩"""
    relative: float
    """|difference| / max(‖A x‖‖y‖, ‖x‖‖Aᴴ y‖)"""
    bound: float
    """What rounding explains: 8·ε·√max(rows, cols)."""

    @property
    def passed(self) -> bool:
        """Whether the difference is no larger than rounding explains."""
        return bool(self.relative <= self.bound)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"<A x, y>   = {self.ax_y}\n<x, A^H y> = {self.x_ahy}\n"
            f"relative difference {self.relative:.2e}, bound {self.bound:.2e}: {verdict}"
        )
