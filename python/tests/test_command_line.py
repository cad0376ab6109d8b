"""The wheel carries the program."""

import subprocess
import sys

import numpy as np


def run(*words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "convmtx", *words], capture_output=True, text=True, timeout=120, **kwargs
    )


def test_the_program_runs_and_tells_its_failures():
    done = run("matrix", "--kernel", "1,2,3", "--size", "3")
    assert done.returncode == 0, done.stderr
    wrong = run("matrix", "--kernel", "1,2,3", "--size", "none")
    assert wrong.returncode == 2 and "size" in wrong.stderr
    assert run("apply", "/nowhere.npy", "--kernel", "1", "-o", "/nowhere/never.npy").returncode == 1


def test_files_written_by_the_program_are_read_by_scipy(tmp_path):
    from scipy import sparse

    import convmtx

    path = tmp_path / "K.npz"
    assert run("matrix", "--kernel", "1,2,3", "--size", "6", "--shape", "same", "-o", str(path)).returncode == 0
    assert np.array_equal(sparse.load_npz(path).toarray(), convmtx.Conv1d([1, 2, 3], 6, "same").todense())
