"""Tests of how mail is made fit for another system."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.adapting import (
    Attachment,
    attachments_of,
    best_text,
    html_to_text,
    in_charset,
    read_mail,
    selected,
    shortened,
    with_attachments,
)
from mailnode.gateways.outcomes import Failed, Trouble

FILES = (Attachment("plan.pdf", "application/pdf", b"12345"),)


def mail(header: str, body: str = "") -> EmailMessage:
    """Read a message written with LF."""
    return read_mail(f"{header}\n\n{body}".replace("\n", "\r\n").encode("latin-1"))


@pytest.mark.parametrize(
    ("header", "body", "text"),
    [
        ("Subject: x", "Hello", "Hello"),
        ("Content-Type: text/plain; charset=iso-8859-1", "Gr\xfc\xdfe", "Grüße"),
        ("Content-Type: text/plain; charset=no-such-one", "Hello", "Hello"),
        ("Content-Type: text/plain; format=flowed", "one \ntwo", "one two"),
        ("Content-Type: text/html", "<p>One<p>Two <b>bold</b><script>x()</script>", "One\n\nTwo bold"),
        ("Content-Type: image/png\nContent-Transfer-Encoding: base64", "AAAA", ""),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: base64", "!!!", None),
    ],
)
def test_the_best_text_is_found(header: str, body: str, text: str | None) -> None:
    """Plain before HTML, flowed joined, and whatever charset it claims."""
    found = best_text(mail(header, body)).strip()
    assert text is None or found == text


def test_plain_is_better_than_html_and_files_are_what_is_left() -> None:
    """Of an alternative with a file, the text is the plain half; the HTML half is no file."""
    made = EmailMessage()
    made.set_content("plain")
    made.add_alternative("<p>html</p>", subtype="html")
    made.add_attachment(b"12345", maintype="application", subtype="pdf", filename="../../plan.pdf")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("enclosed")
    made.add_attachment(inner)
    read = read_mail(made.as_bytes())
    assert best_text(read).strip() == "plain"
    first, second = attachments_of(read)
    assert first == Attachment("plan.pdf", "application/pdf", b"12345")
    assert (second.content_type, b"enclosed" in second.octets) == ("message/rfc822", True)


@given(st.binary(max_size=400))
def test_no_octets_are_too_strange(octets: bytes) -> None:
    """Anything reads as something, or says that it cannot be read."""
    for prefix in (
        b"",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
        b"Content-Type: text/html\r\n\r\n",
    ):
        try:
            read = read_mail(prefix + octets)
            best_text(read)
            attachments_of(read)
            selected(read, ("Subject", "From", "To", "Date"))
        except Trouble as trouble:
            assert isinstance(trouble.outcome, Failed)  # noqa: PT017 - most can be read


def test_mail_nested_without_end_is_refused_and_not_our_end() -> None:
    """A thousand multiparts within one another."""
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(3000))
    try:
        best_text(read_mail(nested.encode()))
    except Trouble as trouble:
        assert isinstance(trouble.outcome, Failed)  # noqa: PT017 - or it can be read


@given(st.text(max_size=200), st.integers(min_value=1, max_value=120))
def test_what_is_cut_is_short_enough_and_says_so(text: str, limit: int) -> None:
    """Never longer than the limit, and with a mark where there is room for one."""
    cut = shortened(text, limit)
    assert len(cut) <= limit
    assert cut == text or limit < 40 or "more characters]" in cut


def test_the_mark_tells_how_much_is_missing() -> None:
    """Honestly."""
    assert shortened("x" * 100, 50) == "x" * 24 + " [... 76 more characters]"


@pytest.mark.parametrize(
    ("text", "charset", "fit", "lost"),
    [("Grüße", "ascii", "Grusse", 0), ("„Ja“ – 5 €", "ascii", '"Ja" - 5 EUR', 0), ("漢字", "latin-1", "??", 2)],
)
def test_characters_become_plainer_before_they_are_lost(text: str, charset: str, fit: str, lost: int) -> None:
    """And the number of those that are lost is told."""
    assert in_charset(text, charset) == (fit, lost)


def test_html_has_an_end() -> None:
    """What is left out of a giant page is told."""
    assert "characters of HTML left out" in html_to_text("<p>x</p>" * 70_000)


def test_attachments_by_policy() -> None:
    """Drop says what is missing, link says where it is, pass keeps it, reject bounces."""
    assert with_attachments("Hi", FILES, "drop").text == "Hi\n[plan.pdf, 5 octets, left out]"
    assert with_attachments("Hi", FILES, "link", lambda one: f"https://x/{one.name}").text == (
        "Hi\n[plan.pdf: https://x/plan.pdf]"
    )
    assert with_attachments("Hi", FILES, "pass").files == FILES
    with pytest.raises(Trouble, match=r"plan\.pdf"):
        with_attachments("Hi", FILES, "reject")


def test_header_fields_are_decoded_and_harmless() -> None:
    """One line each, in the order asked for, those that are missing left out."""
    read = mail("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nX-A: 1\nX-A: 2\nX-B: =?utf-8?q?a=0D=0Ab?=")
    assert selected(read, ("X-A", "Subject", "X-C", "X-B")) == (
        ("X-A", "1"), ("X-A", "2"), ("Subject", "Grüße"), ("X-B", "a b"),
    )  # fmt: skip
