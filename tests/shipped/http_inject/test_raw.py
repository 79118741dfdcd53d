"""Tests of how raw messages are read."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.http_inject.problems import Wrong
from mailnode.shipped.http_inject.raw import read_raw
from mailnode.shipped.http_inject.values import Posted

ENVELOPE = {"from": ["a@x.example"], "to": ["b@y.example"]}


def read(body: bytes, **envelope: list[str]) -> Posted:
    """Read a body."""
    return read_raw(body, ENVELOPE | envelope, now=1_800_000_000.0, message_id="<made@x>")


def test_line_ends_of_any_kind_become_crlf() -> None:
    """Also the dots that others would make an end of."""
    mail = read(b"From: a@x.example\nDate: x\rMessage-ID: <1@x>\r\n\n.\n\r.\r\nend").mail
    assert mail == b"From: a@x.example\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n.\r\n\r\n.\r\nend\r\n"


def test_date_and_message_id_are_added_where_they_are_missing() -> None:
    """And nothing else is touched."""
    mail = read(b"From: a@x.example\r\n\r\nhello\r\n").mail
    assert mail == (
        b"Date: Fri, 15 Jan 2027 08:00:00 -0000\r\nMessage-ID: <made@x>\r\nFrom: a@x.example\r\n\r\nhello\r\n"
    )


def test_a_header_alone_is_a_message() -> None:
    """RFC 5322 section 3.5 makes the body optional."""
    assert isinstance(read(b"From: a@x.example\n").mail, bytes)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "line 1 is no header field"),
        (b"hello\n\nFrom: a@x.example\n", "line 1 is no header field"),
        (b" From: a@x.example\n\n", "line 1 is no header field"),
        (b"From: a@x.example\nhello\n\n", "line 2 is no header field"),
        (b"Subject: x\n\n", "one From field, not 0"),
        (b"From: a@x.example\nFrom: b@x.example\n\n", "one From field, not 2"),
        (b"From: <a@x.example\n\n", "From cannot be read"),
        (b"From: " + b"(" * 3000 + b"\n\n", "line 1 is longer"),
        (b"From: " + b"\n ".join([b"(" * 900] * 4) + b"\n\n", "From cannot be read"),
        (b"From: " + b"\n ".join([b"a@x.example," * 60] * 9) + b"\n\n", "From cannot be read"),
        (b"From: undisclosed:;\n\n", "From cannot be read"),
        (b"From: \xc3\xa4@x.example\n\n", "octet 6 of the header"),
        (b"From: a@x.example\nBcc: c@x.example\n\n", "Bcc"),
        (b"From: a@x.example\n\n" + b"x" * 999, "line 3 is longer"),
        (b"From: a@x.example\n\nx\0y", "NUL"),
        (b"From: a@x.example\n" + b"X: y\n" * 60_000, "the header is longer"),
    ],
)
def test_what_is_no_message_is_told_with_its_place(body: bytes, said: str) -> None:
    """A line, an octet, a field."""
    with pytest.raises(Wrong) as caught:
        read(body)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    "envelope",
    [{"from": []}, {"from": ["a@x", "b@x"]}, {"from": ["x"]}, {"to": []}, {"to": ["x"]}, {"to": ["a@x\r\nb"]},
     {"to": [f"{n}@x.example" for n in range(1001)]}],
)  # fmt: skip
def test_the_envelope_is_needed_and_whole(envelope: dict[str, list[str]]) -> None:
    """One sender, at least one recipient, and no more than are taken."""
    with pytest.raises(Wrong):
        read(b"From: a@x.example\n\n", **envelope)


def test_the_null_reverse_path() -> None:
    """It is written as in SMTP, or empty."""
    assert read(b"From: a@x.example\n\n", **{"from": ["<>"]}).sender is None
    assert read(b"From: a@x.example\n\n", **{"from": [""]}).sender is None


@given(st.binary(max_size=300).map(lambda rest: b"From: a@x.example\n" + rest) | st.binary(max_size=100))
def test_any_octets_are_a_message_or_told(body: bytes) -> None:
    """Nothing else comes out of them, and no bare line end is left."""
    with contextlib.suppress(Wrong):
        mail = read(body).mail
        assert isinstance(mail, bytes)
        assert mail.count(b"\r\n") == mail.count(b"\r") == mail.count(b"\n")
