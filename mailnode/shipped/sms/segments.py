"""Long texts: cut into parts that are joined on the telephone, and the same seen from the other side.

Parts are told apart by a user data header (3GPP TS 23.040 section 9.2.3.24.1) or by the TLVs sar_* (SMPP 3.4 section 5.3.2.22).
What comes in may have either, with a reference of 8 or 16 bits; a header that cannot be is no header.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from mailnode.shipped.sms.alphabet import UCS2, Alphabet, in_gsm, is_gsm, pieces, plain, units
from mailnode.shipped.sms.pdu import Tag, TextMessage

UDHI = 0x40
"""The bit of esm_class that announces a user data header (section 5.2.12)."""
ALONE: Mapping[Alphabet, int] = {"gsm": 160, "ucs2": 70}
TOGETHER: Mapping[Alphabet, int] = {"gsm": 153, "ucs2": 67}
"""Units of a part, alone and of several."""
MARK = " (... {left} more characters)"

Choice = Literal["auto", "gsm", "ucs2"]
Default = Literal["gsm", "latin1"]


@frozen
class Written:
    """A text as it will be sent."""

    parts: tuple[str, ...]
    alphabet: Alphabet
    left: int = 0
    """Characters that were cut off."""


def written(text: str, choice: Choice = "auto", most: int = 6, default: Default = "gsm", *, beyond: int = 0) -> Written:
    """Choose the alphabet, and cut into ``most`` parts at most; what is left out is told by a mark.

    ``beyond`` counts characters that were left out before.
    """
    head = text[: most * ALONE["gsm"] + 1]
    alphabet: Alphabet = "gsm"
    if choice == "gsm":
        head = in_gsm(head)
    elif choice == "auto" and _fits(plain(head), default):
        head = plain(head)
    else:
        alphabet = "ucs2"
    left = beyond + max(0, len(text) - most * ALONE["gsm"] - 1)
    parts = split(head, alphabet)
    if len(parts) <= most and not left:
        return Written(tuple(parts), alphabet)
    kept = "".join(parts[:most])
    while True:
        cut = len(head) - len(kept) + left
        parts = split(kept.rstrip() + MARK.format(left=cut), alphabet)
        if len(parts) <= most:
            return Written(tuple(parts), alphabet, cut)
        kept = kept[:-1]


def _fits(text: str, default: Default) -> bool:
    """Tell whether the SMSC's default alphabet takes it; where that is Latin-1 it still travels as GSM."""
    return is_gsm(text) and (default == "gsm" or all(ord(char) < 0x100 for char in text))


def split(text: str, alphabet: Alphabet) -> list[str]:
    """Cut a text so that each piece fills a part; no character is torn."""
    if units(text, alphabet) <= ALONE[alphabet]:
        return [text]
    room, size = TOGETHER[alphabet], 1 if alphabet == "gsm" else 2
    parts, begin, used = [], 0, 0
    for place, octets in enumerate(pieces(text, alphabet)):
        needs = len(octets) // size
        if used + needs > room:
            parts.append(text[begin:place])
            begin, used = place, 0
        used += needs
    return [*parts, text[begin:]]


@frozen
class Carried:
    """One part as submit_sm has it."""

    message: bytes
    data_coding: int
    esm_class: int = 0
    tlvs: Mapping[int, bytes] = {}


def carried(text: Written, reference: int, how: Literal["udh", "sar"], default: Default = "gsm") -> list[Carried]:
    """Write the parts; ``reference`` is what tells them from those of other texts."""
    octets = [_octets(part, text.alphabet, default) for part in text.parts]
    coding, total = 0 if text.alphabet == "gsm" else UCS2, len(octets)
    if total == 1:
        return [Carried(octets[0], coding)]
    if how == "sar":
        return [Carried(part, coding, 0, _sar(reference, total, number)) for number, part in enumerate(octets, 1)]
    header = bytes((5, 0, 3, reference & 0xFF, total))
    return [Carried(header + bytes((number,)) + part, coding, UDHI) for number, part in enumerate(octets, 1)]


def _octets(text: str, alphabet: Alphabet, default: Default) -> bytes:
    if alphabet == "gsm" and default == "latin1":
        return text.encode("latin-1", "replace")
    return b"".join(pieces(text, alphabet))


def _sar(reference: int, total: int, number: int) -> dict[int, bytes]:
    return {
        Tag.SAR_MSG_REF_NUM: (reference & 0xFFFF).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((number,)),
    }


@frozen
class Segment:
    """What came in: the octets of its text, and its place among others."""

    octets: bytes
    reference: int = 0
    total: int = 1
    number: int = 1


def segment_of(message: TextMessage) -> Segment:
    """Read where a part belongs; a text of its own is the one part of one."""
    if message.esm_class & UDHI:
        found = _with_header(message.message)
        if found is not None:
            return found
    sar = [message.tlvs.get(tag, b"") for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)]
    return _placed(message.message, [int.from_bytes(one[:2], "big") for one in sar])


def _with_header(octets: bytes) -> Segment | None:
    """Read a user data header; None when it does not fit into the message."""
    end = 1 + octets[0] if octets else 0
    if not 1 < end <= len(octets):
        return None
    place, numbers = 1, [0, 0, 0]
    while place + 2 <= end:
        kind, length = octets[place], octets[place + 1]
        value = octets[place + 2 : min(end, place + 2 + length)]
        if (kind, len(value)) in {(0x00, 3), (0x08, 4)}:
            numbers = [int.from_bytes(value[:-2], "big"), value[-2], value[-1]]
        place += 2 + length
    return _placed(octets[end:], numbers)


def _placed(octets: bytes, numbers: Sequence[int]) -> Segment:
    reference, total, number = numbers
    return Segment(octets, reference, total, number) if 1 < total <= 255 and 1 <= number <= total else Segment(octets)
