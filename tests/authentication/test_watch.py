"""Guessing is slowed down, locked out and logged, and nobody else notices."""

from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from mailnode.authentication.plain import Plain
from mailnode.authentication.watch import LATELY, network_of
from mailnode.interfaces import Authenticated, Refused
from mailnode.mail.message import Peer
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, TRUSTED, Stage

ANN = Authenticated("ann@example.org")
ELSEWHERE = evolve(PEER, address="203.0.113.7")
GOOD = b"\0ann@example.org\0secret"
WRONG = b"\0ann@example.org\0wrong"


def tried(stage: Stage, response: bytes, peer: Peer = PEER) -> Any:
    """Try once; give what is heard."""
    return stage.say(Plain(stage.ground, peer), response)


def test_a_guesser_locks_out_their_own_network_only() -> None:
    """After the limit even the right password is refused there, and nobody computes anything; elsewhere it is welcome."""
    stage = Stage(account_failures=3, client_failures=100)
    assert [tried(stage, WRONG) for _ in range(3)] == [replies.CREDENTIALS_INVALID] * 3
    asked = len(stage.credentials.asked)
    assert tried(stage, GOOD) == replies.TOO_MANY_FAILURES
    assert len(stage.credentials.asked) == asked
    assert tried(stage, GOOD, ELSEWHERE) == ANN
    assert tried(stage, "\0bob@example.org\0pässword, two=".encode()) == Authenticated("bob@example.org")
    stage.clock.advance(600)
    assert tried(stage, GOOD) == ANN


def test_one_network_with_many_names_is_closed_out() -> None:
    """The network's limit counts whatever the names, existing or not; its neighbours go on."""
    stage = Stage(client_failures=5)
    heard = [tried(stage, f"\0user{number}@example.org\0spring".encode()) for number in range(8)]
    assert heard == [replies.CREDENTIALS_INVALID] * 5 + [replies.CLIENT_LOCKED_OUT] * 3
    assert tried(stage, GOOD) == replies.CLIENT_LOCKED_OUT
    assert tried(stage, GOOD, ELSEWHERE) == ANN


def test_who_logged_in_of_late_is_not_locked_out_for_others() -> None:
    """Neither by a neighbour behind the same address nor by a thousand machines that guess at the account."""
    stage = Stage(client_failures=5, account_failures_everywhere=5)
    assert tried(stage, GOOD) == ANN
    for number in range(6):
        tried(stage, f"\0user{number}@example.org\0spring".encode())
        tried(stage, WRONG, evolve(PEER, address=f"198.51.100.{number + 10}"))
    assert tried(stage, GOOD) == ANN
    assert tried(stage, GOOD, ELSEWHERE) == replies.TOO_MANY_FAILURES
    stage.clock.advance(LATELY + 1)
    assert tried(stage, GOOD, ELSEWHERE) == ANN


def test_trusted_networks_are_counted_by_account_only() -> None:
    """All users of a web mailer come from one address."""
    stage = Stage(client_failures=2, account_failures=3)
    peer = evolve(PEER, address=TRUSTED)
    for number in range(5):
        assert tried(stage, f"\0user{number}@example.org\0x".encode(), peer) == replies.CREDENTIALS_INVALID
    for _ in range(3):
        tried(stage, WRONG, peer)
    assert tried(stage, GOOD, peer) == replies.TOO_MANY_FAILURES


def test_answers_to_failures_come_later_and_later() -> None:
    """One second, two, four, up to the most; success is answered at once."""
    stage = Stage(delay=1.0, max_delay=5.0)
    waited = []
    for response in (WRONG, WRONG, WRONG, WRONG, GOOD):
        began = stage.clock.seconds()
        tried(stage, response)
        waited.append(round(stage.clock.seconds() - began))
    assert waited == [1, 2, 4, 5, 0]


