"""Tests of cutting and joining."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.sms.alphabet import decode, units
from mailnode.shipped.sms.pdu import Number, Tag, TextMessage
from mailnode.shipped.sms.segments import TOGETHER, carried, segment_of, written

TEXTS = st.text(st.sampled_from("aé€[ \n漢\U0001f600") | st.sampled_from("ab€"), max_size=900)


@given(TEXTS, st.sampled_from(["udh", "sar"]), st.integers(0, 2**32))
def test_what_is_cut_can_be_joined(text: str, how: str, reference: int) -> None:
    """No part is too long, none tears a character, and together they are the text."""
    whole = written(text, most=40)
    assert whole.left == 0
    parts = carried(whole, reference, "sar" if how == "sar" else "udh")
    limit = 160 if len(parts) == 1 else 153
    read = []
    for number, part in enumerate(parts, 1):
        message = TextMessage(Number(), Number(), part.message, part.data_coding, part.esm_class, tlvs=part.tlvs)
        segment = segment_of(message)
        assert (segment.number, segment.total) == (number, len(parts))
        assert len(part.message) <= 140 or (part.data_coding == 0 and len(segment.octets) <= limit)
        read.append(decode(segment.octets, part.data_coding, "gsm"))
    assert "".join(one or "" for one in read) == text


@given(TEXTS, st.integers(1, 4))
def test_what_is_too_long_is_cut_with_a_mark(text: str, most: int) -> None:
    """Never more parts than allowed; the mark is there whenever something is missing."""
    whole = written(text, most=most)
    assert len(whole.parts) <= most
    assert ("more characters)" in whole.parts[-1]) == bool(whole.left)
    assert all(
        units(part, whole.alphabet) <= (160 if most == 1 else max(TOGETHER.values()) + 7) for part in whole.parts
    )


def test_sizes_of_parts() -> None:
    """160 and 153 septets, 70 and 67 units of UCS-2."""
    assert [len(one) for one in written("a" * 160).parts] == [160]
    assert [len(one) for one in written("a" * 161).parts] == [153, 8]
    assert [len(one) for one in written("Ж" * 70).parts] == [70]
    assert [len(one) for one in written("Ж" * 71).parts] == [67, 4]
    assert [len(one) for one in written("a" * 152 + "€" * 5).parts] == [152, 5]


def test_the_alphabet_is_chosen_by_content() -> None:
    """Typographic signs alone do not make a text twice as dear."""
    assert written("„Ja“").parts == ('"Ja"',)
    assert written("„Ж“").parts == ("„Ж“",)
    assert written("Ж", "gsm").parts == ("?",)
    assert written("a", "ucs2").alphabet == "ucs2"
    assert written("€", default="latin1").alphabet == "ucs2"
    assert carried(written("ü", default="latin1"), 1, "udh", "latin1")[0].message == b"\xfc"


@given(st.binary(max_size=160), st.integers(0, 255))
def test_whatever_comes_is_a_segment(octets: bytes, esm_class: int) -> None:
    """A header that cannot be is no header; a place that cannot be is none."""
    segment = segment_of(TextMessage(Number(), Number(), octets, 0, esm_class, tlvs={Tag.SAR_TOTAL_SEGMENTS: b"\3"}))
    assert 1 <= segment.number <= segment.total <= 255
    assert octets.endswith(segment.octets)


@pytest.mark.parametrize(
    "header", [b"\x05\x00\x03\x01\x00\x01", b"\x05\x00\x03\x01\x02\x03", b"\x05\x00\x03\x01\x02\x00"]
)
def test_places_that_cannot_be_are_none(header: bytes) -> None:
    """Part 3 of 2, part 0, and one of none are texts of their own."""
    segment = segment_of(TextMessage(Number(), Number(), header + b"text", 0, 0x40))
    assert (segment.octets, segment.total) == (b"text", 1)


def test_the_mark_counts_what_was_left_out_before() -> None:
    """Also when the rest would fit."""
    assert written("abc", beyond=5).parts == ("abc (... 5 more characters)",)
