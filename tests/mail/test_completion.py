"""Header sections are completed, and nothing else is touched."""

import re

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.completion import (
    MAX_LINE,
    MAX_LIST,
    Completion,
    addresses_in,
    completed,
    fields_of,
    header_end,
    resent_prefix,
    section_end,
)

ANN = Mailbox("ann", "example.org")
WITH = Completion("Tue, 21 Oct 2025 10:00:00 +0000", "<id@mx.example.org>", ANN, "example.org")
DATE = b"Date: Tue, 21 Oct 2025 10:00:00 +0000\r\n"
FROM = b"From: ann@example.org\r\n"
ID = b"Message-ID: <id@mx.example.org>\r\n"
ALL = DATE + FROM + ID


@pytest.mark.rfc("6409", "8.2")
@pytest.mark.rfc("6409", "8.3")
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"", ALL + b"\r\n"),
        (b"\r\nbody", ALL + b"\r\nbody"),
        (b"Subject: x\r\n\r\n\r\nbody\r\n", b"Subject: x\r\n" + ALL + b"\r\n\r\nbody\r\n"),
        (b"Subject: x", b"Subject: x\r\n" + ALL + b"\r\n"),
        (b"date: now\r\n\r\n", b"date: now\r\n" + FROM + ID + b"\r\n"),
        (b"Date:\r\nFROM : bob@b.example\r\n\r\n", b"FROM : bob@b.example\r\n" + DATE + ID + b"\r\n"),
        (b"Message-ID: <old@b.example>\r\n\r\n", b"Message-ID: <old@b.example>\r\n" + DATE + FROM + b"\r\n"),
    ],
)
def test_what_is_missing_is_added(start: bytes, expected: bytes) -> None:
    """Date, From and Message-ID come behind the other fields; what is there stays, empty ones are replaced."""
    assert completed(start, WITH) == expected


@pytest.mark.parametrize("name", [b"Bcc", b"bCC", b"Resent-Bcc", b"Return-Path", b"Content-Length"])
def test_what_must_not_travel_is_removed(name: bytes) -> None:
    """Bcc and its kind go with their folded lines, however they are written; in the body they stay."""
    start = ALL + name + b": <secret@x.example>,\r\n more@x.example\r\nTo: b@b.example\r\n\r\nBcc: body\r\n"
    assert completed(start, WITH) == ALL + b"To: b@b.example\r\n\r\nBcc: body\r\n"


@pytest.mark.rfc("6409", "8")
@pytest.mark.parametrize(
    "body", [b"Hello world\r\nSubject: x\r\n\r\ny", b" folded\r\n", b"no\x80field\r\n", b": x\r\n"]
)
def test_what_is_no_field_begins_the_body(body: bytes) -> None:
    """A broken line ends the header section; an empty line is put before it and nothing is lost."""
    assert completed(b"To: b@b.example\r\n" + body, WITH) in (
        b"To: b@b.example\r\n" + ALL + b"\r\n" + body,
        b"To: b@b.example\r\n" + body + ALL + b"\r\n",  # a folded line belongs to the field before it
    )
    assert completed(body, WITH) == ALL + b"\r\n" + body


@pytest.mark.parametrize("line", [b"From ann Tue Oct 21\r\n", b">From ann Tue Oct 21\r\n"])
def test_the_line_of_a_mailbox_file_is_dropped(line: bytes) -> None:
    """A first line as mbox files have it is no field and no body."""
    assert completed(line + b"To: b@b.example\r\n\r\nx", WITH) == b"To: b@b.example\r\n" + ALL + b"\r\nx"


@pytest.mark.rfc("5322", "3.6.6")
def test_what_is_sent_anew_keeps_its_own_fields() -> None:
    """With Resent- fields it is those that are completed; the message's own stay, missing or not."""
    start = b"Resent-To: z@z.example\r\nFrom: old@o.example\r\n\r\n"
    added = b"".join(b"Resent-" + field for field in (DATE, FROM, ID))
    assert completed(start, WITH) == start[:-2] + added + b"\r\n"
    assert completed(start, evolve(WITH, sender=ANN)).endswith(b"Resent-Sender: ann@example.org\r\n\r\n")


@pytest.mark.rfc("6409", "8.1")
def test_sender_is_the_one_given() -> None:
    """One Sender names the address: one that does stays, others go."""
    told = evolve(WITH, sender=ANN)
    line = b"Sender: ann@example.org\r\n"
    assert completed(ALL + b"\r\n", told) == ALL + line + b"\r\n"
    assert completed(ALL + b"Sender: eve@e.example\r\n\r\n", told) == ALL + line + b"\r\n"
    own = ALL + b"sender: Ann\r\n <ann@example.org>\r\n\r\n"
    assert completed(own, told) == own
    assert completed(ALL + b"Sender: eve@e.example\r\n\r\n", WITH) == ALL + b"Sender: eve@e.example\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ann Lee", "Ann Lee"),
        ("Ann (at home)", '"Ann (at home)"'),
        ('Ann "Q" Lee\r\nX: y', r'"Ann \"Q\" Lee X: y"'),
        ("Änn", "=?utf-8?q?=C3=84nn?="),
        ("=?utf-8?q?x?=", '"=?utf-8?q?x?="'),
        ("  ", ""),
    ],
)
def test_a_full_name_is_written_as_a_phrase(name: str, written: str) -> None:
    """Whatever the name, it is one phrase and cannot forge a field."""
    made = completed(DATE + ID + b"\r\n", evolve(WITH, full_name=name))
    expected = f"From: {written} <ann@example.org>\r\n" if written else "From: ann@example.org\r\n"
    assert made == DATE + ID + expected.encode() + b"\r\n"


