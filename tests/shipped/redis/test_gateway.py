"""Tests of the settings of the gateway to Redis and of what it makes of a message, with a server that does as told."""

import json
from typing import Any

import pytest
from attrs import Factory, define

from mailnode.gateways.api import Delayed, Trouble
from mailnode.shipped.redis.entry import Entry
from mailnode.shipped.redis.gateway import RedisStreams
from mailnode.testing.api import FakePeer, MemoryNode

ANN = "ann@home.example"
BOB, EVE = "bob@stream.example", "eve@stream.example"
DOWN = Trouble(Delayed("LOADING Redis is loading", "4.3.2", is_unreachable=True))


@define
class FakeAdder:
    """An Adder that keeps what it gets."""

    peer: FakePeer = Factory(FakePeer)

    async def add(self, entry: Entry) -> str:
        """Answer as told."""
        return str(await self.peer.call(entry))

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def got(self) -> list[Entry]:
        """Give what came."""
        return [one for (one,) in self.peer.calls]


def node_with(*answers: Any, **settings: Any) -> tuple[MemoryNode, FakeAdder]:
    """Make a node whose Redis answers so."""
    gateway = RedisStreams(url="redis://127.0.0.1", **settings)
    gateway.adder = adder = FakeAdder(FakePeer("1-0").will(*answers))
    return MemoryNode(gateway, domain="stream.example"), adder


def test_one_entry_for_all_or_one_for_each() -> None:
    """As the name of the stream tells them apart."""
    node, adder = node_with()
    queue_id = node.send(ANN, BOB, EVE, text="Grüße")
    (one,) = adder.got
    assert (one.stream, one.fields["x-mailnode-to"]) == ("mail", f"{BOB}, {EVE}")
    assert (one.fields["x-mailnode-queue-id"], one.fields["message_id"]) == (queue_id, one.key)
    assert json.loads(one.fields["body"])["text"] == "Grüße"
    node, adder = node_with(stream="mail:{domain}:{local_part}", form="raw")
    node.send(ANN, BOB, EVE)
    assert [one.stream for one in adder.got] == ["mail:stream.example:bob", "mail:stream.example:eve"]
    assert adder.got[0].fields["content_type"] == "message/rfc822"


def test_an_outage_repeats_the_key_and_who_is_done_is_not_tried_again() -> None:
    """One of two waits; both end well."""
    node, adder = node_with("1-0", DOWN, ConnectionError("gone"), stream="{address}")
    node.send(ANN, BOB, EVE)
    assert [(one.to, "LOADING" in one.reason) for one in node.queue()] == [(EVE, True)]
    node.advance("2h")
    assert not node.queue()
    assert [one.stream for one in adder.got] == [BOB, EVE, EVE, EVE]
    assert len({one.key for one in adder.got}) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://x"},
        {"url": "redis://user:password@host"},
        {"url": "redis://host/name"},
        {"url": "redis://host", "stream": "{subject}"},
        {"url": "redis://host", "prefetch": 0},
        {"url": "redis://host", "most": -1},
    ],
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match="expected"):
        RedisStreams(**settings)
