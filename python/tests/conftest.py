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
        if item.get_closest_marker("full"):  # not the keyword: "full" is also a parameter of many tests
            item.add_marker(pytest.mark.skip(reason="runs with --full"))


@pytest.fixture(autouse=True)
def compared(request):
    """Counts the comparisons of a golden case; a case that compares nothing has not been tested."""
    case = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
    if not isinstance(case, golden.Case):
        yield
        return
    before, failed = case.compared, request.session.testsfailed
    yield
    if request.session.testsfailed == failed:
        assert case.compared > before, f"{case.id}: nothing was compared"
        golden.comparisons[case.group][case.name] += case.compared - before


def pytest_terminal_summary(terminalreporter):
    """The golden cases that took part in this run, by group."""
    found = golden.comparisons
    for group in sorted(found):
        terminalreporter.write_line(f"golden: {group} {len(found[group])} cases / {found[group].total()} comparisons")
    if found:
        cases, compared = sum(map(len, found.values())), sum(counts.total() for counts in found.values())
        terminalreporter.write_line(f"golden: {len(found)} groups, {cases} cases / {compared} comparisons")
