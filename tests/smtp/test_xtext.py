"""xtext and the addresses of RFC 6533."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.smtp.xtext import decode_utf8_address, decode_xtext, encode_utf8_address, encode_xtext


@pytest.mark.rfc("3461", "4")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_xtext_is_read_as_it_was_written(text: str) -> None:
    """Any text survives, and what travels is printable ASCII without + and = of its own."""
    written = encode_xtext(text)
    assert decode_xtext(written) == text
    assert written.isascii()
    assert not set(written) & set(" =\r\n")


@pytest.mark.rfc("6533", "3")
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
def test_utf8_addresses_are_read_as_they_were_written(text: str, smtputf8: bool) -> None:
    """Both forms give the address back, and the one without SMTPUTF8 is ASCII."""
    written = encode_utf8_address(text, smtputf8=smtputf8)
    assert decode_utf8_address(written, smtputf8=smtputf8) == text
    assert smtputf8 or written.isascii()
    assert not set(written) & set(" =+\r\n")


def test_the_examples_of_the_rfc() -> None:
    """Plus is written +2B, a square root \\x{221A}."""  # noqa: D301 - the backslash is doubled
    assert encode_xtext("a+b=c") == "a+2Bb+3Dc"
    assert encode_utf8_address("√", smtputf8=False) == r"\x{221A}"


@pytest.mark.parametrize("wrong", ["a b", "a=b", "+", "+2", "+2b", "é", "+FF", "\n"])
def test_what_is_no_xtext(wrong: str) -> None:
    """Small hexadecimal digits, lone plus signs and what is no UTF-8 are refused."""
    with pytest.raises(ValueError):
        decode_xtext(wrong)


@pytest.mark.parametrize("wrong", ["", "a b", "a+b", "\\", r"\x{}", r"\x{D800}", r"\x{110000}", r"\x{e9}"])
def test_what_is_no_utf8_address(wrong: str) -> None:
    """Neither surrogates nor numbers beyond Unicode are characters."""
    with pytest.raises(ValueError):
        decode_utf8_address(wrong)
