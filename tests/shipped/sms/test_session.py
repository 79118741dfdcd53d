"""Tests of one bind: windows, bounds, and answers that nobody waits for."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.shipped.sms.pdu import Number, TextMessage
from mailnode.shipped.sms.session import MOST_INCOMING, Arrival, Refusal, Session
from mailnode.shipped.sms.settings import Access, Pace
from mailnode.shipped.sms.wire import Command, Frames, Pdu
from mailnode.testing.api import now

TEXT = TextMessage(Number("1"), Number("2"), b"text")


class Side:
    """A session, what it writes, and a taker that answers when told."""

    def __init__(self) -> None:
        self.clock, self.transport = Clock(), StringTransport()
        self.taking: list[Deferred[int]] = []
        self.session = Session(Pace(answer=10.0), self.clock, "bind", self.take)
        self.session.makeConnection(self.transport)

    async def take(self, arrival: Arrival) -> int:
        """Wait for the test."""
        self.taking.append(Deferred())
        return await self.taking[-1]

    def written(self) -> list[Pdu]:
        """Give what was written since the last time."""
        octets = self.transport.value()
        self.transport.clear()
        return list(Frames().receive(octets))

    def say(self, *pdus: Pdu) -> None:
        """Let the SMSC speak."""
        self.session.dataReceived(b"".join(pdu.render() for pdu in pdus))


def failure_of(waiting: Deferred[Any]) -> BaseException:
    """Give what a Deferred has failed with."""
    failures: list[Any] = []
    waiting.addErrback(failures.append)
    return failures[0].value  # type: ignore[no-any-return]


def test_answers_find_their_requests_in_any_order() -> None:
    """By sequence_number; one that nobody waits for is nothing."""
    side = Side()
    first, second = (Deferred.fromCoroutine(side.session.submit(TEXT)) for _ in range(2))
    assert [(one.command, one.sequence) for one in side.written()] == [(Command.SUBMIT_SM, 1), (Command.SUBMIT_SM, 2)]
    side.say(Pdu(Command.SUBMIT_SM_RESP, 9, b"x\0"), Pdu(Command.SUBMIT_SM_RESP, 2, b"b\0"))
    side.say(Pdu(Command.SUBMIT_SM_RESP, 1, b"a\0"))
    assert (first.result, second.result) == ("a", "b")
    assert not side.written()


def test_refusals_and_wrong_answers() -> None:
    """A status, a generic_nack, an answer to something else, a body nobody can read."""
    side = Side()
    waiting = [Deferred.fromCoroutine(side.session.submit(TEXT)) for _ in range(4)]
    side.say(
        Pdu(Command.SUBMIT_SM_RESP, 1, b"", 0x58), Pdu(Command.GENERIC_NACK, 2, b"", 3),
        Pdu(Command.ENQUIRE_LINK_RESP, 3), Pdu(Command.SUBMIT_SM_RESP, 4, b"no end"),
    )  # fmt: skip
    assert [type(failure_of(one)) for one in waiting[:3]] == [Refusal, Refusal, ConnectionError]
    assert waiting[3].result == ""


def test_the_end_of_the_connection_is_told_to_everybody() -> None:
    """A request that waits, and one that comes too late."""
    side = Side()
    waiting = Deferred.fromCoroutine(side.session.submit(TEXT))
    side.clock.advance(10)
    assert side.transport.disconnected or side.transport.disconnecting
    assert "no answer to submit_sm within 10 seconds" in str(failure_of(waiting))
    from twisted.internet.error import ConnectionDone
    from twisted.python.failure import Failure

    side.session.connectionLost(Failure(ConnectionDone()))
    assert side.session.gone.result == "no answer to submit_sm within 10 seconds"
    with pytest.raises(ConnectionError):
        now(side.session.bind(Access("a")))


def test_no_more_is_read_while_too_much_is_worked_on() -> None:
    """Reading goes on with the first that is through; each answer is that of its message."""
    side = Side()
    side.say(*(Pdu(Command.DELIVER_SM, number, TEXT.render()) for number in range(1, MOST_INCOMING + 1)))
    assert side.transport.producerState == "paused"
    assert not side.written()
    side.taking[4].callback(0)
    assert side.transport.producerState == "producing"
    side.taking[0].callback(0x64)
    assert [(one.sequence, one.status) for one in side.written()] == [(5, 0), (1, 0x64)]


def test_unbind_waits_for_what_is_worked_on() -> None:
    """It is answered, then the connection is closed."""
    side = Side()
    side.say(Pdu(Command.DELIVER_SM, 1, TEXT.render()))
    ending = Deferred.fromCoroutine(side.session.unbind())
    side.say(Pdu(Command.UNBIND_RESP, 1))
    assert ending.called is False
    side.taking[0].callback(0)
    assert [one.command for one in side.written()] == [Command.UNBIND, Command.DELIVER_SM_RESP]
    assert side.transport.disconnecting
    assert ending.called


def test_unbind_does_not_wait_for_ever() -> None:
    """What hangs is cancelled; the SMSC keeps it."""
    side = Side()
    side.say(Pdu(Command.DELIVER_SM, 1, TEXT.render()))
    ending = Deferred.fromCoroutine(side.session.unbind())
    side.say(Pdu(Command.UNBIND_RESP, 1))
    side.clock.advance(10)
    assert ending.called
    assert [one.command for one in side.written()] == [Command.UNBIND]
