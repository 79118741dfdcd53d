"""Delivery receipts as a deliver_sm carries them: TLVs, and the text that nearly everybody writes (SMPP 3.4 appendix B)."""

import re
from collections.abc import Mapping

from attrs import frozen

from mailnode.gateways.api import Delayed, Delivered, Failed, header_line
from mailnode.shipped.sms.pdu import Tag, TextMessage

_KIND = 0x3C
"""The bits of esm_class that tell receipts from messages (section 5.2.12)."""
_RECEIPTS = (0x04, 0x20)
_ACKNOWLEDGEMENTS = (0x08, 0x10, 0x18)
_ID = re.compile(r"\bid:\s*([^\s]{1,64})", re.ASCII | re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([A-Z]{1,10})", re.ASCII | re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,10})", re.ASCII | re.IGNORECASE)
_STATES = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip

Heard = Delivered | Delayed | Failed
_MEANINGS: Mapping[str, Heard] = {
    "ENROUTE": Delayed("on its way", "4.4.7"),
    "DELIVRD": Delivered("delivered to the telephone"),
    "EXPIRED": Failed("the telephone could not be reached in time", "5.4.7"),
    "DELETED": Failed("deleted by the network", "5.7.1"),
    "UNDELIV": Failed("undeliverable", "5.1.0"),
    "ACCEPTD": Delayed("accepted", "4.4.7"),
    "UNKNOWN": Failed("the network does not know what became of it", "5.4.0"),
    "REJECTD": Failed("rejected by the network", "5.7.1"),
}


@frozen
class Report:
    """What became of a message."""

    message_id: str
    """What submit_sm_resp called it; empty when the receipt does not say."""
    heard: Heard


def is_report(message: TextMessage) -> bool:
    """Tell whether it is about a message and none itself; acknowledgements of people and programs are such too."""
    return message.esm_class & _KIND in (*_RECEIPTS, *_ACKNOWLEDGEMENTS)


def report_of(message: TextMessage) -> Report | None:
    """Read a receipt; None for what is none, or says nothing that is understood."""
    if message.esm_class & _KIND not in _RECEIPTS:
        return None
    text = message.message[:1000].decode("ascii", "replace")
    name = message.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0][:64].decode("ascii", "replace")
    state = _STATES.get(int.from_bytes(message.tlvs.get(Tag.MESSAGE_STATE, b"")[:1], "big"), "") or _found(_STAT, text)
    state = state.upper()
    meaning = _MEANINGS.get(state)
    if meaning is None:
        return None
    error = message.tlvs.get(Tag.NETWORK_ERROR_CODE, b"").hex() or _found(_ERR, text)
    words = f"{meaning.text} ({state}{f', error {error}' if error.strip('0') else ''})"
    name = header_line(name or _found(_ID, text))
    match meaning:
        case Delivered():
            return Report(name, Delivered(words))
        case Delayed():
            return Report(name, Delayed(words, meaning.status))
        case Failed():
            return Report(name, Failed(words, meaning.status))


def _found(pattern: "re.Pattern[str]", text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
