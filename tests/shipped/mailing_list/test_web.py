"""Tests of the one-click endpoint, by requests as clients send them."""

import re
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from mailnode.shipped.mailing_list.gateway import MailingLists
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.shipped.mailing_list.web import MOST_BODY, service
from mailnode.testing.api import MemoryNode
from tests.kit.lists import ANN, DOMAIN, NEWS, OWNER, last, members


@pytest.fixture
def node() -> MemoryNode:
    """Make a node whose lists have URLs."""
    settings = {"news": ListSettings(owners=(OWNER,), members=(ANN,))}
    endpoint = "tcp:8085:interface=127.0.0.1"
    return MemoryNode(MailingLists(DOMAIN, settings, "https://lists.example", endpoint), domain=DOMAIN)


def url(node: MemoryNode) -> str:
    """Give the path in a member's copy."""
    node.send(OWNER, NEWS)
    return str(re.findall(r"<https://lists.example(\S+)>", last(node, ANN)["List-Unsubscribe"])[0])


def ask(node: MemoryNode, method: str, path: str, body: bytes = b"", *fields: str) -> str:
    """Send a request and give the whole answer."""
    site: Any = node.clock.tcpServers[0][1]
    channel = site.buildProtocol(None)
    assert channel is not None
    transport = StringTransport()
    channel.makeConnection(transport)
    length = fields or [f"Content-Length: {len(body)}"]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *length, "", ""])
    channel.dataReceived(head.encode() + body)
    return str(transport.value().decode())


@pytest.mark.rfc("8058", "3.2")
def test_post_unsubscribes_and_get_does_not(node: MemoryNode) -> None:
    """Scanners follow links; the button posts. Who has left already gets the same answer."""
    path = url(node)
    shown = ask(node, "GET", path)
    assert "200 OK" in shown
    assert 'method="post"' in shown
    assert members(node) == {ANN: "active"}
    first = ask(node, "POST", path, b"List-Unsubscribe=One-Click")
    assert "200 OK" in first
    assert members(node) == {}
    second = ask(node, "POST", path, b"List-Unsubscribe=One-Click")
    assert first.partition("<!DOC")[2] == second.partition("<!DOC")[2]


def test_what_is_not_ours_is_not_found(node: MemoryNode) -> None:
    """Forged tokens, other lists, other paths; all look the same."""
    path = url(node)
    pages = {
        ask(node, method, wrong).partition("<!DOC")[2]
        for wrong in (
            "/",
            "/unsubscribe",
            path.replace("/1-", "/2-"),
            path.replace("news", "talk"),
            f"{path}x",
            f"{path}/y",
        )
        for method in ("GET", "POST")
    }
    assert len(pages) == 1
    assert members(node) == {ANN: "active"}


def test_a_body_without_end_fills_nothing(node: MemoryNode) -> None:
    """What is beyond the bound is read past, also in chunks."""
    path = url(node)
    chunk = b"x" * 65536
    body = b"10000\r\n" + chunk + b"\r\n"
    answer = ask(node, "POST", path, body * 8 + b"0\r\n\r\n", "Transfer-Encoding: chunked")
    assert "200 OK" in answer
    assert len(chunk) > MOST_BODY


def test_without_an_endpoint_nothing_listens() -> None:
    """The endpoint is a setting."""
    node = MemoryNode(MailingLists(DOMAIN, {"news": ListSettings()}), domain=DOMAIN)
    assert not node.clock.tcpServers
    assert service(node.clock, "tcp:8085", {}) is not None
