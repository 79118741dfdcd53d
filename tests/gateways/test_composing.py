"""Tests of how messages are written."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.adapting import Attachment, attachments_of, best_text
from mailnode.gateways.composing import Draft, compose


def made(draft: Draft) -> EmailMessage:
    """Write a draft and read it back."""
    octets = compose(draft, now=1_800_000_000.0, message_id="<made@x.example>")
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    return BytesParser(policy=default).parsebytes(octets)


def draft(**fields: object) -> Draft:
    """Make a draft from Ann to Bob."""
    return Draft("ann@x.example", ["bob@y.example"], **fields)  # type: ignore[arg-type]


@pytest.mark.rfc("5322", "3.6")
def test_a_message_has_what_it_must_have() -> None:
    """From, To, Date, Message-ID, and a type that says flowed."""
    mail = made(draft(text="Grüße", subject="Hällo", sender_name="Ann Ö."))
    assert (mail["From"], mail["To"]) == ('"Ann Ö." <ann@x.example>', "bob@y.example")
    assert mail["Subject"] == "Hällo"
    assert mail["Message-ID"] == "<made@x.example>"
    assert mail["Date"].datetime.timestamp() == 1_800_000_000
    assert mail.get_param("format") == "flowed"
    assert best_text(mail) == "Grüße"


@pytest.mark.rfc("5322", "3.6.4")
def test_an_answer_stands_in_its_thread() -> None:
    """In-Reply-To names the parent; References begins with the first and ends with the parent."""
    mail = made(draft(text="x", in_reply_to="<p@x>", references=[f"<{n}@x>" for n in range(40)]))
    assert mail["In-Reply-To"] == "<p@x>"
    references = str(mail["References"]).split()
    assert (references[0], references[-1], len(references)) == ("<0@x>", "<p@x>", 20)
    assert "In-Reply-To" not in made(draft(in_reply_to="no id\r\nX: y"))


@given(st.text(max_size=60), st.text(max_size=300))
def test_nothing_written_by_strangers_forges_a_field(subject: str, text: str) -> None:
    """Whatever stands in subject and text, the header has the fields it should have."""
    mail = made(draft(text=text, subject=subject, extra=[("X-Foreign", subject)]))
    wanted = {"From", "To", "Subject", "Date", "Message-ID", "X-Foreign", "Content-Type", "Content-Transfer-Encoding"}
    assert set(mail.keys()) == wanted | {"MIME-Version"}


def test_html_and_files_find_their_places() -> None:
    """An alternative within a mixed."""
    mail = made(draft(text="plain", html="<p>html", files=[Attachment("a.png", "image/png", b"\x89PNG")]))
    assert mail.get_content_type() == "multipart/mixed"
    assert best_text(mail) == "plain"
    assert attachments_of(mail) == (Attachment("a.png", "image/png", b"\x89PNG"),)
    assert made(draft(html="<p>only")).get_content_type() == "text/html"


@pytest.mark.rfc("3834", "5")
def test_a_machine_says_that_it_is_one() -> None:
    """Auto-Submitted ends answers to it."""
    assert made(draft(is_automatic=True))["Auto-Submitted"] == "auto-generated"


def test_a_bad_address_is_a_fault() -> None:
    """And never half a message."""
    with pytest.raises(ValueError, match="address"):
        compose(Draft("no address", ["b@y.example"]), now=0, message_id="<a@b>")


def test_people_have_names_and_copies_are_told() -> None:
    """Names are quoted as they need it, Cc stands beside To, and who is named nowhere stands nowhere."""
    written = Draft(
        "ann@home.example", ["bob@x.example"], "Hello.", cc=["eve@x.example"],
        names={"bob@x.example": 'Bob, "the" Bürger', "eve@x.example": "Eve"},
    )  # fmt: skip
    mail = made(written)
    assert [one.display_name for one in mail["To"].addresses] == ['Bob, "the" Bürger']
    assert str(mail["Cc"]) == "Eve <eve@x.example>"
    hidden = made(Draft("ann@home.example", [], "Hello."))
    assert str(hidden["To"]) == "undisclosed-recipients:;"
    copied = made(Draft("ann@home.example", [], cc=["b@x.example"]))
    assert copied["To"] is None
