r"""Text within a parameter: xtext (RFC 3461 section 4) and the addresses of RFC 6533 section 3.

``xtext`` writes ``+``, ``=`` and all that is not printable ASCII as ``+`` and two hexadecimal digits. An ORCPT of type
``utf-8`` writes such characters as ``\x{221A}``, and where SMTPUTF8 was asked for as themselves.
"""

import re
from functools import cache

_PLAIN = re.compile(r"[!-*,-<>-~]*", re.ASCII)
_ENCODE = re.compile(rb"[^!-*,-<>-~]")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", re.ASCII)
_HEX_CHAR = re.compile(rb"\+([0-9A-F]{2})")

_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_EMBED_FOR_UTF8 = re.compile(r"[\x00- +=\\\x7f]")
_EMBED_FOR_ASCII = re.compile(r"[^!-*,-<>-\[\]-~]")


@cache
def _address() -> re.Pattern[str]:
    """Give utf-8-addr-xtext and -unitext; made when first needed, for a class of all Unicode takes 4 ms to make."""
    return re.compile(r"(?:[!-*,-<>-\[\]-~\x80-\ud7ff\ue000-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+")


def encode_xtext(text: str) -> str:
    """Write text as xtext."""
    if _PLAIN.fullmatch(text):
        return text
    return _ENCODE.sub(lambda found: b"+%02X" % found[0][0], text.encode()).decode("ascii")


def decode_xtext(text: str) -> str:
    """Read xtext; ValueError when it is none, or stands for what is no UTF-8."""
    if not _XTEXT.fullmatch(text):
        raise ValueError(f"not xtext: {text!r}")
    if "+" not in text:
        return text
    return _HEX_CHAR.sub(lambda found: bytes([int(found[1], 16)]), text.encode("ascii")).decode("utf-8")


def encode_utf8_address(address: str, *, smtputf8: bool) -> str:
    """Write the address of an ORCPT of type utf-8: utf-8-addr-unitext under SMTPUTF8, else utf-8-addr-xtext."""
    embedded = _EMBED_FOR_UTF8 if smtputf8 else _EMBED_FOR_ASCII
    return embedded.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)


def decode_utf8_address(text: str, *, smtputf8: bool = True) -> str:
    """Read the address of an ORCPT of type utf-8; ValueError when it is none (or not ASCII, without ``smtputf8``)."""
    if not _address().fullmatch(text) or not (smtputf8 or text.isascii()):
        raise ValueError(f"not an address of type utf-8: {text!r}")
    decoded = _EMBEDDED.sub(_embedded_character, text)
    decoded.encode()  # surrogates written as \x{D800} are no characters: UnicodeEncodeError is a ValueError
    return decoded


def _embedded_character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
