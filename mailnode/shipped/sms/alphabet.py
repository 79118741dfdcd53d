"""Characters of text messages: the GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 section 6.2), and UCS-2.

SMPP carries one septet in one octet; packing is the SMSC's. Lengths are counted in units: septets, or 16 bits of UCS-2. An
escaped character, and one outside the basic plane, is two units that must not be parted.
"""

import unicodedata
from collections.abc import Iterator
from typing import Literal

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_OCTETS = {
    **{char: bytes((septet,)) for septet, char in enumerate(_BASIC) if septet != ESCAPE},
    **{char: bytes((ESCAPE, septet)) for septet, char in _EXTENSION.items()},
}
_PLAINER = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\xab": '"', "\xbb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2022": "*", "\u2026": "...",
    "\xa0": " ", "\u202f": " ", "\u200b": "", "\u200d": "", "\ufeff": "", "\xad": "", "\t": " ", "`": "'", "\xb4": "'",
}  # fmt: skip

Alphabet = Literal["gsm", "ucs2"]
UCS2 = 8
"""data_coding of UCS-2 (SMPP 3.4 section 5.2.19); 0 is the SMSC's default alphabet."""
_CHARSETS = {0: "default", 1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", UCS2: "utf-16-be"}


def plain(text: str) -> str:
    """Replace typographic signs by those of a typewriter."""
    return "".join(_PLAINER.get(char, char) for char in text)


def is_gsm(text: str) -> bool:
    """Tell whether the default alphabet has every character."""
    return all(char in _OCTETS for char in text)


def in_gsm(text: str) -> str:
    """Give the text with what the alphabet has: accents go before a character becomes a question mark."""
    return "".join(char if char in _OCTETS else _nearest(char) for char in plain(text))


def _nearest(char: str) -> str:
    bare = "".join(one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one))
    return bare if bare and is_gsm(bare) else "?"


def units(text: str, alphabet: Alphabet) -> int:
    """Count what a text takes of a part."""
    return sum(len(piece) for piece in pieces(text, alphabet)) // (2 if alphabet == "ucs2" else 1)


def pieces(text: str, alphabet: Alphabet) -> Iterator[bytes]:
    """Give each character as octets; KeyError for one that the GSM alphabet has not."""
    if alphabet == "gsm":
        return (_OCTETS[char] for char in text)
    return (char.encode("utf-16-be", "replace") for char in text)


def decode_gsm(septets: bytes) -> str:
    """Read septets, an octet each; an escape nobody knows is what the table has there (TS 23.038 section 6.2.1)."""
    text, is_escaped = [], False
    for septet in septets:
        if septet == ESCAPE and not is_escaped:
            is_escaped = True
            continue
        char = _BASIC[septet] if septet < len(_BASIC) and septet != ESCAPE else "\ufffd" if septet > 0x7F else " "
        text.append(_EXTENSION.get(septet, char) if is_escaped else char)
        is_escaped = False
    return "".join(text)


def decode(octets: bytes, data_coding: int, default: str) -> str | None:
    """Read the text of a message; None when it is no text. ``default`` is what the SMSC means by data_coding 0."""
    kind = _kind_of(data_coding)
    if kind == "default":
        kind = "gsm" if default == "gsm" else "latin-1"
    if not kind:
        return None
    if kind == "gsm":
        return decode_gsm(octets)
    if kind == "utf-16-be":
        octets = octets[: len(octets) // 2 * 2]
    return octets.decode(kind, "replace")


def _kind_of(data_coding: int) -> str:
    """Read SMPP's list (section 5.2.19) and, above it, GSM's data coding scheme (TS 23.038 section 4); empty: no text."""
    match data_coding & 0xF0:
        case 0x00:
            return _CHARSETS.get(data_coding, "")
        case 0x10:
            return {0x00: "default", 0x08: "utf-16-be"}.get(data_coding & 0x0C, "")
        case 0xC0 | 0xD0:
            return "default"
        case 0xE0:
            return "utf-16-be"
        case 0xF0:
            return "" if data_coding & 0x04 else "default"
        case _:
            return ""
