"""`import convmtx` is quick and brings NumPy along, nothing else that is large."""

import subprocess
import sys

import pytest


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("module", ["scipy", "torch", "jax", "pylops", "tqdm", "matplotlib"])
def test_import_does_not_load(module):
    program = f"import sys, convmtx; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_product_does_not_load_scipy():
    program = (
        "import sys, numpy, convmtx\n"
        "op = convmtx.Conv1d([1.0, 2.0], 4)\n"
        "op @ numpy.ones(4); op.H @ numpy.ones(5); convmtx.conv([1, 2], [3, 4]); repr(op)\n"
        "sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
