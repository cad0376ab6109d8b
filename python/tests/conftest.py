"""Options of the tests, and what every run prints at its end."""

import pytest

import golden


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the proofs that take gigabytes or minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes gigabytes or minutes; runs with --full")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--full"):
        return
    for item in items:
        if "full" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="runs with --full"))


def pytest_terminal_summary(terminalreporter):
    """The golden cases that took part in this run, by group."""
    for group in sorted(golden.comparisons):
        cases, compared = golden.cases_compared[group], golden.comparisons[group]
        terminalreporter.write_line(f"golden: {group} {cases} cases / {compared} comparisons")
    if golden.comparisons:
        cases, compared = golden.cases_compared.total(), golden.comparisons.total()
        terminalreporter.write_line(f"golden: {len(golden.comparisons)} groups, {cases} cases / {compared} comparisons")
