"""The conformance table: which tests hold us to which clause of which RFC, and how they ended."""

from collections.abc import Iterator

import pytest
from attrs import define, field

Clause = tuple[str, str]
"""RFC number and section."""

TITLES = {
    "821": "the first SMTP",
    "1123": "requirements for hosts",
    "1428": "8-bit mail to 7-bit",
    "1870": "SIZE",
    "1985": "ETRN",
    "2033": "LMTP",
    "2034": "enhanced status in replies",
    "2045": "MIME",
    "2308": "negative answers of the DNS",
    "2195": "CRAM-MD5",
    "2645": "On-Demand Mail Relay (ATRN)",
    "2369": "fields of mailing lists",
    "2852": "DELIVERBY",
    "2919": "List-Id",
    "2920": "PIPELINING",
    "3030": "CHUNKING, BINARYMIME",
    "3207": "STARTTLS",
    "3461": "DSN, the service extension",
    "3462": "multipart/report",
    "3463": "enhanced status codes",
    "3464": "delivery status notifications",
    "3834": "automatic answers",
    "3848": "names of protocols in trace fields",
    "4035": "DNSSEC, the AD bit",
    "4291": "IPv6 addresses",
    "4865": "FUTURERELEASE",
    "4954": "AUTH",
    "5233": "subaddresses",
    "5321": "SMTP",
    "5322": "the form of messages",
    "5452": "forged answers of the DNS",
    "5890": "internationalized domain names",
    "5929": "channel bindings",
    "6066": "SNI",
    "6125": "names in certificates",
    "6152": "8BITMIME",
    "6409": "submission",
    "6522": "multipart/report",
    "6531": "SMTPUTF8",
    "6532": "UTF-8 in header fields",
    "6533": "reports with UTF-8",
    "6710": "MT-PRIORITY",
    "6840": "DNSSEC, the AD bit",
    "6891": "EDNS",
    "7504": "codes 521 and 556",
    "7505": "null MX",
    "8058": "unsubscribing with one click",
    "8305": "happy eyeballs",
    "8314": "TLS from the first octet",
    "8996": "no TLS before 1.2",
    "9266": "channel bindings of TLS 1.3",
    "9325": "safe use of TLS",
    "9422": "LIMITS",
}
"""What the RFCs are, in a word or two."""


@define(eq=False)
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
        """Give the lines of the Markdown table: a line an RFC, its sections in order, those not held marked."""
        yield "| RFC | what it is | sections held | tests |"
        yield "| --- | --- | --- | --- |"
        for number in sorted({number for number, _ in self.clauses}, key=int):
            mine = {clause: tests for clause, tests in self.clauses.items() if clause[0] == number}
            sections = ", ".join(
                clause[1] + ("" if self._held(mine[clause]) == "yes" else f" ({self._held(mine[clause])})")
                for clause in sorted(mine, key=_order)
            )
            count = len(set().union(*mine.values()))
            yield f"| {number} | {TITLES.get(number, '')} | {sections} | {count} |"

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
