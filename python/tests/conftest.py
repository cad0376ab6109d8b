"""What every run of the tests prints at its end."""

import golden


def pytest_terminal_summary(terminalreporter):
    """The golden cases that took part in this run, by group."""
    for group in sorted(golden.comparisons):
        cases, compared = golden.cases_compared[group], golden.comparisons[group]
        terminalreporter.write_line(f"golden: {group} {cases} cases / {compared} comparisons")
    if golden.comparisons:
        cases, compared = golden.cases_compared.total(), golden.comparisons.total()
        terminalreporter.write_line(f"golden: {len(golden.comparisons)} groups, {cases} cases / {compared} comparisons")
