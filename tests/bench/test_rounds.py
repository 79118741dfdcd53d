"""How many messages a round has, and which scenarios share their servers."""

from pathlib import Path
from typing import cast

from tests.bench.hops import NextHops
from tests.bench.rounds import Rounds
from tests.bench.scenarios import MAILBOXES, QUICK_MAILBOXES, ROUND_SECONDS, SCENARIOS, SESSIONS
from tests.bench.stage import Stage

HOPS = cast("NextHops", None)
"""Nothing is sent here."""
ACCEPT = SCENARIOS[0]


def rounds(*, is_quick: bool = False, messages: int = 0) -> Rounds:
    """Give rounds of no servers."""
    return Rounds(Stage([], Path(), Path()), 1, is_quick, messages)


def test_a_slow_server_gets_as_many_messages_as_a_round_has_time_for() -> None:
    """A round is bounded by time for the slow and by the scenario's number for the fast."""
    assert rounds()._load(ACCEPT, HOPS, 50.0).messages == 50 * ROUND_SECONDS
    assert rounds()._load(ACCEPT, HOPS, 1e6).messages == ACCEPT.messages
    assert rounds()._load(ACCEPT, HOPS, 0.1).messages == SESSIONS
    assert rounds(messages=7)._load(ACCEPT, HOPS, 0.1).messages == 7


def test_the_first_round_makes_every_mailbox() -> None:
    """The round that warms up has a message for each mailbox at least."""
    assert rounds(messages=8)._warm_up(ACCEPT, HOPS).messages == MAILBOXES
    assert rounds(is_quick=True)._warm_up(ACCEPT, HOPS).messages >= QUICK_MAILBOXES


def test_a_quick_run_starts_servers_twice() -> None:
    """Once without a certificate and once with one; a full run gives each scenario servers of its own."""
    assert [{one.has_tls for one in group} for group in rounds(is_quick=True)._groups(SCENARIOS)] == [{False}, {True}]
    assert len(rounds()._groups(SCENARIOS)) == len(SCENARIOS)
