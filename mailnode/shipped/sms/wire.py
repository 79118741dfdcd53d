"""Frames of SMPP 3.4: the header of 16 octets, and octets of a stream cut into PDUs (SMPP 3.4 section 3.2).

Knows no body, no socket and no clock. A length that cannot be is the end of the stream: nobody can tell where the next PDU
begins, so ``BadFrame`` is raised and the connection must go.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

from attrs import define, field, frozen

_HEADER = struct.Struct(">IIII")
MOST = 72 * 1024
"""Octets of the longest PDU: a message_payload of 64 KiB and all around it."""
LAST_SEQUENCE = 0x7FFFFFFF


class Command(IntEnum):
    """The command_ids that are spoken here (section 5.1.2.1)."""

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015


RESPONSE = 0x80000000
"""The bit of a command_id that makes it a response."""


class BadFrame(ValueError):  # noqa: N818 - says what it is
    """The stream cannot be cut any further."""


@frozen
class Pdu:
    """One PDU whose body is not read yet."""

    command: int
    sequence: int
    body: bytes = b""
    status: int = 0

    @property
    def is_response(self) -> bool:
        """Tell whether it answers a request."""
        return bool(self.command & RESPONSE)

    def render(self) -> bytes:
        """Write it as octets."""
        return _HEADER.pack(_HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


@define
class Frames:
    """Cuts a stream into PDUs; holds no more than one incomplete PDU."""

    most: int = MOST
    _held: bytearray = field(factory=bytearray, init=False)

    def receive(self, octets: bytes) -> Iterator[Pdu]:
        """Give the PDUs that are complete with these octets; BadFrame for a length that cannot be."""
        self._held += octets
        begin = 0
        try:
            while len(self._held) - begin >= 4:
                length = int.from_bytes(self._held[begin : begin + 4], "big")
                if not _HEADER.size <= length <= self.most:
                    raise BadFrame(f"a PDU of {length} octets")
                if len(self._held) - begin < length:
                    return
                _, command, status, sequence = _HEADER.unpack_from(self._held, begin)
                body = bytes(self._held[begin + _HEADER.size : begin + length])
                begin += length
                yield Pdu(command, sequence, body, status)
        finally:
            del self._held[:begin]
