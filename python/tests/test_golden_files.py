"""No golden file is left unread, and none has lost a case."""

import re

import pytest
import scipy.sparse

import golden
import test_golden
import test_golden_names
import test_golden_solvers

READERS = (test_golden, test_golden_names, test_golden_solvers)


def test_every_group_has_a_reader():
    files = {path.stem for path in golden.FOLDER.glob("*.json")}
    assert golden.read_groups == files, f"of {READERS}"


def test_files_hold_as_many_cases_as_the_readme_says():
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", (golden.FOLDER / "README.md").read_text(), re.MULTILINE)
    told = {group: int(count) for group, count in rows}
    assert told == {group: len(golden.load(group)) for group in golden.read_groups}


def test_a_wrong_value_is_noticed():
    """The comparison itself: shape, value, tolerance, matrix entries."""
    case = golden.load("matrix1d")[1]
    want = case.want("full")
    dense = want.toarray()
    case.check("itself", dense, dense)
    wrong = dense.copy()
    wrong[0, 0] = wrong[0, 0] * (1 + 2e-16) + 2e-16
    for got in (wrong, dense[:-1], dense.ravel(), dense + float("nan")):
        with pytest.raises(AssertionError):
            case.check("wrong", got, dense)
    with pytest.raises(AssertionError):
        case.check_matrix("wrong", scipy.sparse.csr_array(wrong), want)
