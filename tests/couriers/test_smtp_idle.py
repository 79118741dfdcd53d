"""Kept sessions are found again, newest first, and never more than allowed."""

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.couriers.smtp_idle import IdleSessions
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.mail.route import Lane
from mailnode.smtp.client import ClientConnection
from tests.kit.results import InlineDisk

_A, _B = Lane("smtp", "a.example"), Lane("smtp", "b.example")


def _session() -> SmtpSession:
    session = SmtpSession(
        ClientConnection("me.example"), "mx.example", times=SmtpTimes(), clock=Clock(), disk=InlineDisk()
    )
    session.makeConnection(StringTransport())
    session.dataReceived(b"220 hi\r\n")
    session.dataReceived(b"250 hi\r\n")
    assert session.is_ready
    return session


def test_the_newest_of_the_lane_is_taken_first() -> None:
    """Sessions come back in the reverse order, each once, only to their lane."""
    idle = IdleSessions(10)
    first, second = _session(), _session()
    assert idle.put(_A, first)
    assert idle.put(_A, second)
    assert idle.take(_B) is None
    assert [idle.take(_A), idle.take(_A), idle.take(_A)] == [second, first, None]


def test_what_is_not_ready_is_not_given() -> None:
    """A session that has ended in the meantime is passed over."""
    idle = IdleSessions(10)
    first, second = _session(), _session()
    idle.put(_A, first)
    idle.put(_A, second)
    second.leave()
    assert idle.take(_A) is first


def test_there_is_room_for_so_many() -> None:
    """Beyond the limit a session is not kept, until another one is forgotten."""
    idle = IdleSessions(1)
    first, second = _session(), _session()
    assert idle.put(_A, first)
    assert not idle.put(_B, second)
    idle.forget(first)
    idle.forget(first)
    assert idle.put(_B, second)
    assert idle.take(_A) is None
