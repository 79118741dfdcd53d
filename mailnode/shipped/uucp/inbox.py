"""The incoming folder: which files are batches that are ready, and how their octets are read. Everything blocks.

Whoever may write there is not trusted: only regular files are opened, no link is followed, no pipe is waited for. Hidden files, and
those whose name ends in ``.tmp`` or ``.part``, are still being written. A file that begins as gzip does is unpacked.
"""

import gzip
import os
import stat
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from attrs import frozen

UNFINISHED = (".tmp", ".part", "~")
MOST_GROWTH = 500
"""How many times its size a file may become when it is unpacked, once that is more than SMALL."""
SMALL = 100_000_000
_GZIP = b"\x1f\x8b"


class Unfit(Exception):  # noqa: N818 - it is a judgement
    """The file is no batch that can be read; the message says why."""


@frozen
class Inbox:
    """One folder, and the one beside it for what cannot be taken."""

    folder: Path
    aside: Path

    def open(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self.aside):
            folder.mkdir(parents=True, exist_ok=True)

    def names(self, *, older_than: float, limit: int) -> Sequence[str]:
        """Name batches that were not written to since a moment, the oldest name first."""
        with os.scandir(self.folder) as entries:
            names = [
                one.name
                for one in entries
                if not one.name.startswith(".") and not one.name.endswith(UNFINISHED) and not one.is_dir()
                and one.stat(follow_symlinks=False).st_mtime <= older_than
            ]  # fmt: skip
        return sorted(names)[:limit]

    def opened(self, name: str) -> "BatchFile":
        """Open a batch; raises Unfit, or OSError."""
        try:
            descriptor = os.open(
                self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            )
        except OSError as error:
            raise (Unfit("it is a link") if (self.folder / name).is_symlink() else error) from None
        file = os.fdopen(descriptor, "rb")
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            file.close()
            raise Unfit("it is no regular file")
        is_packed = file.peek(2)[:2] == _GZIP
        return BatchFile(gzip.GzipFile(fileobj=file) if is_packed else file, file, about.st_size)

    def remove(self, name: str) -> None:
        """Remove a batch that was taken."""
        (self.folder / name).unlink(missing_ok=True)

    def lay_aside(self, name: str, why: str) -> None:
        """Move a batch out of the way, and write down why."""
        (self.folder / name).rename(self.aside / name)
        (self.aside / f"{name}.why").write_text(f"{why}\n")

    def keep_aside(self, name: str, octets: bytes, why: str) -> None:
        """Keep one message of a batch for a person to look at."""
        (self.aside / name).write_bytes(octets)
        (self.aside / f"{name}.why").write_text(f"{why}\n")


class BatchFile:
    """An open batch."""

    def __init__(self, octets: "IO[bytes] | gzip.GzipFile", file: IO[bytes], size: int) -> None:
        self._octets = octets
        self._file = file
        self._size = size
        self._read = 0

    def read(self, size: int) -> bytes:
        """Give the next octets; empty at the end. Raises Unfit, or OSError."""
        try:
            block = self._octets.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise Unfit(f"it cannot be unpacked: {problem}") from None
        self._read += len(block)
        if self._read > max(SMALL, self._size * MOST_GROWTH) and self._octets is not self._file:
            raise Unfit("it grows too much when it is unpacked")
        return block

    def close(self) -> None:
        """Close it."""
        self._octets.close()
        self._file.close()
