"""Tests of the courier around a gateway; more of it is held by tests/testing."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred

from mailnode.gateways.api import Answer, Gateway, OutgoingMessage, OutgoingRecipient
from mailnode.testing.api import FakePeer, MemoryNode

ANN = "ann@home.example"


@define
class Slow(Gateway):
    """A gateway that opens something first and shows what it was given."""

    peer: FakePeer = field(factory=FakePeer)
    opened: FakePeer = field(factory=FakePeer)
    stopped: list[str] = field(factory=list)

    async def start(self) -> None:
        """Open."""
        await self.opened.call()

    async def stop(self) -> None:
        """Close."""
        self.stopped.append("stopped")

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Hand over."""
        answer: Answer = await self.peer.call(message, recipients)
        return answer


def test_it_is_started_once_and_again_when_that_failed() -> None:
    """A broker that is not there yet delays the mail, nothing more."""
    gateway = Slow(opened=FakePeer().will(ConnectionRefusedError("no broker")))
    node = MemoryNode(gateway)
    node.send(ANN, "x@gateway.example")
    assert "no broker" in node.queue()[0].reason
    node.advance("1h")
    node.send(ANN, "y@gateway.example")
    assert len(gateway.opened.calls) == 2
    assert len(gateway.peer.calls) == 2


def test_no_more_attempts_than_may_run_at_once() -> None:
    """The others wait for their turn, and get it."""
    waits = [Deferred[None]() for _ in range(4)]
    left = list(waits)
    gateway = Slow()
    gateway.peer.always(lambda *_: None)
    node = MemoryNode(gateway, config="[gateway.slow.queue]\nconcurrency = 1\n[queue]\nlane_initial = 4\n")

    class Peer(FakePeer):
        async def call(self, *arguments: object) -> None:
            self.calls.append(arguments)
            await left.pop(0)

    gateway.peer = Peer()
    for number in range(3):
        node.send(ANN, f"x{number}@gateway.example")
    assert len(gateway.peer.calls) == 1
    for wait in waits[:3]:
        wait.callback(None)
    node.advance(1)
    assert len(gateway.peer.calls) == 3
    assert not node.queue()


def test_a_large_message_is_read_from_its_file() -> None:
    """With the text made ready on a thread."""
    gateway = Slow()
    node = MemoryNode(gateway)
    node.send(ANN, "x@gateway.example", text="word " * 50_000)
    message = gateway.peer.calls[0][0]
    assert message.text().startswith("word word")
    assert len(message.octets()) > 250_000
    assert not node.queue()


def test_keys_stay_the_same_and_spans_do_not() -> None:
    """On every attempt: the same key for a recipient, the same trace, a new span."""
    gateway = Slow(peer=FakePeer().will(TimeoutError()))
    node = MemoryNode(gateway)
    node.send(ANN, "x@gateway.example", "y@gateway.example")
    node.advance("1h")
    (first, to_first), (second, to_second), *_ = gateway.peer.calls
    assert {one.key for one in to_second} <= {one.key for one in to_first}
    assert to_first[0].key != to_first[1].key
    assert first.traceparent[:35] == second.traceparent[:35]
    assert first.traceparent != second.traceparent
    assert (first.attempt, second.attempt) == (1, 2)


def test_who_is_nobody_says_nothing_about_the_other_side() -> None:
    """The breaker neither opens nor closes by it, and a stop reaches the gateway."""
    gateway = Slow()
    node = MemoryNode(gateway)
    node.send(ANN, "x@gateway.example")
    Deferred.fromCoroutine(node.stop())
    assert gateway.stopped == ["stopped"]
