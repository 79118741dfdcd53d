"""Trace fields say what happened and nothing a hostile peer wants them to say."""

from email import message_from_bytes
from email.utils import parsedate_to_datetime

import pytest

from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.mail.trace import count_hops, received_field, with_protocol

PEER = Peer("192.0.2.1", 40000, "mx", "smtp", hello="client.example", is_extended=True)


def _field(peer: Peer = PEER, only: Mailbox | None = None, *, smtputf8: bool = False) -> bytes:
    return received_field(
        peer, hostname="mx.example.org", queue_id="Q1", only_recipient=only, smtputf8=smtputf8, now=1_700_000_000.5
    )


@pytest.mark.rfc("5321", "4.4")
def test_the_field_has_all_its_clauses() -> None:
    """From, by, with, id, for and the date stand in one folded field that parses."""
    field = _field(only=Mailbox("ann", "example.org"))
    value = message_from_bytes(field + b"\r\n")["Received"]
    assert " ".join(value.split()).startswith(
        "from client.example ([192.0.2.1]) by mx.example.org with ESMTP id Q1 for <ann@example.org>; "
    )
    assert parsedate_to_datetime(value.rpartition(";")[2].strip()).timestamp() == 1_700_000_000
    assert field.endswith(b"\r\n")
    assert all(len(line) < 79 for line in field.split(b"\r\n"))


def test_the_channel_is_told_in_a_comment() -> None:
    """Under TLS, its version and cipher."""
    peer = Peer("192.0.2.1", hello="a.example", is_extended=True, tls="TLSv1.3 TLS_AES_256_GCM_SHA384")
    assert b" with ESMTPS\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384) id " in _field(peer)


@pytest.mark.rfc("5321", "7.2")
def test_several_recipients_are_not_told_of_one_another() -> None:
    """Without a single recipient there is no for clause."""
    assert b"for <" not in _field()


@pytest.mark.parametrize("hello", ["a\r\nX: y", "a) (b", "\x00", "ä", "x" * 5000, 'a;b"c\\'])
def test_a_hostile_hello_cannot_leave_its_place(hello: str) -> None:
    """Line ends, comments and control octets of the peer's word are made harmless."""
    field = _field(Peer("192.0.2.1", 1, "mx", "smtp", hello=hello))
    assert field.count(b"\r\n") == field.count(b"\r\n\t") + 1
    assert field.isascii()
    assert field.count(b"(") == 1
    assert len(field) < 700


@pytest.mark.rfc("3848", "1")
@pytest.mark.parametrize(
    ("peer", "smtputf8", "name"),
    [
        (Peer("", service="lmtp", is_extended=True), False, "LMTP"),
        (Peer(""), False, "SMTP"),
        (Peer("", is_extended=True), False, "ESMTP"),
        (Peer("", is_extended=True, tls="TLSv1.3"), False, "ESMTPS"),
        (Peer("", is_extended=True, tls="TLSv1.3", account="ann"), False, "ESMTPSA"),
        (Peer("", is_extended=True), True, "UTF8SMTP"),
        (Peer("", service="lmtp", is_extended=True), True, "UTF8LMTP"),
    ],
)
def test_the_protocol_has_its_registered_name(peer: Peer, name: str, *, smtputf8: bool) -> None:
    """The with clause uses the registered words."""
    assert with_protocol(peer, smtputf8=smtputf8) == name


def test_an_ipv6_peer_is_a_literal() -> None:
    """IPv6 addresses carry their tag (RFC 5321 4.1.3)."""
    assert b"([IPv6:2001:db8::1])" in _field(Peer("2001:db8::1", hello="a.example"))


@pytest.mark.rfc("5321", "6.3")
@pytest.mark.parametrize(
    ("header", "hops"),
    [
        (b"", 0),
        (b"Received: a\r\nreceived: b\r\nX-Received: c\r\nSubject: x\r\n\r\nReceived: body\r\n", 2),
        (b"Received: a\r\n", 1),
    ],
)
def test_hops_are_counted_in_the_header_only(header: bytes, hops: int) -> None:
    """Received fields count, whatever their case; those in the body do not."""
    assert count_hops(header) == hops
