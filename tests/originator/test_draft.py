"""Tests of drafts: whom they are for, and what they become."""

import io

import pytest

from mailnode.mail.address import NULL
from mailnode.mail.envelope import Notify
from mailnode.originator.draft import Draft, listed, recipients_in, sealed, sender_in
from mailnode.originator.receipt import BadDraft

HEADER = (
    b"From: Ann <ann@example.org>\r\nTo: bob, Carl <carl@example.net>\r\nCc: list:dora@example.com;\r\n"
    b"Bcc: eve@example.org\r\nSubject: x\r\n\r\nTo: nobody@example.org\r\n"
)


def draft(octets: bytes = HEADER, sender: str = "ann", recipients: tuple[str, ...] = ("bob",)) -> Draft:
    """Make a draft."""
    return Draft(sender, recipients, io.BytesIO(octets), Notify.NEVER, full_name="Ann Example")


def test_the_header_tells_whom_it_is_for() -> None:
    """To, Cc and Bcc, groups too; not what looks like them in the body."""
    assert recipients_in(io.BytesIO(HEADER)) == ("bob", "carl@example.net", "dora@example.com", "eve@example.org")


@pytest.mark.rfc("5322", "3.6.6")
def test_of_what_is_sent_on_the_resent_fields_count() -> None:
    """The first recipients have had it."""
    resent = b"Resent-From: ann@example.org\r\nResent-To: f@example.org\r\nResent-Bcc: g\r\n" + HEADER
    assert recipients_in(io.BytesIO(resent)) == ("f@example.org", "g")
    assert sender_in(io.BytesIO(resent)) == "ann@example.org"


def test_the_sender_is_the_only_author_or_else_sender() -> None:
    """Without a single one there is none."""
    assert sender_in(io.BytesIO(HEADER)) == "ann@example.org"
    several = b"From: a@b.example, c@d.example\r\n"
    assert sender_in(io.BytesIO(several + b"Sender: e@f.example\r\n\r\n")) == "e@f.example"
    with pytest.raises(BadDraft, match="sender"):
        sender_in(io.BytesIO(several + b"\r\n"))


def test_what_is_typed_may_be_a_list() -> None:
    """Commas, names and brackets are understood; what is no list is said to be none."""
    assert listed(["Ann <ann@example.org>, bob", "carl@example.net"]) == ("ann@example.org", "bob", "carl@example.net")
    with pytest.raises(BadDraft, match="no list"):
        listed(["<ann@example.org"])


@pytest.mark.rfc("6409", "8.1")
def test_a_draft_is_made_fit_to_travel() -> None:
    """Addresses get their domain, the header what it lacks, and Bcc goes."""
    one = draft(b"Bcc: eve\r\nSubject: x\r\n\r\nbody\r\n", recipients=("bob", "bob@example.org", "<carl@example.net>"))
    made = sealed(one, domain="example.org", date="now", message_id="<1@example.org>")
    assert str(made.envelope.reverse_path) == "ann@example.org"
    people = [str(recipient.forward_path) for recipient in made.envelope.recipients]
    assert people == ["bob@example.org", "carl@example.net"]
    assert {recipient.notify for recipient in made.envelope.recipients} == {Notify.NEVER}
    assert made.start + one.content.read() == (
        b"Subject: x\r\nDate: now\r\nFrom: Ann Example <ann@example.org>\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"
    )


def test_a_large_body_stays_in_the_file() -> None:
    """Only the beginning is held in memory."""
    one = draft(HEADER + b"x" * 300_000)
    made = sealed(one, domain="example.org", date="now", message_id="<1@b>")
    assert len(made.start) < 100_000
    assert len(one.content.read()) > 200_000


def test_the_null_sender_is_kept() -> None:
    """A notification of a program's own bears it."""
    assert sealed(draft(sender=""), domain="a.example", date="", message_id="").envelope.reverse_path == NULL


@pytest.mark.parametrize("address", ["a b", "@example.org", "ann@", "a@b@c", "a\r\nb"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Whether it is the sender or a recipient."""
    for one in (draft(sender=address), draft(recipients=(address,))):
        with pytest.raises(BadDraft):
            sealed(one, domain="example.org", date="", message_id="")


def test_somebody_must_get_it() -> None:
    """No recipients are a mistake of whoever called."""
    with pytest.raises(BadDraft) as trouble:
        sealed(draft(recipients=()), domain="example.org", date="", message_id="")
    assert trouble.value.code == 64
