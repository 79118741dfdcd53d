"""Tests of the header of posts."""

from email import message_from_bytes

from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.mailing_list.fields import (
    NOT_PASSED_ON,
    addresses_in,
    line,
    parted,
    phrase,
    prefixed,
    readable,
    without,
)


@given(st.binary(max_size=300))
def test_parting_loses_nothing(octets: bytes) -> None:
    """Fields and the rest are the message, octet for octet."""
    fields, rest = parted(octets)
    assert b"".join(fields) + rest in (octets, octets + b"\r\n")


@given(st.lists(st.sampled_from([b"A: 1\r\n", b"List-Id: <x>\r\n", b"B: 2\r\n 3\r\n", b"list-POST:\r\n <y>\r\n"])))
def test_fields_of_other_lists_go_with_their_folded_lines(fields: list[bytes]) -> None:
    """The others stay in their order."""
    found, rest = parted(b"".join(fields) + b"\r\nbody")
    kept = [field for field in fields if not field.lower().startswith(b"list-")]
    assert without(found, NOT_PASSED_ON) == kept
    assert rest == b"\r\nbody"


def test_a_prefix_is_put_once() -> None:
    """Before the subject as it stands; not if it is there, encoded or not; and where there is no subject."""
    assert prefixed([b"Subject: Hi\r\n"], "[news]") == [b"Subject: [news] Hi\r\n"]
    for there in (b"Subject: Re: [News] Hi\r\n", b"Subject: =?utf-8?q?=5Bnews=5D_H=C3=AD?=\r\n"):
        assert prefixed([there], "[news]") == [there]
    assert prefixed([b"A: b\r\n"], "[news]")[1].rstrip() == b"Subject: [news]"
    folded = prefixed([b"Subject: =?utf-8?q?H=C3=AD?=\r\n you\r\n"], "[Grüße]")[0]
    assert readable(message_from_bytes(folded)["Subject"]).split() == ["[Grüße]", "Hí", "you"]


def test_words_before_an_address_are_quoted_or_encoded() -> None:
    """Neither quotes nor line ends break out of a field."""
    assert phrase('a "b"\r\nBcc: x') == "\"a 'b' Bcc: x\" "
    assert phrase("Grüße").startswith("=?utf-8?")
    assert phrase("") == ""
    assert line("A", "b\r\nC: d") == b"A: b C: d\r\n"


def test_addresses_of_a_field() -> None:
    """Only those that mail can be sent to."""
    header = message_from_bytes(b'From: "Ann, B" <ann@home.example>, nonsense, <bob@home.example>\r\n\r\n')
    assert addresses_in(header, "From") == ["ann@home.example", "bob@home.example"]
    assert addresses_in(header, "Cc") == []


@given(st.binary(max_size=200))
def test_no_field_raises(octets: bytes) -> None:
    """Whatever stands in it."""
    header = message_from_bytes(b"From: " + octets + b"\r\n\r\n")
    addresses_in(header, "From")
    readable(header["From"])
