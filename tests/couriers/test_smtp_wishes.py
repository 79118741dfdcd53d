"""What is to be returned when late goes only to who keeps time."""

import pytest

from mailnode.couriers.smtp_wishes import NOT_ENOUGH, NOT_KNOWN, objection, passes_time
from mailnode.mail.address import NULL
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Message
from mailnode.mail.reply import Reply
from mailnode.smtp.peeroffer import PeerOffer


@pytest.mark.rfc("2852", "4.1.4")
@pytest.mark.parametrize(
    ("by", "keywords", "expected"),
    [
        ("", {}, None),
        ("60;N", {}, None),
        ("60;R", {}, NOT_KNOWN),
        ("60;R", {"DELIVERBY": ""}, None),
        ("60;R", {"DELIVERBY": "49"}, None),
        ("60;R", {"DELIVERBY": "51"}, NOT_ENOUGH),
        ("60;R", {"DELIVERBY": "nonsense"}, None),
    ],
)
def test_the_next_hop_must_keep_the_time(by: str, keywords: dict[str, str], expected: Reply | None) -> None:
    """Mode R needs DELIVERBY and as much time as the server asks for; ten of sixty seconds are over."""
    message = Message("Q", Envelope(NULL, extra=(("BY", by),) if by else ()), Content(b""), 1000)
    assert objection(message, PeerOffer(keywords), 1010) == expected
    assert passes_time(message, PeerOffer(keywords)) is (not by or bool(keywords))
