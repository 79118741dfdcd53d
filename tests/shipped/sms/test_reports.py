"""Tests of reading receipts."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import Delayed, Delivered, Failed
from mailnode.shipped.sms.pdu import Number, Tag, TextMessage
from mailnode.shipped.sms.reports import is_report, report_of


def receipt(text: bytes, esm_class: int = 4, tlvs: Mapping[int, bytes] | None = None) -> TextMessage:
    """Make a deliver_sm."""
    return TextMessage(Number(), Number(), text, 0, esm_class, tlvs=tlvs or {})


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (b"id:7f sub:001 dlvrd:001 stat:DELIVRD err:000 text:", Delivered, "delivered to the telephone (DELIVRD)"),
        (b"ID: 7f Stat:undeliv Err:1B", Failed, "undeliverable (UNDELIV, error 1B)"),
        (b"id:7f stat:EXPIRED err:", Failed, "the telephone could not be reached in time (EXPIRED)"),
        (b"id:7f stat:ENROUTE", Delayed, "on its way (ENROUTE)"),
    ],
)
def test_the_usual_text(text: bytes, kind: type, words: str) -> None:
    """As appendix B of SMPP 3.4 has it, and as people write it."""
    report = report_of(receipt(text))
    assert report is not None
    assert (report.message_id, type(report.heard), report.heard.text) == ("7f", kind, words)


def test_tlvs_come_before_the_text() -> None:
    """They are there for machines."""
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: b"42\0",
        Tag.MESSAGE_STATE: b"\5",
        Tag.NETWORK_ERROR_CODE: b"\3\0\x1b",
    }
    report = report_of(receipt(b"id:7f stat:DELIVRD", tlvs=tlvs))
    assert report is not None
    assert (report.message_id, report.heard) == ("42", Failed("undeliverable (UNDELIV, error 03001b)", "5.1.0"))


def test_what_is_no_receipt() -> None:
    """A text that looks like one, and acknowledgements of people."""
    assert not is_report(receipt(b"id:1 stat:DELIVRD", 0x40))
    assert report_of(receipt(b"id:1 stat:DELIVRD", 0)) is None
    assert is_report(receipt(b"read", 0x08))
    assert report_of(receipt(b"id:1 stat:DELIVRD", 0x08)) is None
    assert report_of(receipt(b"id:1 stat:NOVEL")) is None


@given(st.binary(max_size=2000), st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=80)))
def test_whatever_comes_is_a_receipt_or_none(text: bytes, tlvs: dict[int, bytes]) -> None:
    """Its words are one line."""
    report = report_of(receipt(text, tlvs=tlvs))
    if report is not None:
        assert report.message_id.isprintable()
        assert report.heard.text.isprintable()
