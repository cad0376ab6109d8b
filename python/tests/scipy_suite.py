"""SciPy's own tests of convolution, run with our functions in SciPy's place.

    python python/tests/scipy_suite.py            # the table; exit status 1 on any failure that is not listed here
    python python/tests/scipy_suite.py -v         # and every test that failed, with its message

Our functions are put into ``scipy.signal`` and ``scipy.linalg`` before SciPy's test modules import them, with the NumPy
backend of SciPy's array-API tests. Nothing of SciPy is copied: what runs is what is installed. Not collected by pytest;
``.ci/full`` runs it.

The matrices of ``convolution_matrix`` are sparse here and dense in SciPy, so that ``.toarray()`` is applied in between.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy
import pytest
import scipy
import scipy.linalg
import scipy.signal
from scipy._lib import _array_api

import convmtx

# What is run: module of SciPy, its tests, and our functions under them.
SUITE = [
    ("signal.tests.test_signaltools", "TestConvolve::*", "convolve"),
    ("signal.tests.test_signaltools", "TestConvolve2d::*", "convolve2d"),
    ("signal.tests.test_signaltools", "TestFFTConvolve::*", "fftconvolve"),
    ("signal.tests.test_signaltools", "TestOAConvolve::*", "oaconvolve"),
    ("signal.tests.test_signaltools", "TestAllFreqConvolves::*", "fftconvolve, oaconvolve"),
    ("signal.tests.test_signaltools", "test_choose_conv_method*", "choose_conv_method"),
    ("signal.tests.test_signaltools", "TestCorrelateReal::*", "correlate"),
    ("signal.tests.test_signaltools", "TestCorrelate::*", "correlate"),
    ("signal.tests.test_signaltools", "TestCorrelateComplex::*", "correlate"),
    ("signal.tests.test_signaltools", "TestCorrelate2d::*", "correlate2d"),
    ("signal.tests.test_signaltools", "test_correlation_lags*", "correlate"),
    ("signal.tests.test_signaltools", "test_convolve_longdtype_input*", "convolve, fftconvolve"),
    ("linalg.tests.test_special_matrices", "TestConvolutionMatrix::*", "convolution_matrix"),
    ("linalg.tests.test_special_matrices", "test_batch*convolution_matrix*", "convolution_matrix"),
    ("linalg.tests.test_special_matrices", "TestToeplitz::*", "toeplitz"),
    ("linalg.tests.test_special_matrices", "test_batch*toeplitz*", "toeplitz"),
    ("linalg.tests.test_special_matrices", "TestCirculant::*", "circulant"),
    ("linalg.tests.test_special_matrices", "test_batch*circulant*", "circulant"),
    ("linalg.tests.test_matmul_toeplitz", "TestMatmulToeplitz::*", "matmul_toeplitz"),
    ("linalg.tests.test_batch", "TestBatch::test_matmul_toeplitz*", "matmul_toeplitz"),
    ("linalg.tests.test_solve_toeplitz", "test_*", "solve_toeplitz"),
    ("linalg.tests.test_batch", "TestBatch::test_solve_toeplitz*", "solve_toeplitz"),
    ("linalg.tests.test_basic", "TestSolveCirculant::*", "solve_circulant"),
]

# Where we differ on purpose, and why. A pattern of which no test fails any more fails the run: the list must stay true.
DELIBERATE = {
    "TestCorrelateReal::test_rank3_*int8*": "expects wrapped sums; ours raise ValueError",
    "TestCorrelateReal::test_method*int8*": "expects wrapped sums; ours raise ValueError",
    "TestConvolve::test_convolve_method_large_input*": "2**54 squared does not fit int64: ValueError",
    "test_convolve_longdtype_input*": "longdouble is refused with TypeError: the core computes in float64",
}

SIGNAL = ["choose_conv_method", "convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"]
LINALG = ["circulant", "convolution_matrix", "matmul_toeplitz", "solve_circulant", "solve_toeplitz", "toeplitz"]


CALLS: Counter = Counter()


def substitute() -> None:
    """Put our functions into SciPy's modules, with the capabilities that SciPy's test decorators look up."""
    table = _array_api.xp_capabilities_table
    for module, names in ((scipy.signal, SIGNAL), (scipy.linalg, LINALG)):
        for name in names:
            function, original = counted(name), getattr(module, name)
            if original in table:
                table[function] = table[original]
            setattr(module, name, function)


def counted(name: str):
    """Our function of that name, counting its calls: the table shows that it is ours that ran."""
    ours = getattr(convmtx, name)

    @functools.wraps(ours)
    def function(*args, **keywords):
        CALLS[name] += 1
        result = ours(*args, **keywords)
        return result.toarray() if name == "convolution_matrix" else result

    return function


class Report:
    """A pytest plugin: keeps only the tests of SUITE and counts their outcomes."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if group_of(item.nodeid) is not None]

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
            self.outcomes[report.nodeid] = outcome
            if outcome == "failed":
                crash = getattr(report.longrepr, "reprcrash", None)
                self.messages[report.nodeid] = (crash.message if crash else str(report.longrepr)).split("\n")[0]


