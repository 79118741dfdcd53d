"""Wishes for the delivery are read from the envelope, and travel on as they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Message
from mailnode.mail.wishes import (
    FOREVER,
    DeliverBy,
    begun_at,
    deadline_of,
    deliver_by,
    for_next_hop,
    moment_text,
    parse_moment,
    parse_priority,
    priority_of,
    released_at,
    returned_at,
    with_wish,
)

ARRIVED = 1_800_000_000.0


def message(*extra: tuple[str, str]) -> Message:
    """Make a message with these wishes."""
    return Message("Q", Envelope(Mailbox("ann", "a.example"), extra=extra), Content(b""), ARRIVED)


def test_without_wishes_nothing_waits_or_ends() -> None:
    """No wish is release at once, no deadline, priority 0, and an envelope that goes on as it is."""
    plain = message()
    assert (released_at(plain.envelope), begun_at(plain)) == (0.0, ARRIVED)
    assert deadline_of(plain) == returned_at(plain) == FOREVER
    assert deliver_by(plain.envelope) is None
    assert priority_of(plain.envelope) == 0
    assert for_next_hop(plain, ARRIVED) is plain.envelope


@pytest.mark.rfc("2852", "4")
def test_the_time_counts_from_release() -> None:
    """What is held has its time from its release on; only mode R ends with it."""
    until = moment_text(ARRIVED + 100)
    held = message(("HOLDUNTIL", until), ("BY", "50;R"))
    assert released_at(held.envelope) == ARRIVED + 100
    assert deadline_of(held) == returned_at(held) == ARRIVED + 150
    assert returned_at(message(("BY", "50;N"))) == FOREVER
    assert deadline_of(message(("BY", "-50;N"))) == ARRIVED - 50


@pytest.mark.rfc("2852", "4.1.3")
def test_what_goes_on_is_the_time_that_is_left() -> None:
    """The next hop hears what is left of BY, the priority as it is, and nothing of holding."""
    wishes = (("HOLDUNTIL", moment_text(ARRIVED)), ("MT-PRIORITY", "3"), ("BY", "50;NT"))
    assert for_next_hop(message(*wishes), ARRIVED + 20.5).extra == (("MT-PRIORITY", "3"), ("BY", "29;NT"))
    assert for_next_hop(message(("BY", "50;N")), ARRIVED + 70).extra == (("BY", "-20;N"),)
    assert for_next_hop(message(("BY", "50;R")), ARRIVED + 49.9).extra == (("BY", "1;R"),)


@pytest.mark.parametrize("text", ["", "5", "5;", "5;X", "5;RR", "5;R;T", "0;R", "-1;R", "1000000000;N", "x;N", "٣;N"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """BY is seconds and a mode; R needs a time to come."""
    with pytest.raises(ValueError, match="BY"):
        DeliverBy.parse(text)


@given(st.integers(1, 999_999_999), st.booleans(), st.booleans())
def test_by_is_written_as_it_is_read(seconds: int, returns: bool, traced: bool) -> None:
    """Parsing and writing agree."""
    by = DeliverBy(seconds, returns, traced)
    assert DeliverBy.parse(str(by)) == by


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2030-01-31T09:00:00Z", 1_896_080_400.0),
        ("2030-01-31t09:00:00z", 1_896_080_400.0),
        ("2030-01-31T10:00:00+01:00", 1_896_080_400.0),
    ],
)
def test_moments_are_read(text: str, seconds: float) -> None:
    """Date-times of RFC 3339 are moments, in any zone."""
    assert parse_moment(text) == seconds
    assert moment_text(seconds) == "2030-01-31T09:00:00Z"


@pytest.mark.parametrize("text", ["", "2030-01-31", "2030-01-31T09:00:00", "20300131T090000Z", "2030-13-31T09:00:00Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """A date alone, a local time and nonsense are none."""
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)


@pytest.mark.parametrize("text", ["", "10", "-10", "+1", "1.0", "a", "٣"])
def test_what_is_no_priority_is_refused(text: str) -> None:
    """Only -9 to 9."""
    with pytest.raises(ValueError, match="MT-PRIORITY"):
        parse_priority(text)


def test_a_wish_is_said_once() -> None:
    """Saying it again replaces it; nothing takes it back."""
    envelope = with_wish(with_wish(Envelope(Mailbox("a", "b")), "BY", "1;R"), "BY", "2;R")
    assert envelope.extra == (("BY", "2;R"),)
    assert with_wish(envelope, "BY", "").extra == ()
