"""Content for a narrower road: 8-bit content to a 7-bit peer, binary content by DATA (RFC 6152 section 3, RFC 3030).

The MIME structure is walked (RFC 2045, 2046): each part that does not fit becomes quoted-printable (text with proper lines)
or base64, and its Content-Transfer-Encoding says so; multiparts and enclosed messages around it are relabeled; every
other octet stays what and where it was. A body without MIME becomes text/plain in the charset "unknown-8bit" (RFC 1428).

What cannot be done is a ValueError that says why: 8-bit octets in header fields, parts that already claim an encoding and
do not keep it, message types that may not be encoded (RFC 2045 section 6.4), and signed parts, which nobody may change
on the way (RFC 1847 section 2.1).

The questions (``is_seven_bit`` and the like) take blocks, so that a file need not be in memory; conversion takes the whole.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from email.message import Message as Fields
from email.parser import BytesHeaderParser
from itertools import count

from attrs import Factory, evolve, frozen

MAX_DEPTH = 30
"""Parts within parts within parts; deeper is hostile."""
MAX_PARTS = 5000
"""Parts that are looked into; each may grow by a header of its own."""
MAX_TYPE = 4096
"""Octets of a Content-Type field; the time to read one grows with the square of its parameters."""
MAX_LINE = 998
"""Octets of a line without its CRLF (RFC 5321 4.5.3.1.6)."""

_HEADER_END = b"\r\n\r\n"
_LONG = re.compile(rb"[^\n]{%d}" % (MAX_LINE + 2))
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_IDENTITIES = ("", "7bit", "8bit", "binary")
_ENCODING = b"content-transfer-encoding:"
_QUESTION_MARKS = bytes(range(128)) + b"?" * 128
_UNKNOWN = b"Content-Type: text/plain; charset=unknown-8bit\r\n"


def is_seven_bit(blocks: Iterable[bytes]) -> bool:
    """Tell whether no octet has its high bit set."""
    return all(block.isascii() for block in blocks)


def header_is_seven_bit(blocks: Iterable[bytes]) -> bool:
    """Tell whether the header section, all before the first empty line, is ASCII."""
    last = b""
    for block in blocks:
        joined = last + block
        end = joined.find(_HEADER_END)
        if not (joined if end < 0 else joined[:end]).isascii():
            return False
        if end >= 0:
            return True
        last = block[-3:] if len(block) > 2 else joined[-3:]
    return True


def needs_binary(blocks: Iterable[bytes]) -> bool:
    """Tell whether DATA cannot carry it: a NUL, a CR or LF on its own, or a line of more than 998 octets (RFC 2045 2.9)."""
    rest = b""
    for block in blocks:
        text = rest + block
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if len(rest) > MAX_LINE + 1 or not _has_proper_lines(text[:end]):
            return True
    return b"\r" in rest or b"\0" in rest or len(rest) > MAX_LINE


def _has_proper_lines(text: bytes) -> bool:
    ends = text.count(b"\r\n")
    return ends == text.count(b"\n") == text.count(b"\r") and b"\0" not in text and not _LONG.search(text)


def to_seven_bit(content: bytes) -> bytes:
    """Re-encode what is not ASCII or has no proper lines; ValueError says why it cannot be done."""
    return _Road(b"7bit", lambda body: body.isascii() and not needs_binary((body,))).message(content)


def to_eight_bit(content: bytes) -> bytes:
    """Re-encode what has no proper lines; ValueError says why it cannot be done."""
    return _Road(b"8bit", lambda body: not needs_binary((body,))).message(content)


@frozen
class _Road:
    """What may travel, and how deep in the message we are."""

    label: bytes
    """The Content-Transfer-Encoding of what contains only what fits."""
    fits: Callable[[bytes], bool]
    depth: int = 0
    parts: Iterator[int] = Factory(count)
    """Counts the parts of the whole message."""

    def message(self, content: bytes) -> bytes:
        """Convert a whole message."""
        if self.fits(content):
            return content
        header, body = _parted(content)
        self._check_header(header)
        if _read(header).get("mime-version") is None:
            header += b"MIME-Version: 1.0\r\n"
        return self._entity(header, body, "text/plain")

    def part(self, octets: bytes, default_type: str) -> bytes:
        """Convert a part of a multipart."""
        if self.fits(octets):
            return octets
        header, body = _parted(octets)
        self._check_header(header)
        return self._entity(header, body, default_type)

    def _check_header(self, header: bytes) -> None:
        if not self.fits(header):
            raise ValueError("a header field has octets that no encoding covers")

    def _entity(self, header: bytes, body: bytes, default_type: str) -> bytes:
        """Convert a header section, with its line ends, and the body behind it."""
        if self.fits(body):
            return header + b"\r\n" + body
        if self.depth > MAX_DEPTH:
            raise ValueError("its parts lie too deep in one another")
        if next(self.parts) > MAX_PARTS:
            raise ValueError("it has too many parts")
        fields = _read(header)
        if len(fields.get("content-type", "")) > MAX_TYPE:
            raise ValueError("a part has too long a Content-Type")
        kind = fields.get_content_type() if "content-type" in fields else default_type
        if str(fields.get("content-transfer-encoding", "")).strip().lower() not in _IDENTITIES:
            raise ValueError("a part does not keep to the encoding it claims")
        if kind == "multipart/signed":
            raise ValueError("a signed part may not be changed")
        if kind.startswith("multipart/"):
            return self._multipart(header, body, fields, kind)
        if kind in ("message/rfc822", "message/global"):
            return _labeled(header, self.label) + b"\r\n" + self._deeper().message(body)
        if kind.startswith("message/"):
            raise ValueError(f"a part of type {kind} may not be encoded")
        return _leaf(header, body, is_text=kind.startswith("text/"), is_typed="content-type" in fields)

    def _multipart(self, header: bytes, body: bytes, fields: Fields, kind: str) -> bytes:
        boundary = (fields.get_boundary() or "").encode("ascii", "replace")
        delimiter = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
        found = list(delimiter.finditer(body)) if boundary else []
        if not found:
            raise ValueError("a multipart has no parts")
        default_type = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        pieces = [self._remark(body[: found[0].start()])]
        for index, each in enumerate(found):
            end = found[index + 1].start() if index + 1 < len(found) else len(body)
            between = body[each.end() : end]
            pieces.append(each[0])
            if each[1]:
                pieces.append(self._remark(body[each.end() :]))
                break
            # The line end after the delimiter is no part of the part.
            pieces.append(between[:2] + self._deeper().part(between[2:], default_type))
        return _labeled(header, self.label) + b"\r\n" + b"".join(pieces)

    def _remark(self, octets: bytes) -> bytes:
        """Keep what stands outside of all parts as far as it fits: nobody is meant to read it (RFC 2046 5.1.1)."""
        if self.fits(octets):
            return octets
        plain = octets.translate(_QUESTION_MARKS)
        return plain if self.fits(plain) else b"\r\n"

    def _deeper(self) -> "_Road":
        return evolve(self, depth=self.depth + 1)


def _parted(octets: bytes) -> tuple[bytes, bytes]:
    """Part the header section, each field with its line end, from the body."""
    if octets.startswith(b"\r\n"):
        return b"", octets[2:]
    end = octets.find(_HEADER_END)
    if end < 0:
        return octets.removesuffix(b"\r\n") + b"\r\n", b""
    return octets[: end + 2], octets[end + 4 :]


def _read(header: bytes) -> Fields:
    return BytesHeaderParser().parsebytes(header)


def _labeled(header: bytes, encoding: bytes, *, must: bool = False) -> bytes:
    """Write the encoding over the one that stands there; where none stands, only if it ``must`` be told."""
    fields = _FIELD_END.split(header.removesuffix(b"\r\n")) if header else []
    kept = [field for field in fields if field[: len(_ENCODING)].lower() != _ENCODING]
    if len(kept) < len(fields) or must:
        kept.append(b"Content-Transfer-Encoding: " + encoding)
    return b"".join(field + b"\r\n" for field in kept)


def _leaf(header: bytes, body: bytes, *, is_text: bool, is_typed: bool) -> bytes:
    if not is_typed:
        header += _UNKNOWN
    if is_text and _has_proper_line_ends(body):
        return _labeled(header, b"quoted-printable", must=True) + b"\r\n" + quoted_printable(body)
    return _labeled(header, b"base64", must=True) + b"\r\n" + base64.encodebytes(body).replace(b"\n", b"\r\n")


def _has_proper_line_ends(body: bytes) -> bool:
    return body.count(b"\r\n") == body.count(b"\n") == body.count(b"\r")


def quoted_printable(body: bytes) -> bytes:
    """Encode text with CRLF line ends; lines of at most 76 octets (RFC 2045 section 6.7)."""
    # b2a_qp breaks lines in the style of the first line end it sees, so there must be one.
    return binascii.b2a_qp(body + b"\r\n", istext=True).removesuffix(b"\r\n")
