"""Tests of the control socket's sessions: one command a connection, bounded whatever the peer does."""

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.interfaces import Refused, SpoolTrouble
from mailnode.mail.reply import Reply
from mailnode.service.asking import CommandFailed, Exchange
from mailnode.service.commands import Commands
from mailnode.service.control import LONGEST_LINE, PATIENCE, READ_AHEAD, ControlSession


class Scripted:
    """Commands of a test: each does what the test says."""

    def __init__(self) -> None:
        self.waits: Deferred[None] = Deferred()
        self.read: list[bytes] = []

    async def run(self, request: Mapping[str, Any], exchange: Exchange) -> dict[str, Any]:
        """Do what is asked."""
        match request["command"]:
            case "count":
                for number in range(request["to"]):
                    await exchange.emit({"number": number})
            case "read":
                while octets := await exchange.read():
                    self.read.append(octets)
            case "wait":
                await self.waits
            case "fail":
                raise CommandFailed("not today", code=75)
            case "refuse":
                raise Refused(Reply.of(550, "5.1.1", "Nobody"))
            case "trouble":
                raise SpoolTrouble("read-only")
            case "bug":
                raise ZeroDivisionError
            case _:
                raise AssertionError(request)
        return {"done": True}


class Transport(StringTransport):
    """A transport that remembers whether it was cut off."""

    aborting = False

    def abortConnection(self) -> None:
        """Note it."""
        self.aborting = True


class Talk:
    """A session, its transport and its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.commands = Scripted()
        self.transport = Transport()
        self.session = ControlSession(cast("Commands", self.commands), self.clock)
        self.session.makeConnection(self.transport)

    def ask(self, **request: Any) -> list[dict[str, Any]]:
        """Send a request and give the answer so far."""
        self.session.dataReceived(json.dumps(request).encode() + b"\n")
        return self.answer()

    def answer(self) -> list[dict[str, Any]]:
        """Give the lines of the answer so far."""
        return [json.loads(line) for line in self.transport.value().splitlines()]


def test_items_then_the_last_word_then_the_end() -> None:
    """An answer is items and one ``done``; then the connection is closed."""
    talk = Talk()
    assert talk.ask(command="count", to=2) == [
        {"item": {"number": 0}}, {"item": {"number": 1}}, {"done": {"done": True}},
    ]  # fmt: skip
    assert talk.transport.disconnecting


@pytest.mark.parametrize(
    ("command", "error", "code"),
    [
        ("fail", "not today", 75),
        ("refuse", "550 5.1.1 Nobody", 69),
        ("trouble", "the spool: read-only", 75),
    ],
)
def test_what_went_wrong_is_said_with_its_code(command: str, error: str, code: int) -> None:
    """Known trouble is one line and an exit code."""
    assert Talk().ask(command=command) == [{"error": error, "code": code}]


def test_a_bug_is_logged_and_not_shown(lost_failures: list[dict[str, Any]]) -> None:
    """The peer hears of trouble; the log has the traceback."""
    ((answer),) = Talk().ask(command="bug")
    assert answer["code"] == 70
    assert "ZeroDivision" not in answer["error"]
    assert lost_failures.pop()["log_failure"].check(ZeroDivisionError)


@pytest.mark.parametrize("line", [b"garbage\n", b"[]\n", b'{"size": -1}\n', b'{"size": "x"}\n', b"\xff\n"])
def test_garbage_is_answered(line: bytes) -> None:
    """What is no request hears so."""
    talk = Talk()
    talk.session.dataReceived(line)
    assert talk.answer()[0]["code"] == 65


def test_content_is_cut_at_its_size_however_it_arrives() -> None:
    """Octets come in any pieces; what is beyond the size is nobody's."""
    talk = Talk()
    talk.session.dataReceived(b'{"command": "read", "size": 10}\nab')
    for piece in (b"cd", b"efghij", b"klm"):
        talk.session.dataReceived(piece)
    assert b"".join(talk.commands.read) == b"abcdefghij"
    assert talk.answer() == [{"done": {"done": True}}]


def test_content_that_ends_early_is_no_content() -> None:
    """A peer that goes away in the middle cancels the command."""
    talk = Talk()
    talk.ask(command="read", size=10)
    talk.session.dataReceived(b"abc")
    talk.session.connectionLost()
    assert talk.answer() == []
    assert not talk.clock.getDelayedCalls()


def test_a_peer_that_sends_ahead_is_paused() -> None:
    """Content that nobody reads yet does not pile up in memory."""
    talk = Talk()
    talk.ask(command="wait", size=READ_AHEAD * 2)
    talk.session.dataReceived(b"x" * (READ_AHEAD + 1))
    assert talk.transport.producerState == "paused"


def test_a_peer_that_does_not_read_stops_the_listing() -> None:
    """Items wait while the transport is full."""
    talk = Talk()
    talk.session.pauseProducing()
    talk.ask(command="count", to=1000)
    assert len(talk.answer()) == 1
    talk.session.resumeProducing()
    assert len(talk.answer()) == 1001


def test_a_line_without_end_is_cut_off() -> None:
    """A request has a longest line."""
    talk = Talk()
    talk.session.dataReceived(b"x" * (LONGEST_LINE + 1))
    assert talk.transport.aborting


def test_a_silent_peer_is_cut_off() -> None:
    """Nobody holds a connection for ever."""
    talk = Talk()
    talk.clock.advance(PATIENCE)
    assert talk.transport.aborting
