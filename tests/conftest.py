"""What every test gets: no failure is lost, slow suites wait for ``--slow``, clauses of RFCs are counted.

``pytest --slow`` also runs what takes minutes. ``pytest --conformance`` prints the table of RFC clauses and the
tests that hold us to them.
"""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from tests.kit.conformance import Conformance


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our two switches."""
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")
    parser.addoption("--conformance", action="store_true", help="print which tests hold us to which RFC clause")


def pytest_configure(config: pytest.Config) -> None:
    """Start the collector of clauses, if it is wanted."""
    if config.getoption("--conformance"):
        config.pluginmanager.register(Conformance())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what is slow wait for ``--slow``."""
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: runs with --slow"))


def pytest_collection_finish() -> None:
    """Take all that is loaded by now out of the collector's sight: that makes one collection a test cheap."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def lost_failures(request: pytest.FixtureRequest) -> Iterator[list[dict[str, Any]]]:
    """Fail the test if a failure was logged as critical, or is dropped with its Deferred.

    A test that expects one takes it out of this list. trial's own test cases look after theirs themselves.
    """
    events: list[dict[str, Any]] = []

    @implementer(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        if event.get("log_level") is LogLevel.critical:
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    gc.collect()
    globalLogPublisher.removeObserver(observe)
    if events and not hasattr(request.instance, "flushLoggedErrors"):
        pytest.fail("failures were lost:\n" + "\n".join(map(_describe, events)), pytrace=False)


def _describe(event: dict[str, Any]) -> str:
    failure = event.get("log_failure")
    return formatEvent(event) + ("" if failure is None else f"\n{failure.getTraceback()}")