def test_a_thousand_at_once_get_no_further_than_in_a_row() -> None:
    """Only as many as the limit are computed; all hear of it in the end."""
    stage = Stage(account_failures=5, client_failures=100)
    stage.credentials.waits = Deferred()
    heard: list[Any] = []
    for _ in range(1000):
        Deferred.fromCoroutine(Plain(stage.ground, PEER).step(WRONG)).addBoth(heard.append)
    assert len(stage.credentials.asked) == 5
    waits, stage.credentials.waits = stage.credentials.waits, None
    waits.callback(None)
    for _ in range(1200):
        stage.clock.advance(0.1)
    assert len(stage.credentials.asked) == 5
    assert len(heard) == 1000
    assert all(failure.check(Refused) for failure in heard)
    assert not stage.watch._under_way
    assert not stage.watch._waiting


def test_a_good_client_may_open_many_sessions_at_once() -> None:
    """They wait for the first ones and then are all let in."""
    stage = Stage(account_failures=3)
    stage.credentials.waits = Deferred()
    heard: list[Any] = []
    for _ in range(50):
        Deferred.fromCoroutine(Plain(stage.ground, PEER).step(GOOD)).addBoth(heard.append)
    waits, stage.credentials.waits = stage.credentials.waits, None
    waits.callback(None)
    stage.clock.pump([0.01] * 100)
    assert heard == [ANN] * 50
    assert not stage.watch._under_way


def test_who_leaves_before_the_answer_has_guessed_all_the_same() -> None:
    """It counts, gives its place to the next one, and one that waits may leave too."""
    stage = Stage(account_failures=2, client_failures=100)
    stage.credentials.waits = Deferred(lambda _: None)
    sessions = [Deferred.fromCoroutine(Plain(stage.ground, PEER).step(WRONG)) for _ in range(4)]
    heard: list[Any] = []
    for session in sessions:
        session.addBoth(heard.append)
    sessions[2].cancel()
    sessions[0].cancel()
    stage.credentials.waits = Deferred()
    stage.clock.advance(1)
    sessions[3].cancel()
    stage.credentials.waits = None
    sessions[1].cancel()
    stage.clock.advance(30)
    assert len(heard) == 4
    assert not stage.watch._under_way
    assert tried(stage, GOOD) == replies.TOO_MANY_FAILURES


def test_a_wake_is_not_lost_with_who_leaves() -> None:
    """One that was to look just now and is gone instead lets another one look."""
    stage = Stage(account_failures=1)
    stage.credentials.waits = Deferred()
    heard: list[Any] = []
    sessions = [Deferred.fromCoroutine(Plain(stage.ground, PEER).step(GOOD)) for _ in range(3)]
    for session in sessions:
        session.addBoth(heard.append)
    waits, stage.credentials.waits = stage.credentials.waits, None
    waits.callback(None)
    sessions[1].cancel()
    stage.clock.pump([0.1] * 5)
    assert heard.count(ANN) == 2


def test_memory_is_bounded() -> None:
    """However many names and networks there are."""
    stage = Stage(tracked=10, client_failures=10_000, delay=0.0)
    for number in range(40):
        tried(stage, f"\0user{number}@example.org\0x".encode(), evolve(PEER, address=f"198.51.100.{number + 2}"))
        tried(stage, GOOD, evolve(PEER, address=f"203.0.113.{number}"))
    assert max(len(counts) for counts in (stage.watch._pairs, stage.watch._networks, stage.watch._accounts)) <= 10
    assert len(stage.watch._known) <= 10


def test_it_is_logged_without_secrets() -> None:
    """Account, address, mechanism and outcome; never the password, and a made-up name stays on its line."""
    seen: list[Any] = []
    keep: Any = seen.append
    globalLogPublisher.addObserver(keep)
    try:
        stage = Stage()
        tried(stage, GOOD)
        tried(stage, b"\0eve\r\ninjected@x\0hunter2")
    finally:
        globalLogPublisher.removeObserver(keep)
    events = [event for event in seen if event.get("event") == "authentication"]
    assert [(event["outcome"], event["peer"]) for event in events] == [
        ("authenticated", "192.0.2.1"), ("not authenticated", "192.0.2.1"),
    ]  # fmt: skip
    assert events[0]["account"] == "ann@example.org"
    assert "\n" not in events[1]["account"]
    assert "hunter2" not in str(events)
    assert "secret" not in str(events)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_an_ipv6_network_is_one_client(one: str, other: str, same: bool) -> None:
    """Whoever has one address of a /64 has them all."""
    assert (network_of(one) == network_of(other)) == same
