"""Bodies of SMPP 3.4's PDUs as values: binding, messages both ways, and what is answered (SMPP 3.4 sections 4 and 5).

``parse`` reads octets, ``render`` writes them; the two agree for every value. Whatever the octets are, parsing ends in a
value or in ``BadBody`` with the command_status to answer. Fields are longer in the wild than the specification allows,
above all message_ids; so reading is bounded generously, writing exactly.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Self

from attrs import define, field, frozen

from mailnode.shipped.sms.statuses import Status

MOST_SHORT = 254
"""Octets of short_message; more goes into the TLV message_payload (section 5.2.22)."""
MOST_READ = 256
"""Octets of a C-octet string that are read, whatever the specification says of its field."""
MOST_TLVS = 64


class Tag(IntEnum):
    """The optional parameters that are looked at (section 5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class BadBody(ValueError):  # noqa: N818 - says what it is
    """A body that is not as its command wants it."""

    def __init__(self, why: str, status: int = Status.RINVCMDLEN) -> None:
        super().__init__(why)
        self.status = status


Tlvs = Mapping[int, bytes]


@define
class _Reader:
    """Reads fields from the front of a body."""

    octets: bytes
    place: int = 0

    def integer(self) -> int:
        """Read one octet."""
        return self.taken(1)[0]

    def taken(self, count: int) -> bytes:
        """Read so many octets."""
        found = self.octets[self.place : self.place + count]
        if len(found) < count:
            raise BadBody("it ends within a field")
        self.place += count
        return found

    def string(self) -> str:
        """Read a C-octet string: what is not ASCII becomes a question mark."""
        end = self.octets.find(b"\0", self.place, self.place + MOST_READ + 1)
        if end < 0:
            raise BadBody("a field without end")
        found = self.octets[self.place : end]
        self.place = end + 1
        return "".join(chr(octet) if 0x20 <= octet < 0x7F else "?" for octet in found)

    def tlvs(self) -> dict[int, bytes]:
        """Read the optional parameters up to the end; of several with one tag the first counts."""
        found: dict[int, bytes] = {}
        while self.place < len(self.octets) and len(found) < MOST_TLVS:
            tag, length = struct.unpack(">HH", self.taken(4))
            found.setdefault(tag, self.taken(length))
        return found


def _string(text: str, most: int) -> bytes:
    """Write a C-octet string whose field has ``most`` octets, its NUL included; ValueError when it does not fit."""
    octets = text.encode("ascii")
    if len(octets) >= most or b"\0" in octets:
        raise ValueError(f"a text of {len(octets)} characters is too long for its field, which takes {most - 1}")
    return octets + b"\0"


def _tlvs(tlvs: Tlvs) -> bytes:
    return b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tlvs.items())


@frozen
class Number:
    """An address of the telephone world (section 5.2.5): its kind, its plan, its digits or letters."""

    digits: str = ""
    ton: int = 0
    """Type of number: 0 unknown, 1 international, 2 national, 5 letters."""
    npi: int = 0
    """Numbering plan: 1 is E.164."""

    @classmethod
    def read(cls, reader: _Reader) -> Self:
        """Read one."""
        ton, npi = reader.integer(), reader.integer()
        return cls(reader.string(), ton, npi)

    def render(self) -> bytes:
        """Write it; ValueError for more than 20 characters."""
        return bytes((self.ton, self.npi)) + _string(self.digits, 21)


@frozen
class BindTransceiver:
    """bind_transceiver (section 4.1.5)."""

    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""

    def render(self) -> bytes:
        """Write the body; the interface_version is 3.4."""
        names = _string(self.system_id, 16) + _string(self.password, 9) + _string(self.system_type, 13)
        return names + b"\x34" + Number().render()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a body; BadBody."""
        reader = _Reader(body)
        return cls(reader.string(), reader.string(), reader.string())


@frozen
class TextMessage:
    """What submit_sm and deliver_sm carry (sections 4.4.1 and 4.6.1); the two have the same fields."""

    source: Number
    destination: Number
    message: bytes = b""
    """short_message, or message_payload where that is given."""
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    replace: int = 0
    default_id: int = 0
    tlvs: Tlvs = field(factory=dict)

    def render(self) -> bytes:
        """Write the body; ValueError for what does not fit its field."""
        is_short = len(self.message) <= MOST_SHORT
        short = self.message if is_short else b""
        tlvs = dict(self.tlvs) if is_short else {**self.tlvs, Tag.MESSAGE_PAYLOAD: self.message}
        return b"".join((
            _string(self.service_type, 6), self.source.render(), self.destination.render(),
            bytes((self.esm_class, self.protocol_id, self.priority)), _string(self.schedule, 17),
            _string(self.validity, 17),
            bytes((self.registered_delivery, self.replace, self.data_coding, self.default_id, len(short))), short,
            _tlvs(tlvs),
        ))  # fmt: skip

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a body; BadBody."""
        reader = _Reader(body)
        service_type, source, destination = reader.string(), Number.read(reader), Number.read(reader)
        esm_class, protocol_id, priority = reader.taken(3)
        schedule, validity = reader.string(), reader.string()
        registered, replace, data_coding, default_id, length = reader.taken(5)
        short, tlvs = reader.taken(length), reader.tlvs()
        message = short or tlvs.pop(Tag.MESSAGE_PAYLOAD, b"")
        return cls(
            source, destination, message, data_coding, esm_class, registered, service_type, protocol_id, priority,
            schedule, validity, replace, default_id, tlvs,
        )  # fmt: skip


def render_name(name: str, most: int = 65) -> bytes:
    """Write the body of a response that names something: a message_id, the SMSC's system_id."""
    return _string(name, most)


def parse_name(body: bytes) -> str:
    """Read it; a body that is not there is the empty name (sections 4.4.2 and 4.1.6 allow that beside an error)."""
    return _Reader(body).string() if body else ""
