"""Tests of messages that become mail, where the node is not well or somebody sends too much."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from mailnode.shipped.xmpp.gateway import Xmpp
from mailnode.shipped.xmpp.stanzas import NS_DELAY
from mailnode.testing.api import MemoryNode, now
from tests.kit.xmpp_server import XmppServer

ANN = "ann@home.example"
JID = r"ann\40home.example@mail.example.org"


def pair() -> tuple[MemoryNode, XmppServer]:
    """Make a node and the server that it is connected to."""
    node = MemoryNode(Xmpp(jid="mail.example.org", password="s"), domain="xmpp.example.org")
    return node, XmppServer(node.clock).accept()


def said(extra: str = "") -> str:
    """Write a message of Bob's."""
    return f"<message from='bob@chat.example/x' to='{JID}' type='chat' id='1'><body>x</body>{extra}</message>"


def test_too_much_at_once_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is on what waits; then there is room again."""
    node, server = pair()
    waiting: list[Deferred[Any]] = []

    async def slow(*_: Any, **__: Any) -> Any:
        waiting.append(Deferred())
        return await waiting[-1]

    monkeypatch.setattr(type(node.gateway().node), "submit", slow)
    server.say(said() * 205)
    assert [one["type"] for one in server.messages()] == ["error"] * 5
    assert len(waiting) == 1
    now(node.gateway().stop())
    assert len(waiting) == 1


def test_a_bug_is_told_as_such(monkeypatch: pytest.MonkeyPatch, lost_failures: list[dict[str, Any]]) -> None:
    """The person may try again; the failure is logged."""
    node, server = pair()

    async def broken(*_: Any, **__: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr(type(node.gateway().node), "submit", broken)
    server.say(said())
    assert "internal-server-error" in server.messages()[0].toXml()
    assert "disk full" in str(lost_failures.pop()["log_failure"].value)


def test_a_closed_source_takes_nothing() -> None:
    """What comes then is told to come later."""
    node, server = pair()
    gateway: Any = node.gateway()
    gateway._incoming.is_open = False
    server.say(said())
    assert "resource-constraint" in server.messages()[0].toXml()
    assert not node.mailbox(ANN)


def test_what_was_stored_on_its_way_has_its_own_date() -> None:
    """Nobody else has read it, so it becomes mail; a date that is to come is not believed."""
    node, server = pair()
    server.say(said(f"<delay xmlns='{NS_DELAY}' stamp='2026-01-02T03:04:05Z'/>"))
    server.say(said(f"<delay xmlns='{NS_DELAY}' stamp='2099-01-02T03:04:05Z'/>"))
    dates = [str(one["Date"]) for one in node.mailbox(ANN)]
    assert "02 Jan 2026 03:04:05" in dates[0]
    assert "2099" not in dates[1]
