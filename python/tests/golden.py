"""Golden files: cases computed by other programs, and one comparison with the case's tolerance.

The format is described in `tests/golden/README.md`. A test asks for the cases of a group, which also notes that
the group has a reader; every comparison is counted, and `conftest.py` prints the counts when the run ends. A case on
which nothing was compared fails.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden"
MODES = ("full", "same", "valid")
DTYPES = {"f32": np.float32, "f64": np.float64, "c128": np.complex128}

read_groups = set()
#: Comparisons of this run, by group and case.
comparisons = defaultdict(Counter)


class Case:
    """One case: `case["h"]` is an input, `case.want("full")` an expected result."""

    def __init__(self, data):
        self._data = data
        self.id = data["id"]
        self.group, self.name = self.id.split("/", 1)
        self.tolerance = float(data["tolerance"]["abs"]), float(data["tolerance"]["rel"])
        self.compared = 0

    def __contains__(self, name):
        return name in self._data["inputs"]

    def __getitem__(self, name):
        return decode(self._data["inputs"][name])

    def has_expected(self, name):
        return name in self._data["expected"]

    def want(self, name):
        return decode(self._data["expected"][name])

    def check(self, what, got, want, *, at_least=(0.0, 0.0)):
        """Asserts |got − want| ≤ abs + rel·max|want| elementwise; `==` where the tolerance is zero.

        `at_least` widens the (abs, rel) of the case, for paths that round (FFT, solvers).
        """
        got, want = np.asarray(got), np.asarray(want)
        where = f"{self.id} {what}"
        assert got.shape == want.shape, f"{where}: shape {got.shape}, expected {want.shape}"
        absolute, relative = np.maximum(self.tolerance, at_least)
        equal = (got == want) | (np.isnan(got) & np.isnan(want))
        if (absolute, relative) != (0.0, 0.0) and want.size:
            with np.errstate(invalid="ignore"):
                equal |= np.abs(got - want) <= absolute + relative * np.max(np.abs(want))
        assert equal.all(), f"{where}: got\n{got}\nexpected\n{want}"
        self.compared += 1

    def check_matrix(self, what, got, want):
        """Asserts that a sparse matrix has these entries and no others, rows ascending, columns ascending within."""
        where = f"{self.id} {what}"
        got = got.tocsr()
        assert got.shape == want.shape, f"{where}: shape {got.shape}, expected {want.shape}"
        assert got.has_canonical_format, f"{where}: unsorted or doubled entries"
        coo = got.tocoo()
        for part in ("row", "col", "data"):
            a, b = getattr(coo, part), getattr(want, part)
            assert np.array_equal(a, b, equal_nan=part == "data"), f"{where} {part}:\n{a}\nexpected\n{b}"
        self.compared += 1

    def refuses(self, what, action, error=ValueError):
        """Asserts that `action()` raises `error` with a text."""
        with pytest.raises(error) as caught:
            action()
        assert str(caught.value), f"{self.id} {what}: an error without words"
        self.compared += 1


class Coo:
    """A sparse matrix as the files store it: sorted by row, then by column, without zeros."""

    def __init__(self, data):
        self.shape = tuple(data["shape"])
        self.row, self.col = np.asarray(data["row"], int), np.asarray(data["col"], int)
        self.data = numbers(data)

    def toarray(self):
        dense = np.zeros(self.shape, self.data.dtype)
        dense[self.row, self.col] = self.data
        return dense


def load(group):
    """The cases of a file."""
    return [Case(data) for data in json.loads((FOLDER / f"{group}.json").read_text())["cases"]]


def each_case_of(group):
    """Decorates a test that takes `case`: one run per case of the group."""
    read_groups.add(group)
    return pytest.mark.parametrize("case", load(group), ids=lambda case: case.name)


def numbers(data):
    """The elements of an array; the strings "nan", "inf", "-inf" are numbers for `float`."""
    dtype = DTYPES[data["dtype"]]
    part = lambda name: np.array([float(v) for v in data[name]], np.float64)  # noqa: E731
    if data["dtype"] == "c128":
        both = np.empty(len(data["re"]), np.complex128)
        both.real, both.imag = part("re"), part("im")  # re + 1j·im would turn an infinite part into nan
        return both
    return part("data").astype(dtype)


def decode(value):
    """A value of a file as Python or NumPy knows it."""
    if not isinstance(value, dict):
        return value
    if value.get("format") == "coo":
        return Coo(value)
    return numbers(value).reshape(value["shape"])
