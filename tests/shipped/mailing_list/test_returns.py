"""Mail that comes back, and mail to the owners."""

import re
from typing import Any

import pytest

from tests.kit.lists import ANN, DOMAIN, EVE, NEWS, OWNER, ZOE, last, lists, members


def test_members_far_away_get_copies_from_addresses_that_name_them() -> None:
    """VERP: the reverse-path is the member's own, and what comes back to it is counted for him."""
    node = lists(members=("zoe@far.example", "yan@far.example"))
    node.send(OWNER, NEWS)
    paths = [str(one.envelope.reverse_path) for one in node.outside.sent]
    assert len(set(paths)) == 2
    assert all(re.fullmatch(r"news-bounces\+[12]-\w{16}@lists.example", one) for one in paths)


def test_without_relay_members_elsewhere_are_refused_and_others_served() -> None:
    """The operator decides whether lists may send into the world; the copy counts as a bounce."""
    node = lists(config="", members=("zoe@far.example", ANN), bounce_threshold=1.0)
    node.send(OWNER, NEWS)
    assert len(node.mailbox(ANN)) == 1
    assert members(node) == {ANN: "active", "zoe@far.example": "disabled"}


@pytest.mark.rfc("3464", "2")
def test_a_dead_member_is_stopped_and_the_owner_told() -> None:
    """Failures for ever count, one a day, until it is enough; then he may come back by subscribing again."""
    node = lists(members=(ANN, "zoe@far.example"), bounce_threshold=2.0)
    node.send(OWNER, NEWS)
    verp = str(node.outside.sent[0].envelope.reverse_path)
    for _ in range(2):
        for _ in range(3):
            node.send("", verp, octets=dsn("5.1.1"))
        node.advance("1d")
    assert members(node) == {ANN: "active", "zoe@far.example": "active"}
    node.send("", verp, octets=dsn("5.1.1"))
    assert members(node) == {ANN: "active", "zoe@far.example": "disabled"}
    assert "550 nobody" in last(node, OWNER).get_content()
    node.outside.sent.clear()
    node.send(OWNER, NEWS)
    assert not node.outside.sent


def test_what_is_no_bounce_of_a_copy_counts_nothing() -> None:
    """Delays, forged tokens, and mail from people."""
    node = lists(members=("zoe@far.example",), bounce_threshold=0.1)
    node.send(OWNER, NEWS)
    verp = str(node.outside.sent[0].envelope.reverse_path)
    node.send("", verp, octets=dsn("4.4.1", action="delayed"))
    node.send("", verp.replace("+1-", "+1-x"), octets=dsn("5.1.1"))
    node.send(EVE, verp, octets=dsn("5.1.1"))
    node.send("", f"news-bounces@{DOMAIN}", octets=dsn("5.1.1"))
    assert members(node) == {"zoe@far.example": "active"}
    node.send("", verp, octets=dsn("4.2.2"))
    assert members(node) == {"zoe@far.example": "disabled"}


def dsn(status: str, action: str = "failed") -> bytes:
    """Write a delivery status notification."""
    return (
        "From: MAILER-DAEMON@far.example\r\nTo: x@y.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n"
        f"Final-Recipient: rfc822; zoe@far.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 nobody\r\n--b--\r\n"
    ).encode()


def test_owners_get_what_is_written_to_them() -> None:
    """As it came; what comes back of it ends at the list."""
    node = lists(owners=(OWNER, "boss@far.example"))
    node.send(EVE, f"news-owner@{DOMAIN}", subject="Hello owner")
    assert last(node, OWNER)["Subject"] == "Hello owner"
    assert str(node.outside.sent[0].envelope.reverse_path) == f"news-bounces@{DOMAIN}"


def test_mail_to_owners_goes_in_no_circle() -> None:
    """Who is the owner of himself hears of it once; a list without owners says so; an unreachable owner is only noted."""
    circle = lists(owners=(f"news-owner@{DOMAIN}",))
    circle.send(EVE, f"news-owner@{DOMAIN}")
    circle.advance("1d")
    assert not circle.queue()
    nobody = lists(owners=())
    nobody.send(EVE, f"news-owner@{DOMAIN}")
    assert "the list has no owner" in last(nobody, EVE).as_string()
    far = lists(config="", owners=("boss@far.example", OWNER))
    far.send(EVE, f"news-owner@{DOMAIN}")
    assert last(far, OWNER)["Subject"] == "Hello"
    assert not far.queue()
    far.send(ZOE, f"news-help@{DOMAIN}")
    assert not far.queue()
    assert not far.outside.sent


def test_no_octets_stop_the_list() -> None:
    """Mail nested without end, without a header, with nonsense in every field: nothing stays in the queue."""
    node = lists(members=(ZOE,), post="moderated")
    deep = b"MIME-Version: 1.0\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(3000)
    )
    gateway: Any = node.gateway()
    verp = gateway._mailings["news"].address("bounces", gateway._mailings["news"].tickets.for_member("bounce", 1))
    for octets in (
        deep,
        b"",
        b"no header",
        b"From: \xff<>,;\r\nSubject: =?x?q?\xff?=\r\n\r\n{x}",
        b"From: a@b, c@d\r\n\r\n",
    ):
        node.send("", verp, octets=octets)
        for role in ("", "-subscribe", "-request", "-owner", "-confirm+a-zzzz-zz-aaaaaaaaaaaaaaaa"):
            node.send(EVE, f"news{role}@{DOMAIN}", octets=octets)
    assert not node.queue()
