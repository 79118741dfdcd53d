"""A segment: one file of the journal, written once with zeros and from then on only overwritten in place.

Because neither its size nor its place on disk changes ever after, fdatasync has nothing but the new octets to write: no
commit of the file system's own journal, no second wait. The first block says which key its frames bear
(``maildir_record``); a new key there, durable, makes all frames void at once, and the segment may be filled again.
Everything here blocks.
"""
# ruff: noqa: PTH108, PTH120 - plain strings and descriptors, as all around

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from random import Random

from mailnode.couriers.maildir_path import sync_folder
from mailnode.couriers.maildir_record import (
    BLOCK,
    KEY_SIZE,
    Record,
    first_key,
    frame_size,
    pack_frame,
    read_frames,
)

_MAGIC = b"MJS1"
_HEADER = struct.Struct("<4s16sI")
_CHUNK = 1 << 20
_sync_data = getattr(os, "fdatasync", os.fsync)


class Segment:
    """One open segment; ``is_whole``: it has its full size and a header that can be read, so that it may be used again."""

    def __init__(self, path: str, descriptor: int, key: bytes, size: int, *, is_whole: bool = True) -> None:
        self.path = path
        self.is_whole = is_whole
        self.users = 0
        """Batches whose records are durable here and whose files do not all have their names in ``new/`` yet."""
        self.is_failed = False
        """A write failed: nothing may follow it, for reading would end there."""
        self.is_suspect = False
        """Some file that stands here may have been lost, whatever memory shows; all are to be written once more."""
        self._descriptor = descriptor
        self._key = key
        self._size = size
        self._end = BLOCK

    @classmethod
    def create(cls, path: str, size: int, random: Random) -> "Segment":
        """Make a new one of ``size`` octets, durably; after an OSError there is none."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            for offset in range(0, size, _CHUNK):
                _write(descriptor, bytes(min(_CHUNK, size - offset)), offset)
            segment = cls(path, descriptor, b"", size)
            segment._renew_key(random)
            os.fsync(descriptor)
            sync_folder(os.path.dirname(path))
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return segment

    @classmethod
    def open(cls, path: str, size: int) -> "Segment":
        """Open one that an earlier process has left, to read it; ``clear`` makes it writable.

        One without a readable header is believed by the key of its first frame: a message that arrives twice is
        better than none.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            key = _key_of(os.pread(descriptor, _HEADER.size, 0))
            is_whole = key is not None and os.fstat(descriptor).st_size == size
            key = key or first_key(os.pread(descriptor, BLOCK, BLOCK)) or b""
        except OSError:
            os.close(descriptor)
            raise
        return cls(path, descriptor, key, size, is_whole=is_whole)

    @property
    def is_begun(self) -> bool:
        """Tell whether anything was appended since it was made or cleared."""
        return self._end > BLOCK

    def has_room(self, records: Sequence[Record]) -> bool:
        """Tell whether a frame of these records still fits in."""
        return not self.is_failed and self._end + frame_size(records) <= self._size

    def append(self, records: Sequence[Record]) -> None:
        """Write one frame and make it durable; after an OSError nothing more may be appended before ``clear``."""
        frame = pack_frame(self._key, records)
        offset, self._end = self._end, self._end + len(frame)
        try:
            _write(self._descriptor, frame, offset)
            _sync_data(self._descriptor)
        except OSError:
            self.is_failed = True
            raise

    def records(self) -> Iterator[Record]:
        """Give all records, those of each batch in order."""
        if len(self._key) == KEY_SIZE:
            yield from read_frames(self._key, self._read, BLOCK)

    def clear(self, random: Random) -> None:
        """Make all records void, durably; the segment may then be filled from the beginning."""
        self._renew_key(random)
        _sync_data(self._descriptor)
        self._end = BLOCK
        self.is_failed = self.is_suspect = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Delete the file, which is open or not."""
        os.unlink(self.path)

    def _read(self, size: int, offset: int) -> bytes:
        # A damaged length must not ask for memory that no segment could fill.
        return os.pread(self._descriptor, min(size, self._size), offset)

    def _renew_key(self, random: Random) -> None:
        key = random.randbytes(KEY_SIZE)
        while key == self._key:
            key = random.randbytes(KEY_SIZE)  # a source that repeats itself must not make old frames valid
        _write(self._descriptor, _HEADER.pack(_MAGIC, key, zlib.crc32(key)), 0)
        self._key = key


def _key_of(header: bytes) -> bytes | None:
    """Give the key of a header; None when it is damaged."""
    if len(header) < _HEADER.size:
        return None
    magic, key, check = _HEADER.unpack(header)
    return key if magic == _MAGIC and zlib.crc32(key) == check else None


def _write(descriptor: int, octets: bytes, offset: int) -> None:
    left = memoryview(octets)
    while left:
        written = os.pwrite(descriptor, left, offset)
        left = left[written:]
        offset += written
