"""Tests of the bodies: both ways for every value, against a codec that is not ours, and hostile."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.smpp import parse_pdu  # type: ignore[import-untyped]

from mailnode.shipped.sms.pdu import (
    BadBody,
    BindTransceiver,
    Number,
    Tag,
    TextMessage,
    parse_name,
    render_name,
)
from mailnode.shipped.sms.wire import Command, Pdu

OCTET = st.integers(0, 255)


def words(most: int) -> st.SearchStrategy[str]:
    """Give texts that fit into a field."""
    return st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=most)


NUMBERS = st.builds(Number, words(20), OCTET, OCTET)
MESSAGES = st.builds(
    TextMessage, NUMBERS, NUMBERS, st.binary(max_size=400), OCTET, OCTET, OCTET, words(5), OCTET, OCTET, words(16),
    words(16), OCTET, OCTET,
    st.dictionaries(st.integers(0, 0xFFFF).filter(lambda tag: tag != Tag.MESSAGE_PAYLOAD), st.binary(max_size=40), max_size=5),
)  # fmt: skip


@given(MESSAGES)
def test_messages_are_read_as_they_were_written(message: TextMessage) -> None:
    """Long ones through message_payload."""
    assert TextMessage.parse(message.render()) == message


@given(words(15), words(8), words(12))
def test_binds_are_read_as_they_were_written(system_id: str, password: str, system_type: str) -> None:
    """And the password is not shown."""
    bind = BindTransceiver(system_id, password, system_type)
    assert BindTransceiver.parse(bind.render()) == bind
    assert f"password={password!r}" not in repr(bind)


@given(st.binary(max_size=300), MESSAGES, st.integers(0, 200))
def test_whatever_comes_is_read_or_refused(octets: bytes, message: TextMessage, end: int) -> None:
    """Garbage, and messages that end too early."""
    for body in (octets, message.render()[:end], message.render() + octets):
        with suppress(BadBody):
            TextMessage.parse(body)


def test_a_secret_that_is_too_long_is_not_told() -> None:
    """The error counts its characters."""
    with pytest.raises(ValueError, match="9 characters is too long") as raised:
        BindTransceiver("name", "secret789").render()
    assert "secret" not in str(raised.value)


def test_names_of_every_kind() -> None:
    """Absent, hostile, without an end."""
    assert parse_name(b"") == ""
    assert parse_name(render_name("id1")) == "id1"
    assert parse_name(b"a\r\nb\0") == "a??b"
    with pytest.raises(BadBody):
        parse_name(b"x" * 300)


def test_a_codec_that_is_not_ours_reads_what_we_write() -> None:
    """The library smpplib reads our submit_sm, TLVs included."""
    message = TextMessage(
        Number("ACME", 5, 0), Number("4917012345", 1, 1), b"\x05\x00\x03\x09\x02\x01text", 0, 0x40, 1,
        tlvs={Tag.USER_MESSAGE_REFERENCE: b"\x12\x34"},
    )  # fmt: skip
    client: Any = type("Client", (), {"next_sequence": lambda _: 0})()
    octets = Pdu(Command.SUBMIT_SM, 7, message.render()).render()
    read = parse_pdu(octets, client=client, allow_unknown_opt_params=True)
    assert (read.command, read.sequence, read.source_addr, read.source_addr_ton) == ("submit_sm", 7, b"ACME", 5)
    assert (read.destination_addr, read.esm_class, read.registered_delivery) == (b"4917012345", 0x40, 1)
    assert (read.short_message, read.user_message_reference) == (message.message, 0x1234)
