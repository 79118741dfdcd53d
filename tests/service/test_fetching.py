"""The providers of a node: what is received over a call, by whom, and how it ends."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.couriers.smtp_security import Unavailable
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.roles.fetching import Fetching
from mailnode.roles.reception import FETCHED
from mailnode.service.fetching import Fetchings
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.settings import SessionSettings
from tests.kit.reception import StagedReception
from tests.kit.results import InlineDisk, now

ONE = FetchSettings(name="isp", host="isp.example", username="a", password_file="/etc/secret", interval=Seconds(0))


class Stage:
    """A node that has providers."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reception = StagedReception()
        self.listeners: list[ListenerSettings] = []
        ground = SimpleNamespace(reactor=self.clock, random=Random(1), hostname="customer.example")
        works: Any = SimpleNamespace(ground=ground, reception=self.reception, disk=InlineDisk())
        settings = NodeSettings(fetch=(ONE, evolve(ONE, name="other")))
        self.fetchings = Fetchings(settings, works, self._receivers)

    def _receivers(self, listener: ListenerSettings, *, reception: Any, kind: type[ReceiverFactory]) -> ReceiverFactory:
        self.listeners.append(listener)
        settings = SessionSettings()
        return kind(
            name=listener.name, service=listener.service, hostname="customer.example", reception=reception,
            admission=Admission(settings), is_trusted=lambda _: True, clock=self.clock, settings=settings,
            max_size=Octets(0), extensions=(),
        )  # fmt: skip

    def serve(self) -> tuple[StringTransportWithDisconnection, list[int]]:
        """Turn a call around; gives its connection, and the count once it has ended."""
        session, ended = self.fetchings._serve("192.0.2.1", "isp")
        counts: list[int] = []
        ended.addCallback(counts.append)
        line = StringTransportWithDisconnection()
        line.protocol = session
        session.makeConnection(line)
        return line, counts


def test_what_a_provider_brings() -> None:
    """It is greeted, and each of its transactions is that of a peer who is nobody's client; then the call is over."""
    stage = Stage()
    line, counts = stage.serve()
    assert line.value().startswith(b"220 customer.example")
    line.protocol.dataReceived(
        b"EHLO isp.example\r\nVRFY ann\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"
    )
    line.protocol.dataReceived(b"hello\r\n.\r\n")
    (message,) = stage.reception.messages
    assert (message.peer.service, message.peer.address, message.peer.account) == (FETCHED, "192.0.2.1", "")
    assert message.peer.listener == "fetch isp"
    assert stage.listeners[0].auth == "off"
    assert not counts
    line.protocol.dataReceived(b"QUIT\r\n")
    line.loseConnection()
    assert counts == [1]
    assert not stage.clock.getDelayedCalls()


def test_calling_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """One, or all without a name; what fails is told beside what went well."""

    async def call(fetching: Fetching) -> str:
        if fetching.settings.title == "other":
            raise Unavailable(Reply.of(451, "4.4.1", "refused"), is_ours=True, is_reached=False)
        return "no mail waits"

    monkeypatch.setattr(Fetching, "call", call)
    fetchings = Stage().fetchings
    assert now(fetchings.call("isp")) == [("isp", True, "no mail waits")]
    assert now(fetchings.call("")) == [("isp", True, "no mail waits"), ("other", False, "451 4.4.1 refused")]
    assert now(fetchings.call("nobody")) == []


def test_stopping() -> None:
    """A call that is being received is told 421 and ends."""
    stage = Stage()
    stage.fetchings.start()
    line, counts = stage.serve()
    line.protocol.dataReceived(b"EHLO isp.example\r\n")
    stopping = Deferred.fromCoroutine(stage.fetchings.stop())
    assert b"421 Shutting down" in line.value()
    assert counts == [0]
    assert stopping.called
