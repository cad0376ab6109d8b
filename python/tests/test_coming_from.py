"""Every block of Python in docs/coming-from.md runs and prints what the page says."""

import doctest
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import convmtx

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
BLOCK = re.compile(r"^```python(?: requires=(\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXT = PAGE.read_text()
BLOCKS = [(TEXT.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in BLOCK.finditer(TEXT)]


@pytest.mark.parametrize("line, requires, source", BLOCKS, ids=[f"line{line}" for line, _, _ in BLOCKS])
def test_block_prints_what_the_page_says(line, requires, source):
    if requires and importlib.util.find_spec(requires) is None:
        pytest.skip(f"{requires} is not installed: the block at line {line} of {PAGE.name} did not run")
    test = doctest.DocTestParser().get_doctest(source, {"np": np, "convmtx": convmtx}, PAGE.name, str(PAGE), line)
    assert test.examples
    report = []
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert results.failed == 0, "".join(report)


def test_no_block_is_left_out():
    assert TEXT.count("```python") == len(BLOCKS) >= 12
    assert TEXT.count(">>> ") > 60


def test_every_name_of_the_tables_exists():
    """The second column of the tables: what stands there in front of a parenthesis is a name of the package."""
    rows = [re.split(r"(?<!\\)\|", row) for row in TEXT.splitlines() if row.startswith("| `")]
    names = {name for row in rows if len(row) == 5 for name in re.findall(r"`(?:\w+\.)*?(\w+)\(", row[2])}
    names -= {"apply"}  # of an operator
    assert len(names) > 15
    missing = [name for name in names if not hasattr(convmtx, name) and not hasattr(convmtx.FilterBank, name)]
    assert not missing
