"""Every example in the docstrings of the package runs and prints what it says."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import convmtx

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(convmtx.__path__, "convmtx.")
    if not info.name.endswith(("_core", "__main__"))
)
OPTIONAL = {"convmtx.torch": "torch", "convmtx.jax": "jax"}


@pytest.mark.parametrize("name", ["convmtx", *MODULES])
def test_examples(name):
    if name in OPTIONAL:
        pytest.importorskip(
            OPTIONAL[name], reason=f"{OPTIONAL[name]} is not installed: the examples of {name} did not run"
        )
    module = importlib.import_module(name)
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(module, name):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_every_public_name_has_a_docstring_and_every_function_an_example():
    for name in convmtx.__all__:
        thing = getattr(convmtx, name)
        assert thing.__doc__, f"{name} has no docstring"
        if inspect.isfunction(thing):
            assert ">>>" in thing.__doc__, f"{name} has no example"
