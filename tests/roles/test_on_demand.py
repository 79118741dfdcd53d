"""The provider of On-Demand Mail Relay: what a customer's call takes, and what waits for the next one."""

import math
from random import Random
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure

from mailnode.couriers.on_demand import WAITS, OnDemandCourier
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Refused, Selection, SpoolTrouble
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.mail.outcome import Delayed, Failed, Relayed
from mailnode.mail.route import ON_DEMAND, Lane
from mailnode.queue.settings import QueueSettings
from mailnode.roles.customers import CustomerSettings, read_customers
from mailnode.roles.on_demand import AT_ONCE, OnDemand
from mailnode.spool.memory import MemorySpool
from tests.contracts.spool import START, new_entry
from tests.kit.carrying import request
from tests.kit.queueing import PlainSettle
from tests.kit.results import InlineDisk, now

BRANCH = Lane(ON_DEMAND, "branch.example")
SHOP = Lane(ON_DEMAND, "shop.example")
ANN = Mailbox("ann", "branch.example")
PEER = Peer("203.0.113.9", account="Branch", hello="customer.example", service="odmr")
FAR = START + 432000

pytestmark = pytest.mark.rfc("2645", "5.2.1")


class Line(StringTransportWithDisconnection):
    """A transport that can be cut off."""

    def abortConnection(self) -> None:
        """Be cut off."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionLost()))


class Stage:
    """A provider with a customer."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.spool = MemorySpool(self.clock)
        self.settle = PlainSettle(QueueSettings(), Random(1))
        self.woken = 0
        self.lines: list[Line] = []
        self.role = OnDemand(
            self.spool, self.settle, self.clock, Random(1), InlineDisk(), "provider.example",
            read_customers([CustomerSettings("branch", ("branch.example", "shop.example"))]),
            QueueSettings(), SmtpCourierSettings(), self._wake,
        )  # fmt: skip

    def _wake(self) -> None:
        self.woken += 1

    def keep(self, *queue_ids: str, lane: Lane = BRANCH) -> None:
        """Let messages wait."""
        for queue_id in queue_ids:
            address = Mailbox("ann", lane.next_hop)
            now(self.spool.accept(new_entry(queue_id, (address, lane)), due=FAR))

    def call(self, argument: str = "", peer: Peer = PEER) -> Line:
        """Let the customer say ATRN, and connect its session."""
        session: Any = now(self.role.turn(peer, argument))
        line = Line()
        line.protocol = session
        self.lines.append(line)
        session.makeConnection(line)
        return line

    def refused(self, argument: str = "", peer: Peer = PEER) -> str:
        """Give the refusal of ATRN."""
        with pytest.raises(Refused) as refused:
            now(self.role.turn(peer, argument))
        return str(refused.value.reply)

    def waiting(self) -> list[str]:
        """Name the messages that wait."""
        return [entry.message.queue_id for entry in now(self.spool.listing(Selection(), limit=100))]

    def claimable(self) -> int:
        """Count what a next call would get."""
        moment = self.clock.seconds()
        return sum(
            len(entry.recipients)
            for lane in (BRANCH, SHOP)
            for entry in now(self.spool.claim_lane(lane, now=moment, lease_until=moment, limit=100))
        )


def hears(line: Line, said: bytes) -> bytes:
    """Let the provider hear the customer's server, and give what it says."""
    line.clear()
    line.protocol.dataReceived(said)
    octets: bytes = line.value()
    return octets


def serve(line: Line, count: int, dot: bytes = b"250 ok\r\n") -> None:
    """Be a server without pipelining for so many messages."""
    assert hears(line, b"220 customer.example\r\n").startswith(b"EHLO provider.example")
    said = hears(line, b"250 customer.example\r\n")
    for _ in range(count):
        assert said.startswith(b"MAIL FROM:<bob@example.net>")
        assert hears(line, b"250 ok\r\n").startswith(b"RCPT TO:<ann@")
        assert hears(line, b"250 ok\r\n") == b"DATA\r\n"
        assert hears(line, b"354 go on\r\n").endswith(b"hello\r\n.\r\n")
        said = hears(line, dot)
    assert said == b"QUIT\r\n"


