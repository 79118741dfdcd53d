"""The conformance table: which tests hold us to which clause of which RFC, and how they ended."""

from collections.abc import Iterator

import pytest
from attrs import define, field

Clause = tuple[str, str]
"""RFC number and section."""


@define
class Conformance:
    """A pytest plugin that gathers ``@pytest.mark.rfc(number, section)`` and prints a Markdown table at the end."""

    clauses: dict[Clause, set[str]] = field(factory=dict)
    """Node ids by clause; the parameters of a test are folded into one."""
    outcomes: dict[str, set[str]] = field(factory=dict)
    """How each of them ended, ``passed``, ``failed`` or ``skipped``."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Gather the marks of what was collected."""
        for item in session.items:
            for mark in item.iter_markers("rfc"):
                number, section = mark.args
                self.clauses.setdefault((str(number), str(section)), set()).add(_name(item.nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how a test ended; a failure while setting up counts too."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes.setdefault(_name(report.nodeid), set()).add(report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminalreporter.section("conformance")
        for line in self.table():
            terminalreporter.write_line(line)

    def table(self) -> Iterator[str]:
        """Give the lines of the Markdown table, clauses in their order in the RFCs."""
        yield "| RFC | section | held | tests |"
        yield "| --- | --- | --- | --- |"
        for (number, section), tests in sorted(self.clauses.items(), key=lambda pair: _order(pair[0])):
            yield f"| {number} | {section} | {self._held(tests)} | {', '.join(sorted(tests))} |"

    def _held(self, tests: set[str]) -> str:
        ended = set().union(*(self.outcomes.get(test, {"not run"}) for test in tests))
        if "failed" in ended:
            return "no"
        return "yes" if ended == {"passed"} else "partly" if "passed" in ended else "not run"


def _name(nodeid: str) -> str:
    return nodeid.partition("[")[0].removeprefix("tests/")


def _order(clause: Clause) -> tuple[int, list[tuple[int, str]]]:
    number, section = clause
    return int(number), [(int(part) if part.isdigit() else 10**6, part) for part in section.split(".")]
