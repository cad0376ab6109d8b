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


def test_the_list_of_public_names_is_what_one_finds():
    found = {name for name, thing in vars(convmtx).items() if name[0] != "_" and not inspect.ismodule(thing)}
    modules = {name for name in convmtx.__all__ if inspect.ismodule(getattr(convmtx, name))}
    assert modules == {"io", "metrics", "noise", "psf"}
    assert found | modules == set(convmtx.__all__) and len(set(convmtx.__all__)) == len(convmtx.__all__)


@pytest.mark.parametrize(
    "name", ["convmtx", "convmtx.io", "convmtx.metrics", "convmtx.noise", "convmtx.psf", *OPTIONAL]
)
def test_every_public_name_has_an_example(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name], reason=f"{OPTIONAL[name]} is not installed: {name} is not looked at")
    module = importlib.import_module(name)
    assert module.__doc__ and module.__all__
    names = [public for public in module.__all__ if not inspect.ismodule(getattr(module, public))]
    without = [public for public in names if ">>>" not in (getattr(module, public).__doc__ or "")]
    assert not without


def test_every_public_method_has_a_docstring():
    of_all_operators = {"shape", "dtype", "dims", "dimsd"}  # in the docstring of LinearOperator
    without = [
        f"{name}.{attribute}"
        for name in convmtx.__all__
        if inspect.isclass(kind := getattr(convmtx, name))
        for attribute in dir(kind)
        if attribute[0] != "_" and attribute not in of_all_operators and not inspect.getdoc(getattr(kind, attribute))
    ]
    assert not without