def test_a_call_takes_all_that_waits() -> None:
    """The customer's domains come one after the other, each message is done once it was acknowledged, then QUIT."""
    stage = Stage()
    stage.keep("q1", "q2")
    stage.keep("q3", lane=SHOP)
    stage.keep("q4", lane=Lane(ON_DEMAND, "other.example"))
    line = stage.call()
    serve(line, 3)
    assert stage.waiting() == ["q4"]
    assert stage.settle.ended(Relayed) == ["q1", "q2", "q3"]
    hears(line, b"221 bye\r\n")
    line.loseConnection()
    now(stage.role.stop())


def test_only_the_domains_asked_for() -> None:
    """With an argument, the others wait on."""
    stage = Stage()
    stage.keep("q1")
    stage.keep("q2", lane=SHOP)
    serve(stage.call("SHOP.example"), 1)
    assert stage.waiting() == ["q1"]


def test_who_gets_nothing() -> None:
    """450 for domains of others and for whoever is no customer, 453 when nothing waits, 501 for nonsense."""
    stage = Stage()
    assert stage.refused().startswith("453 ")
    assert stage.refused("branch.example").startswith("453 ")
    stage.keep("q1")
    assert stage.refused("other.example").startswith("450 4.7.1")
    assert stage.refused("branch.example,other.example").startswith("450 4.7.1")
    assert stage.refused(peer=Peer("203.0.113.9", account="somebody@example.org")).startswith("450 4.7.1")
    assert stage.refused("a b").startswith("501")
    assert stage.claimable() == 1


def test_what_is_refused_is_settled_at_once() -> None:
    """A 550 ends the message, and the queue looks for the report that it may have left."""
    stage = Stage()
    stage.keep("q1")
    serve(stage.call(), 1, dot=b"550 no\r\n")
    assert stage.settle.ended(Failed) == ["q1"]
    assert not stage.waiting()


@pytest.mark.parametrize("stop_after", range(1, 7))
def test_a_connection_that_breaks_loses_nothing(stop_after: int) -> None:
    """Wherever it breaks, what was acknowledged is done and the rest can be called for again."""
    stage = Stage()
    stage.keep("q1", "q2")
    line = stage.call()
    for said in [b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 ok\r\n"][
        :stop_after
    ]:
        hears(line, said)
    line.abortConnection()
    left = ["q2"] if stop_after == 6 else ["q1", "q2"]
    assert stage.waiting() == left
    assert stage.claimable() == len(left)


def test_delayed_mail_is_not_tried_twice_in_a_call() -> None:
    """A 451 is for the next call; the other messages still come."""
    stage = Stage()
    stage.keep("q1", "q2")
    serve(stage.call(), 2, dot=b"451 later\r\n")
    assert stage.waiting() == ["q1", "q2"]
    (first, *_) = stage.settle.attempts
    assert isinstance(first.outcomes[0], Delayed)
    assert first.outcomes[0].retry_after == math.inf


def test_a_customer_that_does_not_serve() -> None:
    """Whoever turns the connection around and then says no gets nothing, and its mail waits."""
    stage = Stage()
    stage.keep("q1")
    line = stage.call()
    hears(line, b"554 go away\r\n")
    line.abortConnection()
    assert stage.waiting() == ["q1"]
    assert stage.claimable() == 1


def test_stopping_breaks_calls_off() -> None:
    """The node stops: nothing is lost, and no new call begins."""
    stage = Stage()
    stage.keep("q1")
    line = stage.call()
    hears(line, b"220 hi\r\n")
    now(stage.role.stop())
    assert not line.connected
    assert stage.claimable() == 1
    assert stage.refused().startswith("451 4.3.2")


def test_not_too_many_calls_at_once() -> None:
    """451 for a customer that has several connections under way."""
    stage = Stage()
    stage.keep("q1", "q2")
    for _ in range(AT_ONCE):
        stage.call()
    assert stage.refused().startswith("451 4.3.2")


def test_trouble_with_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 451: the customer may call again."""
    stage = Stage()

    async def trouble(*_: object, **__: object) -> None:
        raise SpoolTrouble("no disk")

    monkeypatch.setattr(MemorySpool, "claim_lane", trouble)
    assert stage.refused().startswith("451 4.3.2")


def test_the_queue_lets_it_wait() -> None:
    """For the queue there is no try, and nothing is due before the message's end."""
    outcomes = now(OnDemandCourier().carry(request(to=2)))
    assert set(outcomes.values()) == {Delayed(WAITS, retry_after=math.inf, is_tried=False)}
    now(OnDemandCourier().close())
