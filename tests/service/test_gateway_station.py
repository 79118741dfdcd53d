"""Tests of the gateways of one process: sources are opened, tried again, and closed, whatever they do."""

from typing import Any

from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailnode.gateways.api import Gateway
from mailnode.testing.api import MemoryNode


@implementer(IService)
class Feed(Service):
    """A service that notes what happens to it, and may refuse to stop."""

    def __init__(self, notes: list[str], *, stops: bool) -> None:
        self.notes = notes
        self.stops = stops

    def startService(self) -> None:
        """Note it."""
        self.notes.append("start")

    def stopService(self) -> None:
        """Note it, or fail."""
        self.notes.append("stop")
        if not self.stops:
            raise OSError("it does not stop")


@define
class Feeder(Gateway):
    """A gateway with a feed."""

    stops: bool = True
    notes: list[str] = field(factory=list)

    def source(self) -> IService:
        """Give the feed."""
        return Feed(self.notes, stops=self.stops)


def test_all_are_closed_also_when_one_fails(lost_failures: list[dict[str, Any]]) -> None:
    """And the failure is logged with the gateway's name."""
    bad, good = Feeder(stops=False), Feeder()
    node = MemoryNode({"bad": bad, "good": good})
    Deferred.fromCoroutine(node.stop())
    assert (bad.notes, good.notes) == (["start", "stop"], ["start", "stop"])
    assert lost_failures.pop()["gateway"] == "bad"


def test_a_frozen_gateway_has_its_node_too() -> None:
    """attrs.frozen is as good as attrs.define."""
    from attrs import frozen

    @frozen
    class Cold(Gateway):
        async def deliver(self, message: Any, recipients: Any) -> None:
            """Take it."""

    node = MemoryNode(Cold())
    assert node.gateway().node.name == "cold"
    node.send("ann@home.example", "x@gateway.example")
    assert not node.queue()
