"""Tests of the AMQP gateway's settings and of what it makes of a message, with a broker that is told how to behave."""

import json
from typing import Any

import pytest
from attrs import Factory, define

from mailnode.gateways.api import Delayed, Failed, Trouble
from mailnode.shipped.amqp.gateway import Amqp
from mailnode.shipped.amqp.publication import Publication
from mailnode.testing.api import HANG, FakePeer, MemoryNode

ANN = "ann@home.example"
BOB, EVE = "bob@bus.example", "eve@bus.example"
DOWN = Trouble(Delayed("the broker went away", "4.4.2", is_unreachable=True))


@define
class FakePublisher:
    """A Publisher that keeps what it gets."""

    peer: FakePeer = Factory(FakePeer)
    is_closed: bool = False

    async def publish(self, one: Publication) -> None:
        """Answer as told."""
        await self.peer.call(one)

    async def close(self) -> None:
        """Be closed."""
        self.is_closed = True

    @property
    def got(self) -> list[Publication]:
        """Give what came."""
        return [one for (one,) in self.peer.calls]


def node_with(*answers: Any, **settings: Any) -> tuple[MemoryNode, FakePublisher]:
    """Make a node whose broker answers so."""
    gateway = Amqp(url="amqp://127.0.0.1", exchange="mail", **settings)
    gateway.publisher = publisher = FakePublisher(FakePeer().will(*answers))
    return MemoryNode(gateway, domain="bus.example"), publisher


def test_each_recipient_has_its_routing_key() -> None:
    """And the message its key, its trace and its envelope."""
    node, publisher = node_with(routing_key="mail.{domain}.{local_part}")
    queue_id = node.send(ANN, BOB, EVE, subject="Hello", text="Grüße")
    one, two = publisher.got
    assert (one.exchange, one.routing_key, two.routing_key) == ("mail", "mail.bus.example.bob", "mail.bus.example.eve")
    assert one.message_id != two.message_id
    assert json.loads(one.body)["text"] == "Grüße"
    assert (one.headers["x-mailnode-queue-id"], one.headers["x-mailnode-from"]) == (queue_id, ANN)
    assert one.headers["x-mailnode-to"] == [BOB]
    assert str(one.headers["traceparent"]).startswith("00-")


def test_one_key_for_all_is_one_message() -> None:
    """A routing key that tells nobody apart is used once; raw is the message as it is."""
    node, publisher = node_with(routing_key="from.{sender_domain}", form="raw")
    node.send(ANN, BOB, EVE)
    (one,) = publisher.got
    assert (one.routing_key, one.content_type) == ("from.home.example", "message/rfc822")
    assert one.headers["x-mailnode-to"] == [BOB, EVE]
    assert b"Subject: Hello" in one.body


def test_an_outage_repeats_the_key() -> None:
    """Gone before the confirm, silent, gone, and then there: one message, one key, nothing bounced."""
    node, publisher = node_with(DOWN, HANG, DOWN)
    node.send(ANN, BOB)
    assert "the broker went away" in node.queue()[0].reason
    node.advance("2h")
    assert not node.queue()
    assert len(publisher.got) == 4
    assert len({one.message_id for one in publisher.got}) == 1
    assert not node.mailbox(ANN)


def test_who_was_published_is_not_published_again() -> None:
    """One of two recipients waits; one that nothing is bound for bounces."""
    node, publisher = node_with(None, DOWN, None)
    node.send(ANN, BOB, EVE)
    assert [one.to for one in node.queue()] == [EVE]
    node.advance("1h")
    assert [one.headers["x-mailnode-to"] for one in publisher.got] == [[BOB], [EVE], [EVE]]
    publisher.peer.will(Trouble(Failed("no queue is bound to this routing key", "5.1.1")))
    node.send(ANN, BOB)
    assert "no queue is bound" in node.mailbox(ANN)[0].as_string()


def test_too_long_an_address_bounces() -> None:
    """A routing key holds 255 octets."""
    node, publisher = node_with(routing_key="x" * 240 + "{address}")
    node.send(ANN, "a-very-long-name@bus.example")
    assert "too long a routing key" in " ".join(node.mailbox(ANN)[0].as_string().split())
    assert not publisher.got


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://x"},
        {"url": "amqp://user:password@broker"},
        {"url": "amqp://x", "routing_key": "{nobody}"},
        {"url": "amqp://x", "routing_key": "{address.__class__}"},
        {"url": "amqp://x", "routing_key": "{address!r}"},
        {"url": "amqp://x", "routing_key": "{"},
        {"url": "amqp://x", "prefetch": 0},
        {"url": "amqp://x", "exchange": "x" * 256},
    ],
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail; a template reaches nothing but its names."""
    with pytest.raises(ValueError, match=r"expected|template"):
        Amqp(**settings)
