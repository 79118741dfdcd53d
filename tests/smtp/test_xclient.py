"""XCLIENT's attributes, read into what is known of a peer."""

from typing import Any

import pytest

from mailnode.mail.message import Peer
from mailnode.smtp.faults import Fault
from mailnode.smtp.xclient import UNKNOWN_ADDRESS, XCLIENT, XCLIENT_UNSAID, read_xclient

FRONT = Peer("192.0.2.10", 50000, "mx", hello="front", account="front", certificate_names=("front.example",))


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("ADDR=203.0.113.9 PORT=4000", {"address": "203.0.113.9", "port": 4000}),
        ("addr=IPV6:2001:db8::9", {"address": "2001:db8::9"}),
        ("ADDR=ipv6:::ffff:203.0.113.9", {"address": "203.0.113.9"}),
        ("ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]", {"address": UNKNOWN_ADDRESS, "port": 0}),
        ("ADDR=+5BTEMPUNAVAIL+5D", {"address": UNKNOWN_ADDRESS}),
        ("NAME=client.example HELO=there", {"hello": "there"}),
        ("NAME=[TEMPUNAVAIL] HELO=[UNAVAILABLE]", {"hello": ""}),
        ("PROTO=ESMTP", {"is_extended": True}),
        ("PROTO=smtp", {"is_extended": False}),
        ("LOGIN=ann+40example.org", {"account": "ann@example.org"}),
        ("LOGIN=[UNAVAILABLE]", {"account": ""}),
        ("DESTADDR=198.51.100.1 DESTPORT=25", {"local_address": "198.51.100.1"}),
    ],
)
def test_each_attribute(argument: str, expected: dict[str, Any]) -> None:
    """Each changes its own, in any case of letters, and what is unavailable is nobody's."""
    peer = read_xclient(argument, FRONT)
    assert {name: getattr(peer, name) for name in expected} == expected


def test_with_an_address_somebody_else_speaks() -> None:
    """What the front has proved of itself is not said of the client; its login is, if the front says so."""
    client = read_xclient("ADDR=203.0.113.9", FRONT)
    assert (client.account, client.certificate_names, client.hello) == ("", (), "")
    assert read_xclient("LOGIN=ann ADDR=203.0.113.9", FRONT).account == "ann"
    assert read_xclient("HELO=there", FRONT).account == "front"


@pytest.mark.parametrize(
    "argument",
    [
        "", "ADDR", "ADDR=", "ADDR=x", "ADDR=2001:db8::9", "ADDR=IPV6:203.0.113.9", "PORT=70000", "PORT=-1", "PORT=+",
        "PROTO=LMTP", "HELO=a+20b", "LOGIN=+0D+0A", "LOGIN=", "COLOUR=red", "NAME=a+0Ab", "DESTPORT=x", "ADDR=+FF",
        "LOGIN=" + "x" * 256,
    ],
)  # fmt: skip
def test_what_is_wrong_is_501(argument: str) -> None:
    """Nothing that does not mean what it should is taken over."""
    with pytest.raises(Fault) as raised:
        read_xclient(argument, FRONT)
    assert raised.value.reply.code == 501


def test_who_is_told() -> None:
    """Both know the verb; only one of them is said."""
    assert XCLIENT.line == "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
    assert XCLIENT_UNSAID.verbs == XCLIENT.verbs
    assert not XCLIENT_UNSAID.is_said
