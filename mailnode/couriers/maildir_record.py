"""What the journal of a Maildir courier consists of: records, one for each message, in frames, one for each batch.

A frame is ``magic(4) key(16) length(4) CRC-32(4)`` and then ``length`` octets of records, filled up with zeros to whole
blocks. A record is ``size of folder(2) size of name(2) size of octets(4)`` and then these three. Numbers are little-endian.

* One checksum covers a batch, since a batch is answered as a whole: a frame that is not whole was promised to nobody.
* A frame begins on a block of its own, so that no later write touches a block in which a promise stands.
* ``key`` is random and new each time a segment is used anew, and reading ends at the first frame without it. So what is
  left of earlier use is never taken for a record; also not when a stranger put what looks like a frame into his message.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

BLOCK = 4096
"""Octets of a block: what a disk writes as a whole, and a page of memory."""
KEY_SIZE = 16

_MAGIC = b"MJF1"
_HEAD = struct.Struct("<4s16sII")
_SIZES = struct.Struct("<HHI")


@frozen
class Record:
    """A file of a Maildir."""

    folder: str
    """The mailbox, from the mail root on: ``example.org/ann``."""
    name: str
    """The file's name in ``new/``."""
    octets: bytes
    """All that is in it."""


def frame_size(records: Sequence[Record]) -> int:
    """Give the octets of the frame of these records, whole blocks; at least as many as it takes."""
    # A name is text, of which a character takes at most four octets.
    sizes = (_SIZES.size + 4 * (len(r.folder) + len(r.name)) + len(r.octets) for r in records)
    return _rounded(_HEAD.size + sum(sizes))


def pack_frame(key: bytes, records: Sequence[Record]) -> bytes:
    """Render a frame, up to the end of its last block."""
    parts = [b""]
    for record in records:
        folder, name = record.folder.encode(), record.name.encode()
        parts += (_SIZES.pack(len(folder), len(name), len(record.octets)) + folder + name, record.octets)
    length = sum(map(len, parts))
    check = _seed(key, length)
    for part in parts:
        check = zlib.crc32(part, check)
    parts[0] = _HEAD.pack(_MAGIC, key, length, check)
    parts.append(bytes(_rounded(_HEAD.size + length) - _HEAD.size - length))
    return b"".join(parts)


def read_frames(key: bytes, read: Callable[[int, int], bytes], start: int) -> Iterator[Record]:
    """Give the records of all frames from ``start`` on, until there is none with this ``key``, or one is not whole.

    ``read(size, offset)`` gives so many octets, or fewer at the end.
    """
    while True:
        head = read(_HEAD.size, start)
        if len(head) < _HEAD.size:
            return
        magic, found, length, check = _HEAD.unpack(head)
        if magic != _MAGIC or found != key:
            return
        payload = read(length, start + _HEAD.size)
        if len(payload) < length or zlib.crc32(payload, _seed(key, length)) != check:
            return
        yield from _records(payload)
        start += _rounded(_HEAD.size + length)


def first_key(head: bytes) -> bytes | None:
    """Give the key of the frame that begins like this; None when it is no frame."""
    return head[4:20] if head.startswith(_MAGIC) and len(head) >= _HEAD.size else None


def _records(payload: bytes) -> Iterator[Record]:
    at = 0
    while at < len(payload):
        folder_size, name_size, size = _SIZES.unpack_from(payload, at)
        folder = at + _SIZES.size
        name = folder + folder_size
        octets = name + name_size
        at = octets + size
        yield Record(payload[folder:name].decode(), payload[name:octets].decode(), payload[octets:at])


def _seed(key: bytes, length: int) -> int:
    return zlib.crc32(key + length.to_bytes(4, "little"))


def _rounded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
