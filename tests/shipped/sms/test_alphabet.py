"""Tests of the GSM alphabet and of the data_codings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.sms.alphabet import _BASIC, _EXTENSION, decode, decode_gsm, in_gsm, is_gsm, pieces, plain, units

GSM = st.text(st.sampled_from(sorted({*_BASIC, *_EXTENSION.values()} - {"\x1b"})), max_size=200)


@given(GSM)
def test_every_character_of_the_alphabet_comes_back(text: str) -> None:
    """An octet for each septet, two for what is escaped."""
    octets = b"".join(pieces(text, "gsm"))
    assert decode_gsm(octets) == text
    assert len(octets) == units(text, "gsm")
    assert max(octets, default=0) < 0x80


def test_the_table_is_that_of_the_standard() -> None:
    """Places that tables often have wrong (3GPP TS 23.038 section 6.2.1)."""
    assert len(_BASIC) == 128
    assert b"".join(pieces("@£$¥Δ_Ξ ÉÄÖÑÜ§¿äöñüàß€[", "gsm")) == bytes.fromhex(
        "0001020310111a201f5b5c5d5e5f607b7c7d7e7f1e1b651b3c"
    )


@given(st.text(max_size=100))
def test_any_text_can_be_forced_into_the_alphabet(text: str) -> None:
    """What it does not hold becomes something that it holds."""
    assert is_gsm(in_gsm(text))


def test_typographic_signs_and_accents() -> None:
    """Plain ones where there are any."""
    assert plain("„Ja“ – gut…") == '"Ja" - gut...'
    assert in_gsm("Čeština 漢") == "Cestina ?"


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(["gsm", "latin1"]))
def test_whatever_comes_is_text_or_none(octets: bytes, coding: int, default: str) -> None:
    """No octets raise; what is text can be written again."""
    text = decode(octets, coding, default)
    if text is not None:
        text.encode("utf-8")


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"\x00\x7e", 0, "@ü"), (b"a~", 1, "a~"), (b"\xfc", 3, "ü"), (b"\x04\x16", 8, "Ж"), (b"\xb6", 6, "Ж"),
        (b"\xd8\x3d\xde\x00", 8, "\U0001f600"), (b"\x00a\x00", 8, "a"), (b"\x7e", 0x10, "ü"), (b"\x00a", 0x18, "a"),
        (b"\x7e", 0xF1, "ü"), (b"x", 0xF5, None), (b"x", 4, None), (b"x", 0x14, None), (b"\x7e", 0xC8, "ü"),
        (b"\x00a", 0xE0, "a"), (b"\x1b\x1b\x65", 0, " e"), (b"x", 0x55, None),
    ],
)  # fmt: skip
def test_data_codings(octets: bytes, coding: int, text: str | None) -> None:
    """SMPP's list, and GSM's scheme above it."""
    assert decode(octets, coding, "gsm") == text