def group_of(nodeid: str):
    """The line of SUITE that a test belongs to, or None."""
    path, _, test = nodeid.partition("::")
    for line in SUITE:
        if path.endswith(line[0].replace(".", "/") + ".py") and fnmatch.fnmatchcase(test, line[1]):
            return line
    return None


def reason_of(nodeid: str):
    """Why a test fails on purpose, or None."""
    test = nodeid.partition("::")[2]
    return next((pattern for pattern in DELIBERATE if fnmatch.fnmatchcase(test, pattern)), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", "--verbose", action="store_true", help="every failure with its message")
    options = parser.parse_args()

    substitute()
    report = Report()
    modules = sorted({f"scipy.{module}" for module, _, _ in SUITE})
    # Neither this project's settings nor a name that depends on where the command is run.
    where = ["-c", os.devnull, "--rootdir", str(Path(scipy.__file__).parent.parent)]
    quiet = ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-W", "ignore", "-rN", "--tb=short"]
    with open(os.devnull, "w") as sink:
        stdout, sys.stdout = sys.stdout, sink
        try:
            pytest.main([*where, *quiet, "--pyargs", *modules], plugins=[report])
        finally:
            sys.stdout = stdout

    return print_table(report, options.verbose)


def print_table(report: Report, verbose: bool) -> int:
    """The table by group, the deliberate differences, and what is wrong; returns the exit status."""
    counts = defaultdict(lambda: defaultdict(int))
    unlisted, used = [], set()
    for nodeid, outcome in report.outcomes.items():
        reason = reason_of(nodeid)
        if outcome == "failed":
            if reason is None:
                unlisted.append(nodeid)
            else:
                used.add(reason)
                outcome = "on purpose"
        counts[group_of(nodeid)][outcome] += 1
    print(f"SciPy {scipy.__version__}, NumPy {numpy.__version__}, convmtx {convmtx.__version__}\n")
    columns = ["passed", "failed", "on purpose", "skipped", "xfailed"]
    print("| SciPy's tests | function | " + " | ".join(columns) + " |\n|---|---|" + "---:|" * len(columns))
    for line in SUITE:
        row = counts[line]
        print(f"| {line[1]} | {line[2]} | " + " | ".join(str(row[column]) for column in columns) + " |")
    total = {column: sum(row[column] for row in counts.values()) for column in columns}
    print("| all | | " + " | ".join(str(total[column]) for column in columns) + " |")

    print("\nCalls of ours: " + ", ".join(f"{name} {count}" for name, count in sorted(CALLS.items())))
    print("\nDifferent on purpose:")
    for pattern, why in DELIBERATE.items():
        print(f"  {pattern}: {why}")
    empty = [line for line in SUITE if not counts[line]]
    stale = [pattern for pattern in DELIBERATE if pattern not in used]
    for nodeid in report.messages:
        if verbose or nodeid in unlisted:
            verdict = "FAILED" if nodeid in unlisted else "on purpose"
            print(f"{verdict} {nodeid.partition('::')[2]}: {report.messages[nodeid]}")
    for line in empty:
        print(f"MISSING: no test {line[1]} in scipy.{line[0]}")
    for pattern in stale:
        print(f"STALE: no test {pattern} fails any more")
    return 1 if unlisted or empty or stale else 0


if __name__ == "__main__":
    sys.exit(main())
