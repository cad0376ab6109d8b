"""What operators and matrices hold, measured as the peak of resident memory in a process of their own."""

import subprocess
import sys

import pytest

MIB = 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")

# Threads, code and the allocator's own pages are there before the measurement begins: a small run comes first.
MEASURED = """
import numpy as np, convmtx

def status(name):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(name + ":"))

def growth(work):
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")  # forgets the peak so far
    before = status("VmRSS")
    kept = work()
    return status("VmHWM") - before

{setup}
work(10**5)
n = {n}
{prepare}
print(growth(lambda: work(n)))
"""


def growth_of(n, setup, prepare=""):
    """Bytes by which the peak of memory grew during `work(n)`."""
    program = MEASURED.format(n=n, setup=setup, prepare=prepare)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


PRODUCT = """
h = np.linspace(1, 2, {taps})
x = np.ones(10**5)
def work(n):
    op = convmtx.Conv1d(h, n, "same")
    return op, op.{product}(x)
"""

SIZES = [10**6, 10**7, pytest.param(10**8, marks=pytest.mark.full)]


@pytest.mark.parametrize("product", ["matvec", "rmatvec"])
@pytest.mark.parametrize("n", SIZES)
def test_a_product_holds_its_output_and_little_more(n, product):
    setup = PRODUCT.format(taps=31, product=product)
    grown = growth_of(n, setup, prepare="x = np.ones(n)")
    output = 8 * n
    assert output * 0.9 < grown < output + 4 * MIB, f"{grown / MIB:.1f} MiB for an output of {output / MIB:.1f}"


@pytest.mark.parametrize("n", [10**6, 10**7])
def test_a_long_kernel_does_not_change_that(n):
    """Whatever the engine that is chosen for it: blocks of transforms are bounded, however long the signal."""
    grown = growth_of(n, PRODUCT.format(taps=2001, product="matvec"), prepare="x = np.ones(n)")
    assert grown < 8 * n + 16 * MIB, f"{grown / MIB:.1f} MiB for an output of {8 * n / MIB:.1f}"


# What a product into `out` reads and writes, of `n` numbers each: touched before, so that only what is hidden grows.
INTO = {
    "matvec": ("convmtx.Conv1d(h, n, 'same').matvec(x, out=y)", "(n,)"),
    "rmatvec": ("convmtx.Conv1d(h, n, 'same').rmatvec(x, out=y)", "(n,)"),
    "matmat": ("convmtx.Conv1d(h, n // 10, 'same').matmat(x, out=y)", "(n // 10, 10)"),
    "matmat by columns": ("convmtx.Conv1d(h, n // 10, 'same').matmat(x.T, out=y.T)", "(10, n // 10)"),
    "apply": ("convmtx.Conv2d(h[:25].reshape(5, 5), (100, 100), 'same').apply(x, out=y)", "(n // 10000, 100, 100)"),
    "apply by columns": (
        "convmtx.Conv2d(h[:25].reshape(5, 5), (100, 100), 'same', order='F')"
        ".apply(x.swapaxes(1, 2), out=y.swapaxes(1, 2))",
        "(n // 10000, 100, 100)",
    ),
    "apply_adjoint": (
        "convmtx.Conv2d(h[:25].reshape(5, 5), (100, 100), 'same').apply_adjoint(x, out=y)",
        "(n // 10000, 100, 100)",
    ),
    "convolve_rows": ("convmtx.convolve_rows(x, h, 'same', out=y)", "(10, n // 10)"),
    "convolve_rows, own kernels": ("convmtx.convolve_rows(x, np.ones((10, 9)), 'same', out=y)", "(10, n // 10)"),
}


@pytest.mark.parametrize("product", INTO)
@pytest.mark.parametrize("n", SIZES)
def test_a_product_into_given_memory_holds_nothing(n, product):
    call, shape = INTO[product]
    make = f"h, x, y = np.linspace(1, 2, 31), np.ones({shape}), np.ones({shape})"
    grown = growth_of(n, f"n = 10**5\n{make}\ndef work(n):\n    {call}", prepare=make)
    assert grown < 4 * MIB, f"{grown / MIB:.1f} MiB beside an output of {8 * n / MIB:.1f}"


@pytest.mark.parametrize("n", SIZES)
def test_a_description_holds_nothing(n):
    setup = "def work(n):\n    return convmtx.Conv1d(np.ones(31), n)"
    assert growth_of(n, setup) < MIB


@pytest.mark.parametrize("n", [10**6, 10**7])
def test_building_a_matrix_holds_the_matrix(n):
    taps = 5
    setup = f"def work(n):\n    return convmtx.convmtx(np.arange(1.0, {taps} + 1), n)"
    grown = growth_of(n, setup)
    csr = 12 * taps * n + 4 * (n + taps)  # values and 32-bit columns, row starts
    assert 0.9 * csr < grown < 1.1 * csr, f"{grown / MIB:.1f} MiB for a matrix of {csr / MIB:.1f}"
