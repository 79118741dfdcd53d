"""Tests of the connection's bounds: size, time, number, and what comes when it should not."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.testing.api import MemoryNode
from tests.kit.posting import TOKEN, Line, node_with, post, request

MAIL = {"from": "orders@shop.example", "to": ["ann@home.example"], "text": "hello"}
HEAD = f"POST /messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n".encode()


@pytest.fixture
def node(tmp_path: Path) -> MemoryNode:
    """Give a node with narrow bounds."""
    return node_with(tmp_path, max_size=2000, max_connections=5, max_connections_per_address=2, timeout=20.0)


def test_a_body_that_is_too_large_is_never_read(node: MemoryNode) -> None:
    """The declared size is enough; what comes is thrown away for a few seconds."""
    line = Line(node)
    line.send(HEAD + b"Content-Length: 2001\r\n\r\n")
    assert line.heard()[0].problem() == "too-large"
    line.send(b"x" * 1000)
    assert line.is_open
    node.advance("6s")
    assert not line.is_open


def test_chunks_count_as_they_come(node: MemoryNode) -> None:
    """A size that was not declared is measured; the end of the body ends the connection."""
    line = Line(node)
    line.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        line.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
    assert [one.status for one in line.heard()] == [413]
    line.send(b"0\r\n\r\n")
    assert not line.is_open


@pytest.mark.rfc("9110", "10.1.1")
def test_who_asks_before_sending_is_told(node: MemoryNode) -> None:
    """100 where the body is wanted, the refusal where it is not."""
    asking = b"Expect: 100-continue\r\n"
    wanted, unwanted = Line(node), Line(node)
    wanted.send(HEAD + asking + b"Content-Length: 10\r\n\r\n")
    assert wanted.transport.value() == b"HTTP/1.1 100 Continue\r\n\r\n"
    unwanted.send(HEAD + asking + b"Content-Length: 9999\r\n\r\n")
    assert unwanted.transport.value().startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("octets", [b"POST /mess", HEAD, HEAD + b"Content-Length: 500\r\n\r\n"])
def test_who_sends_an_octet_now_and_then_is_cut_off(node: MemoryNode, octets: bytes) -> None:
    """Silence is not needed: each request has its time as a whole."""
    line = Line(node)
    line.send(octets)
    for _ in range(7):
        node.advance("3s")
        line.send(b"x")
    assert not line.is_open


def test_silence_ends_a_connection(node: MemoryNode) -> None:
    """Before the first request, and after one."""
    fresh, used = Line(node), Line(node)
    used.send(request(MAIL))
    node.advance("31s")
    assert used.heard()[0].status == 202
    assert (fresh.is_open, used.is_open) == (False, False)


def test_there_are_so_many_connections_and_no_more(node: MemoryNode) -> None:
    """From one address, and in all; those of this machine count only in all."""
    lines = [Line(node, "192.0.2.1") for _ in range(3)]
    assert [one.is_open for one in lines] == [True, True, False]
    more = [Line(node, "127.0.0.1") for _ in range(4)]
    assert [one.is_open for one in more] == [True, True, True, False]
    lines[0].transport.end()
    assert Line(node, "192.0.2.1").is_open


def test_requests_follow_one_another(node: MemoryNode) -> None:
    """Also when they come in one piece."""
    line = Line(node)
    line.send(request(MAIL) + request(MAIL) + request(b"{", method="POST"))
    assert [one.status for one in line.heard()] == [202, 202, 400]
    line.send(request(MAIL))
    assert len(line.heard()) == 4


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": ""}, 415),
        ({"Content_Type": "application/json; charset=utf-16"}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content_Length": "x"}, 400),
        ({"Transfer_Encoding": "chunked"}, 400),
        ({"Idempotency_Key": '""'}, 422),
        ({"Idempotency_Key": "x" * 256}, 422),
        ({"Idempotency_Key": "\xff"}, 422),
    ],
)
def test_what_cannot_be_read_is_not(node: MemoryNode, fields: dict[str, str], status: int) -> None:
    """Forms that are none of ours, lengths that are none, two lengths at once, keys that are none."""
    assert post(node, MAIL, **fields).status == status
    assert not node.mailbox("ann@home.example")


def test_a_client_that_leaves_is_no_trouble(node: MemoryNode, caplog: Any) -> None:
    """In the middle of a body, or of a refusal."""
    for octets in (request(MAIL)[:-3], HEAD + b"Content-Length: 9999\r\n\r\n"):
        line = Line(node)
        line.send(octets)
        line.transport.end()
    node.advance("1m")
    assert not node.mailbox("ann@home.example")
