"""Files of content: ``content/<shard>/<queue id>``, durable before the commit that names them.

A file is written by reception in ``incoming/`` on the same file system. Taking it over makes its octets durable, gives
it a second name in ``content/`` and makes that name durable too; the first name goes after the commit. Until then a
failure needs only the second name removed, and whoever handed the file over still has it. All of this blocks: it runs
on a Hand.
"""

import fcntl
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from attrs import evolve, field, frozen

from mailnode.mail.content import Content
from mailnode.spool.trouble import trouble_of

_SHARDS = 256
GRACE = 86400.0
"""Seconds that a file without an owner is left alone while another process uses the spool: it may be in its hands."""


class Files:
    """The system calls on files, one by one; tests put one here that fails when told."""

    def sync(self, path: Path) -> None:
        """Make a file's octets, or a folder's names, durable."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, path: Path, name: Path) -> None:
        """Give the file another name; FileExistsError when the name is taken."""
        os.link(path, name)

    def unlink(self, path: Path) -> None:
        """Take the name away, if it is there."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """Make the folder and the one around it, unless they are there, and make both names durable."""
        path.mkdir(parents=True, exist_ok=True)
        self.sync(path.parent)
        self.sync(path.parent.parent)


@frozen
class Contents:
    """The files of content beneath the spool's folder."""

    folder: Path
    files: Files
    _durable: set[Path] = field(factory=set, init=False, eq=False)
    """Folders whose names are known to be durable; of one that an earlier life has made it is not known."""

    @property
    def root(self) -> Path:
        """The folder of all that messages own."""
        return self.folder / "content"

    def take(self, content: Content, queue_id: str) -> tuple[Content, str]:
        """Make the content's file durable here; give the content as it lies now and its name in the tables."""
        assert content.path is not None  # noqa: S101 - asked for files only
        name = name_of(queue_id)
        path = self.folder / name
        try:
            self._prepare(path.parent)
            self.files.sync(content.path)
            # A name that is taken is another message's content, or a crash's remains: never replaced, never removed.
            self.files.link(content.path, path)
        except OSError as error:
            raise trouble_of(error) from error
        try:
            self.files.sync(path.parent)
        except OSError as error:
            self.drop([name])
            raise trouble_of(error) from error
        return evolve(content, path=path), name

    def _prepare(self, shard: Path) -> None:
        if shard not in self._durable:
            self.files.make_folder(shard)
            self._durable.add(shard)

    def drop(self, names: Iterable[str]) -> None:
        """Remove files of messages that are no more; what cannot be removed now is left to recovery."""
        for name in names:
            self.release(self.folder / name)

    def release(self, path: Path) -> None:
        """Take a name away."""
        try:
            self.files.unlink(path)
        except OSError:
            # Recovery removes it.
            return

    def shards(self) -> list[str]:
        """Give the folders, as names beneath the spool's, where files may lie that no message owns."""
        shards = sorted(shard.name for shard in self.root.iterdir()) if self.root.is_dir() else []
        return ["incoming", *(f"content/{shard}" for shard in shards)]

    def strangers(self, shard: str, before: float) -> list[str]:
        """Give the names, beneath the spool's folder, of what was written in this one before that moment."""
        folder = self.folder / shard
        if not folder.is_dir():
            return []
        with os.scandir(folder) as found:
            return [f"{shard}/{one.name}" for one in found if one.is_file() and one.stat().st_mtime < before]


def name_of(queue_id: str) -> str:
    """Give the name of a message's file beneath the spool's folder: a shard, so that none grows long, and the queue id."""
    return f"content/{zlib.crc32(queue_id.encode()) % _SHARDS:02x}/{quote(queue_id, safe='')}.content"


def queue_id_of(name: str) -> str:
    """Give the queue id of a file's name."""
    return unquote(name.rpartition("/")[2].removesuffix(".content"))


class Sharing:
    """Tells whether any other process (or spool of this one) has the folder open: a lock that all of them share."""

    def __init__(self, folder: Path) -> None:
        """Join those who have it open; waits while one of them recovers."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "spool.lock").open("ab")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def is_alone(self) -> bool:
        """Tell whether nobody else has it open, and keep others out until ``share``."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Some systems give the shared lock up for the attempt.
            fcntl.flock(self._file, fcntl.LOCK_SH)
            return False
        return True

    def share(self) -> None:
        """Let others in again."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Leave."""
        self._file.close()
