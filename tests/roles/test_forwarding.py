"""The mark of what is sent on, and the circle it shows."""

import pytest

from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.content import Content
from mailnode.mail.route import Lane, Route
from mailnode.roles.forwarding import is_circle, marked, sent_on_by

LIST = parse_mailbox("crew@ours.example")
FAR = parse_mailbox("far@away.example")


@pytest.mark.parametrize(
    ("path", "route", "by"),
    [
        (LIST, Route(Lane("smtp", "away.example"), FAR), LIST),
        (LIST, Route(Lane("maildir"), parse_mailbox("ann@ours.example")), NULL),
        (FAR, Route(Lane("smtp", "away.example"), FAR), NULL),
        (parse_mailbox("Ann@BOXES.example"), Route(Lane("lmtp", "x"), parse_mailbox("ann@boxes.example")), NULL),
    ],
)
def test_who_sends_on(path: Mailbox, route: Route, by: Mailbox) -> None:
    """An alias or list of ours whose mail leaves; neither a mailbox nor an address that is routed as it came."""
    assert sent_on_by(path, route) == by


def test_the_mark() -> None:
    """It is the topmost field; what nobody sends on has none."""
    content = Content(b"Received: x\r\n\r\ntext\r\n")
    assert marked(content, LIST).read() == b"Delivered-To: crew@ours.example\r\n" + content.head
    assert marked(content, NULL) is content


@pytest.mark.rfc("5321", "6.3")
@pytest.mark.parametrize(
    ("senders_on", "expected"),
    [
        ([LIST], True),
        ([parse_mailbox("CREW@Ours.example")], True),
        ([LIST, LIST], True),
        ([LIST, NULL], False),
        ([FAR], False),
        ([LIST, FAR], False),
        ([NULL], False),
    ],
)
def test_a_circle_is_seen(senders_on: list[Mailbox], expected: bool) -> None:
    """The message bears the mark of everyone who would send it on; one recipient who would not is enough to take it."""
    start = b"Received: x\r\nDelivered-To: crew@ours.example\r\n\r\nDelivered-To: far@away.example\r\n"
    assert is_circle(start, senders_on) is expected
