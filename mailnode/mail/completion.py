"""Completing a header section: a message that people or programs hand over is made fit to travel (RFC 6409 section 8).

What is done, and no more:

* Date, From and Message-ID are added where they are missing or empty; of a message that is sent on anew (it has Resent- fields)
  their Resent- twins (RFC 5322 section 3.6.6), and its own stay as they are. A Message-ID that is there stays, or the thread
  would be torn.
* Sender is written when the caller says who it is.
* Bcc, Resent-Bcc, Return-Path and Content-Length are removed: the first two would tell what was to be hidden, the others are not
  the sender's to say.
* Addresses without a domain get one, in From, To, Cc, Sender, Reply-To and their Resent- twins.

Every other octet stays what and where it was, 8-bit ones too: fields are never parsed and written again. What is new stands
behind all other fields. Where a line comes that can be no field, the header section is over, as in every mail server: an
empty line is put before it, and it begins the body (a fault of programs that nobody is to lose a message for). Only a first line
``From ...`` of a mailbox file is dropped.

Completing what is complete changes nothing. No line becomes longer than 998 octets that was not before.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.header import Header

from attrs import frozen

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.addresslist import AddressList, read_list

MAX_LINE = 998
"""Octets of a line without its CRLF (RFC 5322 section 2.1.1)."""

MAX_NAME = 200
"""Characters of a full name."""

MAX_LIST = 65536
"""Octets of an address list that is read; a longer one, which nobody has written by hand, stays as it is."""

REMOVED = frozenset({b"bcc", b"resent-bcc", b"return-path", b"content-length"})
"""Fields that do not travel."""

_QUALIFIED = frozenset(
    prefix + name for prefix in (b"", b"resent-") for name in (b"from", b"to", b"cc", b"sender", b"reply-to")
)
_NEEDED = (b"date", b"from", b"message-id")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z))")
_WIDE = 78
"""Characters a line should not exceed (RFC 5322 section 2.1.1)."""
_ENVELOPE_LINE = re.compile(rb"\A>?From [^\n]*(?:\n|\Z)")
_LINE_ENDS = re.compile(rb"[ \t]*(?:\r\n|\Z)")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", re.ASCII)
_NEEDS_PAIR = re.compile(r'(["\\])')


@frozen
class Completion:
    """What a header section is completed with."""

    date: str
    """The Date, if there is none: ``Tue, 21 Oct 2025 10:00:00 +0000``."""
    message_id: str
    """The Message-ID, if there is none, in its angle brackets."""
    author: Mailbox
    """The From, if there is none; NULL leaves it missing."""
    domain: str
    """The domain of addresses that have none; empty leaves them so."""
    full_name: str = ""
    """The author's name, for a From that is added."""
    sender: Mailbox = NULL
    """Who Sender says it is, whatever it said before; NULL leaves it as it is."""


@frozen
class Field:
    """A field as it stands."""

    name: bytes
    """In small letters."""
    octets: bytes
    """All of it, with its line end."""
    value_at: int
    """Where its value begins within ``octets``."""

    @property
    def value(self) -> bytes:
        """Give what stands behind the colon, folding and line end and all."""
        return self.octets[self.value_at :]


def completed(start: bytes, with_: Completion) -> bytes:
    """Complete the header section at the start of a message; the octets of the body behind it stay as they are.

    ``start`` holds the whole header section with CRLF line ends, and as much of the body as there happens to be.
    """
    start = _ENVELOPE_LINE.sub(b"", start)
    fields, end = _read(start)
    kept = [_qualified(field, with_.domain) for field in fields if field.name not in REMOVED]
    present = {field.name for field in kept if field.value.strip()}
    prefix = resent_prefix(kept)
    missing = [prefix + name for name in _NEEDED if prefix + name not in present]
    lines = [_ended(field.octets) for field in kept if field.name not in missing]
    for name in missing:
        lines.extend(_MAKERS[name.removeprefix(b"resent-")](prefix, with_))
    if with_.sender != NULL:
        lines = list(_with_sender(lines, prefix, with_.sender))
    return b"".join(lines) + _separated(start[end:])


def header_end(octets: bytes | bytearray, seen: int = 0) -> int:
    """Tell where the header section is over, so that what lies before can be completed; -1 when more must be seen first.

    The first ``seen`` octets are known not to have the empty line's beginning.
    """
    if octets.startswith(b"\r\n"):
        return 0
    end = octets.find(b"\r\n\r\n", seen)
    return end + 2 if end >= 0 else -1


def section_end(start: bytes) -> int:
    """Tell where the fields end: at the empty line, or at what is no field."""
    return _read(start)[1]


def fields_of(start: bytes) -> list[Field]:
    """Give the fields of the header section, in their order."""
    return _read(_ENVELOPE_LINE.sub(b"", start))[0]


def resent_prefix(fields: Iterable[Field]) -> bytes:
    """Give what the names of this sending's own fields begin with: ``resent-`` in what is sent on anew, else nothing."""
    is_resent = any(field.name.startswith(b"resent-") and field.value.strip() for field in fields)
    return b"resent-" if is_resent else b""