def test_nobody_as_author_leaves_from_missing() -> None:
    """Without an author no From is made up."""
    assert completed(DATE + ID, evolve(WITH, author=NULL)) == DATE + ID + b"\r\n"


@pytest.mark.rfc("6409", "8.4")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"bob", b"bob@example.org"),
        (b"Bob <bob>, carl@c.example", b"Bob <bob@example.org>, carl@c.example"),
        (b"<bob> (at home)", b"<bob@example.org> (at home)"),
        (b"bob.b (x (y) \\) z)", b"bob.b@example.org (x (y) \\) z)"),
        (b'"b, c"', b'"b, c"@example.org'),
        (b"friends: bob,\r\n carl ;, dora", b"friends: bob@example.org,\r\n carl@example.org ;, dora@example.org"),
        (b"undisclosed-recipients:;", b"undisclosed-recipients:;"),
        (b"Just A Name", b"Just A Name"),
        (b"<>", b"<>"),
        (b"<@a.example:bob>", b"<@a.example:bob@example.org>"),
        (b"bob@[192.0.2.1]", b"bob@[192.0.2.1]"),
        (b"\xc3\xa4nn, x@y", b"\xc3\xa4nn@example.org, x@y"),
        (b"=?utf-8?q?x?=", b"=?utf-8?q?x?="),
        (b'"open', b'"open'),
        (b"(open", b"(open"),
        (b"bob <open", b"bob <open"),
        (b"(" * 60 + b")" * 60 + b"bob", b"(" * 60 + b")" * 60 + b"bob"),
        (b"bob\\", b"bob\\"),
        (b"", b""),
    ],
)
def test_addresses_get_a_domain(value: bytes, expected: bytes) -> None:
    """Only what is an address without a domain gets one; comments, groups and what is broken stay."""
    for name in (b"To", b"Resent-cc", b"Reply-To"):
        start = ALL + b"Resent-Date: x\r\nResent-From: x@x\r\nResent-Message-ID: x\r\n" + name + b": "
        assert completed(start + value + b"\r\n\r\n", WITH) == start + expected + b"\r\n\r\n"
    other = ALL + b"Subject: " + value + b"\r\n\r\n"
    assert completed(other, WITH) == other


def test_without_a_domain_addresses_stay() -> None:
    """Where no domain is given none is added."""
    start = ALL + b"To: bob\r\n\r\n"
    assert completed(start, evolve(WITH, domain="")) == start


@pytest.mark.rfc("5322", "2.1.1")
def test_a_list_that_grows_too_long_is_folded() -> None:
    """Domains that would make a line too long bring line ends with them, or stay away."""
    made = completed(ALL + b"To: " + b",".join(b"a%d" % number for number in range(200)) + b"\r\n\r\n", WITH)
    assert made.count(b"@example.org") == 201
    assert max(map(len, made.split(b"\r\n"))) <= MAX_LINE
    long = ALL + b"To: " + b"a" * (MAX_LINE - 5) + b"\r\n\r\n"
    assert completed(long, WITH) == long
    huge = ALL + b"To: " + b"a,\r\n " * MAX_LIST + b"\r\n\r\n"
    assert completed(huge, WITH) == huge


def test_the_end_of_the_section() -> None:
    """It is the empty line, seen wherever the octets are cut; without one, what is no field."""
    whole = b"To: x\r\nA: b\r\n\r\nbody"
    assert [header_end(whole[:cut]) >= 0 for cut in range(len(whole))] == [False] * 15 + [True] * 4
    assert header_end(b"\r\nbody") == 0
    assert section_end(b"To: x\r\nbroken\r\nA: b\r\n") == 7


def test_addresses_are_read() -> None:
    """All fields of a name are read; NULL is an address that makes no sense."""
    fields = fields_of(b'From: a@a.example, B <b@b.example>\r\nfrom: x@\r\nFrom: "\r\nTo: c@c.example\r\n\r\n')
    assert addresses_in(fields, b"from") == [Mailbox("a", "a.example"), Mailbox("b", "b.example"), NULL]


_VALUES = st.text('ab@.,;:<>()"\\ [](=?\u00e4\t', max_size=40).map(str.encode)
_NAMES = st.sampled_from(
    [b"From", b"To", b"Cc", b"Sender", b"Bcc", b"Date", b"Subject", b"Resent-To", b"Message-ID", b"X y"]
)
_LINES = st.tuples(_NAMES, _VALUES, st.booleans()).map(
    lambda line: line[0] + b":" + line[1] + (b"\r\n " + line[1] if line[2] else b"") + b"\r\n"
)
_HEADERS = st.lists(_LINES, max_size=6).map(b"".join)


@given(_HEADERS, st.binary(max_size=50), st.booleans())
def test_any_message_is_completed_once(header: bytes, body: bytes, is_told: bool) -> None:
    """Completing again changes nothing, the body is what it was, and no line grows beyond 998 octets."""
    with_ = evolve(WITH, sender=ANN) if is_told else WITH
    made = completed(header + b"\r\n" + body, with_)
    assert completed(made, with_) == made
    assert made.endswith(b"\r\n" + body)
    fields = fields_of(made)
    names = [field.name for field in fields]
    assert not {b"bcc", b"resent-bcc", b"return-path"} & set(names)
    prefix = resent_prefix(fields)
    assert {prefix + b"date", prefix + b"from", prefix + b"message-id"} <= set(names)
    assert max(map(len, re.split(b"\r\n", made[: made.index(b"\r\n\r\n")]))) <= MAX_LINE
    assert (prefix + b"sender" in names) >= is_told
