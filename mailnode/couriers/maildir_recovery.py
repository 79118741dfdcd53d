"""Puts messages back into their mailboxes from the records of a journal.

After a power cut a file that had its name may be missing, empty or cut off, whatever its name says; therefore octets are
compared, not names. A file is looked for in ``new/`` and ``cur/`` by its unique name, whatever flags or sizes a reader
has added, and is written again where it was found.

Everything here blocks. Nothing is durable before the caller has made the file system so.
"""
# ruff: noqa: PTH104, PTH108, PTH123, PTH208, S108 - plain strings and descriptors, for speed; tmp is a Maildir's

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterable

from twisted.python.failure import Failure

from mailnode.couriers.maildir_path import is_mailbox, make_mailbox
from mailnode.couriers.maildir_record import Record

_END_OF_UNIQUE = re.compile("[,:]")
_SECOND = re.compile(r"(\d{1,12})\.")


class Restoration:
    """Puts records back below ``root``; what could not be put back is in ``failures``, and the others are not harmed."""

    def __init__(self, root: str, done: set[tuple[str, str]] | None = None) -> None:
        self._root = root
        self._done = set() if done is None else done
        self._found: dict[str, dict[str, str]] = {}
        self.count = 0
        """Files that had to be written."""
        self.failures: list[Failure] = []

    def bring_back(self, records: Iterable[Record]) -> None:
        """Write what is missing or damaged: for a new start, when what memory held may have been lost.

        Each record once only: those that are in ``done`` are left out, the others are added to it.
        """
        for record in records:
            if (record.folder, record.name) not in self._done:
                self._try(record, self._bring_back)

    def renew(self, records: Iterable[Record]) -> None:
        """Write once more what is there: for a disk that failed to take it, while memory still looks well.

        What is not there any more its owner has deleted or moved since, and it stays away.
        """
        for record in records:
            self._try(record, self._renew)

    def check(self) -> None:
        """Raise what went wrong first, as an OSError, if anything did."""
        for failure in self.failures:
            if isinstance(failure.value, OSError):
                raise failure.value
            raise OSError(errno.EINVAL, str(failure.value))

    def _try(self, record: Record, work: Callable[[Record], None]) -> None:
        try:
            work(record)
        except (OSError, ValueError):
            self.failures.append(Failure())

    def _bring_back(self, record: Record) -> None:
        path = self._find(record)
        if path is None:
            self._put(record, f"{self._root}/{record.folder}/new/{record.name}")
        elif not _holds(path, record.octets):
            self._put(record, path)
        self._done.add((record.folder, record.name))

    def _renew(self, record: Record) -> None:
        path = self._find(record)
        if path is not None:
            self._put(record, path)

    def _find(self, record: Record) -> str | None:
        """Give the path of the record's file, if it has one."""
        if not is_mailbox(record.folder) or "/" in record.name or record.name.startswith("."):
            raise ValueError(f"{record.folder!r}, {record.name!r} cannot be a file of a mailbox")
        files = self._found.get(record.folder)
        if files is None:
            files = self._found[record.folder] = _files_of(f"{self._root}/{record.folder}")
        return files.get(_unique(record.name))

    def _put(self, record: Record, path: str) -> None:
        folder = f"{self._root}/{record.folder}"
        temporary = f"{folder}/tmp/{record.name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(temporary, flags, 0o600)
        except FileNotFoundError:
            make_mailbox(self._root, folder)
            descriptor = os.open(temporary, flags, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(record.octets)
            arrived = _SECOND.match(record.name)
            if arrived is not None:
                # Readers show a file's time as that of the message.
                os.utime(temporary, (float(arrived[1]),) * 2)
            os.rename(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        self.count += 1


def _files_of(folder: str) -> dict[str, str]:
    """Give the paths of the messages of a mailbox by their unique names."""
    found = {}
    for place in (f"{folder}/new", f"{folder}/cur"):
        with contextlib.suppress(FileNotFoundError):
            found.update({_unique(name): f"{place}/{name}" for name in os.listdir(place)})
    return found


def _unique(name: str) -> str:
    return _END_OF_UNIQUE.split(name, maxsplit=1)[0]


def _holds(path: str, octets: bytes) -> bool:
    """Tell whether the file is there and has exactly these octets."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size == len(octets) and file.read() == octets
    except FileNotFoundError:
        return False
