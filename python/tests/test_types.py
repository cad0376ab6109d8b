"""What a type checker says about the package and about a user's script, and what an old Python reads in our files."""

import ast
import io
import pathlib
import re
import subprocess
import sys
import textwrap
import tokenize

import pytest

import convmtx

try:
    import mypy
except ImportError:
    mypy = None
checked = pytest.mark.skipif(mypy is None, reason="mypy is not installed: the annotations are not checked")

REPOSITORY = pathlib.Path(__file__).parents[2]
PACKAGE = REPOSITORY / "python" / "convmtx"  # not the installed one: mypy takes site-packages for no place of sources
SOURCES = sorted(
    path
    for folder in ("python", "benches", "examples")
    for path in (REPOSITORY / folder).rglob("*.py*")
    if path.suffix in (".py", ".pyi")
)
SETTINGS = (REPOSITORY / "pyproject.toml").read_text()
OLDEST = tuple(map(int, re.search(r'requires-python = ">=(\d+)\.(\d+)"', SETTINGS).groups()))
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


@checked
def test_the_package_is_right_with_the_settings_of_the_repository(tmp_path):
    command = [sys.executable, "-m", "mypy", f"--config-file={REPOSITORY / 'pyproject.toml'}"]
    command += [f"--cache-dir={tmp_path}", str(PACKAGE)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert run.returncode == 0 and "no issues found" in run.stdout, run.stdout + run.stderr


def parse(text):
    """SyntaxError for what the oldest Python that we support does not read."""
    ast.parse(text, feature_version=OLDEST)
    quotes = []  # of the f-strings around; Python 3.11 and older have no such tokens, and refuse these by themselves
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if quotes and kind != "FSTRING_END" and kind != "FSTRING_MIDDLE":
            broken = kind == "COMMENT" or (kind == "NL" and len(quotes[-1]) == 1)
            text_in_text = kind in ("STRING", "FSTRING_START")
            if broken or (text_in_text and any(word in token.string for word in ("\\", *quotes))):
                raise SyntaxError(f"only Python 3.12 reads the f-string in line {token.start[0]}")
        if kind == "FSTRING_START":
            quotes.append(token.string.lstrip("fFrR"))
        elif kind == "FSTRING_END":
            quotes.pop()


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(REPOSITORY)) for path in SOURCES])
def test_the_oldest_python_reads_every_file(path):
    text = path.read_text()
    parse(text)
    if path.is_relative_to(REPOSITORY / "python"):
        assert not [number for number, line in enumerate(text.splitlines(), 1) if len(line) > 120]


@pytest.mark.parametrize(
    "text", ['f"{a\n}"', 'f"{"a"}"', "f\"{'\\n'}\"", "type X = int", "try: a\nexcept* B: c", "a = ("]
)
def test_what_only_newer_pythons_read_is_found(text):
    with pytest.raises(SyntaxError):
        parse(text)
    parse('f"{a}{{" f"""{\n"a"}\n""" f"{a[\'b\']:>{c}}\\n"')


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


@checked
def test_a_script_is_right_and_its_types_are_known(tmp_path):
    lines = check(tmp_path, RIGHT)
    revealed = [line.split('"', 1)[1].rsplit('"', 1)[0] for line in lines if "Revealed type" in line]
    assert [re.sub(r"\w+\.(?=\w)", "", name) for name in revealed] == REVEALED  # without the names of modules
    assert len(lines) == len(REVEALED), lines


@checked
def test_mistakes_are_found(tmp_path):
    lines = check(tmp_path, "import convmtx\n" + "\n".join(WRONG))
    found = {int(line.split("script.py:")[1].split(":")[0]) for line in lines if " error: " in line}
    missed = [text for number, text in enumerate(WRONG, start=2) if number not in found]
    assert not missed, lines
