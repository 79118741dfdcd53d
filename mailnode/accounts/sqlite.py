"""The directory on disk: ``accounts.db``, an SQLite file that ``mailnode account`` may change while the node runs.

How lookups stay quick and still see changes at once: answers, positive and negative, are kept in memory until the file
changes. Every ``find`` reads the counter of changes in the file's header (SQLite's file format, section 1.3.6), which every
commit moves on: one system call on octets the kernel holds, waiting for no lock, and so there is no interval in which a new
account would be missed. (``PRAGMA data_version`` says the same and makes seven calls.) A counter that is seen a moment
before its commit is through does no harm, since the query that follows waits for the commit. An answer that is not in memory
is one indexed query on a thread. Memory is bounded by ANSWERS.

The journal is SQLite's plain one and not a write-ahead log: accounts change seldom, and no second file stays behind that
an administrator's process could leave with the wrong owner.

The tables and their versions are ``schema``'s.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from mailnode.accounts import records
from mailnode.accounts.key import Key, folded, key_of
from mailnode.accounts.schema import prepare
from mailnode.interfaces import Disk
from mailnode.mail.account import UNCHANGED, Account, AccountChange
from mailnode.mail.address import Mailbox

T = TypeVar("T")

ANSWERS = 50_000
"""Answers kept in memory; when there are more, all are forgotten."""

_COUNTER = (4, 24)
"""Octets of the counter of changes in the header, and where they are."""

_WAIT = 10.0
"""Seconds for which a thread waits for another process's lock."""


class SqliteDirectory:
    """Knows the accounts in the file at ``path``; implements interfaces.Directory.

    Opens the file at once, and makes it (mode 0600) if there is none. Raises WrongSchema, sqlite3.Error or OSError.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._disk = disk
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Closing any descriptor of a file gives up all locks that this process has on it: this one is closed last.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._database = sqlite3.connect(path, isolation_level=None, timeout=_WAIT, check_same_thread=False)
        self._lock = threading.Lock()
        self._answers: dict[Key, bool] = {}
        self._version = b""
        try:
            prepare(self._database, path)
            self._version = self._look()
        except BaseException:
            self.close()
            raise

    async def find(self, mailbox: Mailbox) -> bool:
        """Tell whether the mailbox exists; a change by any process counts from its commit."""
        key = key_of(mailbox)
        version = self._look()
        if version != self._version or len(self._answers) > ANSWERS:
            self._answers.clear()
            self._version = version
        known = self._answers.get(key)
        if known is None:
            known = await self.run(lambda database: _exists(database, key))
            if version == self._version:
                self._answers[key] = known
        return known

    async def describe(self, mailbox: Mailbox) -> str:
        """Give the full name, if one is known."""
        key = key_of(mailbox)
        return await self.run(lambda database: records.full_name(database, key))

    async def add(self, mailbox: Mailbox, details: AccountChange = UNCHANGED) -> None:
        """Make the mailbox known, durably; ValueError if it is already."""
        key = key_of(mailbox)
        columns = await self._disk.run(lambda: records.columns_of(details))
        try:
            await self.run(lambda database: records.insert(database, key, columns, details))
        except sqlite3.IntegrityError as error:
            raise ValueError(f"{mailbox} is known already") from error

    async def change(self, mailbox: Mailbox, details: AccountChange) -> None:
        """Change the account, durably; LookupError if it is not known."""
        key = key_of(mailbox)
        columns = await self._disk.run(lambda: records.columns_of(details))
        await self.run(lambda database: records.update(database, key, columns, details))

    async def remove(self, mailbox: Mailbox) -> None:
        """Make it unknown, durably; LookupError if it was not known."""
        key = key_of(mailbox)
        if not await self.run(lambda database: records.delete(database, key)):
            raise LookupError(f"{mailbox} is not known")

    async def accounts(self, domain: str = "") -> Sequence[Account]:
        """List the accounts, of one domain or all, sorted as the names are."""
        return await self.run(lambda database: records.read_all(database, domain))

    async def names(self, domain: str = "") -> Sequence[Mailbox]:
        """List the mailboxes, of one domain or all, sorted by domain and local part."""
        wanted = folded(domain)
        rows = await self.run(
            lambda database: database.execute(
                "SELECT local_part, domain FROM account WHERE ?1 = '' OR domain = ?1 ORDER BY domain, local_part",
                (wanted,),
            ).fetchall()
        )
        return [Mailbox(local_part, at) for local_part, at in rows]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)

    def _look(self) -> bytes:
        """Give what changes whenever the file has changed."""
        return os.pread(self._file, *_COUNTER)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work on the open file, on a thread and alone."""

        def locked() -> T:
            with self._lock:
                return work(self._database)

        return await self._disk.run(locked)


def _exists(database: sqlite3.Connection, key: Key) -> bool:
    found = database.execute("SELECT 1 FROM account WHERE domain = ? AND local_part = ?", key).fetchone()
    return found is not None
