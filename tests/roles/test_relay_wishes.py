"""A time by which a message is to be delivered is kept, and told of."""

import pytest

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Notify, Recipient
from mailnode.mail.message import Message
from mailnode.mail.outcome import Delivered, Outcome, Relayed
from mailnode.mail.quantity import Seconds
from mailnode.mail.reply import Reply
from mailnode.roles.relay_wishes import is_late, not_beyond_deadline, owes_relayed

OK = Reply.of(250, "2.0.0", "Ok")


def message(by: str) -> Message:
    """Make a message that arrived at 1000."""
    return Message("Q", Envelope(NULL, extra=(("BY", by),) if by else ()), Content(b""), 1000)


@pytest.mark.rfc("2852", "4.1.2")
def test_the_last_wait_ends_with_the_time() -> None:
    """A wait beyond the deadline is cut; when it is over, waits are as ever."""
    assert not_beyond_deadline(Seconds(300), message("60;N"), 1010) == Seconds(50)
    assert not_beyond_deadline(Seconds(30), message("60;N"), 1010) == Seconds(30)
    assert not_beyond_deadline(Seconds(300), message("60;N"), 1060) == Seconds(300)
    assert not_beyond_deadline(Seconds(300), message(""), 1060) == Seconds(300)
    assert [is_late(message("60;N"), now) for now in (1059, 1060)] == [False, True]
    assert not is_late(message(""), 1e12)


@pytest.mark.rfc("2852", "4.1.4")
@pytest.mark.parametrize(
    ("by", "outcome", "notify", "expected"),
    [
        ("60;N", Relayed(OK, passes_by=False), Notify.UNSPECIFIED, True),
        ("60;N", Relayed(OK, passes_by=False), Notify.NEVER, False),
        ("60;N", Relayed(OK), Notify.UNSPECIFIED, False),
        ("60;RT", Relayed(OK), Notify.FAILURE, True),
        ("60;NT", Delivered(OK), Notify.UNSPECIFIED, False),
        ("", Relayed(OK, passes_by=False), Notify.UNSPECIFIED, False),
    ],
)
def test_who_loses_sight_of_the_time_is_told(by: str, outcome: Outcome, notify: Notify, *, expected: bool) -> None:
    """A relay that keeps no time is told of, and with T every relay, unless NOTIFY=NEVER."""
    recipient = Recipient(Mailbox("bob", "b.example"), notify)
    assert owes_relayed(message(by), recipient, outcome) is expected
