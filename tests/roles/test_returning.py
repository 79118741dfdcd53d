"""Tests of mail that is given back at once."""

import pytest

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Failed
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.roles.returning import RETURNED, ReturningCourier, refusal, returned
from tests.kit.results import now


@pytest.mark.parametrize(
    "reply", [Reply.of(550, "5.1.1", "No such mailbox"), Reply(554, ("no",)), Reply.of(552, "5.3.4", "")]
)
def test_the_lane_keeps_the_refusal(reply: Reply) -> None:
    """It survives the spool, which keeps lanes as text."""
    assert refusal(returned(reply)) == reply


def test_anything_else_is_a_refusal_too() -> None:
    """Nothing in the spool makes it raise."""
    assert refusal(Lane(RETURNED, "nonsense here")).code == 550


def test_everybody_s_copy_fails() -> None:
    """With the refusal as the reason."""
    people = (Recipient(Mailbox("a", "b.example")), Recipient(Mailbox("c", "b.example")))
    reply = Reply.of(550, "5.1.1", "No such mailbox")
    message = Message("id", Envelope(Mailbox("x", "y.example"), people), Content(b""), 0.0)
    courier = ReturningCourier()
    assert now(courier.carry(DeliveryRequest(message, returned(reply)))) == dict.fromkeys(people, Failed(reply))
    now(courier.close())
