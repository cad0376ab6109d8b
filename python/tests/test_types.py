"""What a type checker says about a user's script."""

import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

import convmtx

pytest.importorskip("mypy", reason="mypy is not installed: the annotations are not checked")

PACKAGE = pathlib.Path(convmtx.__file__).parent
RIGHT = """
    import numpy as np
    import convmtx
    from convmtx import LinearOperator, metrics, noise, psf

    A = convmtx.Conv2d(psf.gaussian(9, 2.0), (64, 64), "same", boundary=("symmetric", 0.5))
    B = convmtx.Conv1d([1, 2, 3], 50, "full", stride=2, engine="direct", dtype=np.float32)
    C: LinearOperator = 2 * (A @ A.H) - A.T + convmtx.Identity((64, 64))
    reveal_type(A @ np.ones((64, 64)))
    reveal_type(A @ A)
    reveal_type(3.0 * A)
    reveal_type(A.apply([[1.0]]))
    reveal_type(A.dims)
    reveal_type(A.dottest().passed)
    reveal_type(A.astype("f4"))
    reveal_type(B.to_banded())
    reveal_type(A.kernel_operator(np.ones((64, 64))))
    reveal_type(convmtx.Layer(np.ones((4, 3, 5, 5)), (32, 32), padding=2, padding_mode="circular").dimsd)
    reveal_type(psf.parse("disk:radius=2"))
    reveal_type(metrics.psnr(np.ones(3), [1, 2, 3], peak=1))
    reveal_type(noise.gaussian(np.ones(3), 0.1, seed=1))
"""
REVEALED = [
    "ndarray[tuple[Any, ...], dtype[Any]]",
    "LinearOperator",
    "LinearOperator",
    "ndarray[tuple[Any, ...], dtype[Any]]",
    "tuple[int, ...]",
    "bool",
    "Conv2d",
    "tuple[tuple[int, int], ndarray[tuple[Any, ...], dtype[Any]]]",
    "KernelOperator",
    "tuple[int, ...]",
    "ndarray[tuple[Any, ...], dtype[Any]]",
    "float",
    "ndarray[tuple[Any, ...], dtype[Any]]",
]
WRONG = [
    'convmtx.Conv1d([1, 2], 5, "fulll")',
    'convmtx.Conv1d([1, 2], 5, boundary="mirror")',
    'convmtx.Conv1d([1, 2], "five")',
    'convmtx.Conv1d([1, 2], 5, engine="gpu")',
    'convmtx.Conv1d([1, 2], 5, convention="octave")',
    "convmtx.Conv1d([1, 2], 5).dims = (3,)",
    'convmtx.psf.gaussian(9, "wide")',
    "convmtx.metrics.psnr([1], [1])",
    "convmtx.noise.gaussian([1], 0.1)",
    "convmtx.Conv1d([1, 2], 5).nothing",
]


def check(path, text):
    """Lines that mypy prints about a script, without settings of ours."""
    script = path / "script.py"
    script.write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--ignore-missing-imports", "--no-pretty"]
    command += ["--hide-error-context", "--follow-imports=silent", f"--cache-dir={path / 'cache'}", str(script)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent)
    assert "No module named" not in run.stderr, run.stderr
    return [line for line in run.stdout.splitlines() if line.startswith(str(script)) or "script.py:" in line]


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_a_script_is_right_and_its_types_are_known(tmp_path):
    lines = check(tmp_path, RIGHT)
    revealed = [line.split('"', 1)[1].rsplit('"', 1)[0] for line in lines if "Revealed type" in line]
    assert [re.sub(r"\w+\.(?=\w)", "", name) for name in revealed] == REVEALED  # without the names of modules
    assert len(lines) == len(REVEALED), lines


def test_mistakes_are_found(tmp_path):
    lines = check(tmp_path, "import convmtx\n" + "\n".join(WRONG))
    found = {int(line.split("script.py:")[1].split(":")[0]) for line in lines if " error: " in line}
    missed = [text for number, text in enumerate(WRONG, start=2) if number not in found]
    assert not missed, lines
