"""Plug-in: the end of a run tells what tests counted with `record_property("counted: ...", number)`, added up.

tests/conftest.py names it in `pytest_plugins`. The numbers come from the workers of pytest-xdist as well.
"""

from collections import Counter

import pytest

COUNTED = "counted: "


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            is_of_the_test = getattr(report, "when", None) == "call"  # what follows it reports the same once more
            for name, number in report.user_properties if is_of_the_test else ():
                if name.startswith(COUNTED):
                    totals[name.removeprefix(COUNTED)] += int(number)
    for what, total in sorted(totals.items()):
        terminalreporter.write_line(f"{total:,} {what}")