def addresses_in(fields: Sequence[Field], name: bytes) -> list[Mailbox]:
    """Give the addresses of all fields of this name (in small letters); NULL stands for each that cannot be read."""
    found: list[Mailbox] = []
    for field in fields:
        if field.name == name:
            listed = read_list(field.value)
            found.extend(one.mailbox for one in listed.addresses) if listed is not None else found.append(NULL)
    return found


# --- reading ----------------------------------------------------------------------------------------------------


def _read(start: bytes) -> tuple[list[Field], int]:
    """Cut the section into fields; the second is where it ends: at its empty line, or at what is no field."""
    fields: list[Field] = []
    end = 0
    while (one := _FIELD.match(start, end)) is not None:
        fields.append(Field(one[1].lower(), one[0], one.start(2) - one.start()))
        end = one.end()
    return fields, end


def _ended(octets: bytes) -> bytes:
    return octets if octets.endswith(b"\n") else octets.removesuffix(b"\r") + b"\r\n"


def _separated(rest: bytes) -> bytes:
    """Give the empty line and the body; a body without one gets it."""
    return rest if rest.startswith(b"\r\n") else b"\r\n" + rest


# --- writing ----------------------------------------------------------------------------------------------------


def _date(prefix: bytes, with_: Completion) -> Iterator[bytes]:
    yield _name(prefix, "Date") + with_.date.encode("ascii") + b"\r\n"


def _from(prefix: bytes, with_: Completion) -> Iterator[bytes]:
    if with_.author == NULL:
        return
    address = str(with_.author).encode()
    phrase = _phrase(with_.full_name)
    if not phrase:
        yield _name(prefix, "From") + address + b"\r\n"
        return
    fits = b"\r\n" not in phrase and len(prefix) + len("From:  <>") + len(phrase) + len(address) <= _WIDE
    yield _name(prefix, "From") + phrase + (b" <" if fits else b"\r\n <") + address + b">\r\n"


def _message_id(prefix: bytes, with_: Completion) -> Iterator[bytes]:
    yield _name(prefix, "Message-ID") + with_.message_id.encode("ascii") + b"\r\n"


_MAKERS: dict[bytes, Callable[[bytes, Completion], Iterator[bytes]]] = {
    b"date": _date,
    b"from": _from,
    b"message-id": _message_id,
}


def _name(prefix: bytes, name: str) -> bytes:
    return (b"Resent-" if prefix else b"") + name.encode("ascii") + b": "


def _phrase(name: str) -> bytes:
    """Write a full name as a phrase (RFC 5322 section 3.2.5, RFC 2047)."""
    words = " ".join("".join(char if char.isprintable() else " " for char in name).split())[:MAX_NAME].rstrip()
    if not words.isascii():
        return Header(words, "utf-8", maxlinelen=70, header_name="Resent-From").encode(linesep="\r\n").encode("ascii")
    if _ATOMS.fullmatch(words) and "=?" not in words:
        return words.encode("ascii")
    return ('"' + _NEEDS_PAIR.sub(r"\\\1", words) + '"').encode("ascii") if words else b""


def _with_sender(lines: Sequence[bytes], prefix: bytes, sender: Mailbox) -> Iterator[bytes]:
    """Let one Sender name the address: the one that does, or a new one."""
    name = prefix + b"sender"
    is_told = False
    for line in lines:
        (field,), _ = _read(line)
        if field.name != name:
            yield line
        elif not is_told and addresses_in([field], name) == [sender]:
            is_told = True
            yield line
    if not is_told:
        yield _name(prefix, "Sender") + str(sender).encode() + b"\r\n"


# --- qualifying -------------------------------------------------------------------------------------------------


def _qualified(field: Field, domain: str) -> Field:
    """Give every address of the field a domain."""
    if not domain or field.name not in _QUALIFIED or len(field.octets) > MAX_LIST:
        return field
    found = read_list(field.value)
    if found is None or not any(one.is_bare for one in found.addresses):
        return field
    for folds in ((), found.commas):
        octets = field.octets[: field.value_at] + _inserted(field.value, found, folds, b"@" + domain.encode())
        if _longest_line(octets) <= max(MAX_LINE, _longest_line(field.octets)):
            return Field(field.name, octets, field.value_at)
    return field


def _inserted(value: bytes, found: AddressList, folds: Sequence[int], domain: bytes) -> bytes:
    """Put the domain behind each bare address, and a fold behind each comma where the value is not folded yet."""
    places = [(one.end, domain) for one in found.addresses if one.is_bare]
    places += [(place, b"\r\n ") for place in folds if not _LINE_ENDS.match(value, place)]
    pieces: list[bytes] = []
    last = 0
    for place, octets in sorted(places, key=lambda each: each[0]):
        pieces += value[last:place], octets
        last = place
    return b"".join([*pieces, value[last:]])


def _longest_line(octets: bytes) -> int:
    return max(len(line.rstrip(b"\r")) for line in octets.split(b"\n"))
