"""A disk that fails when told: the connection and the file calls of a spool, counted, with a fuse."""

import errno
import sqlite3
from pathlib import Path
from typing import Any

from attrs import define

from mailnode.spool.contents import Files
from mailnode.spool.schema import connect


@define
class Fuse:
    """Lets ``left`` operations pass, then fails: the rest of them for good, or just one."""

    left: int
    once: bool = False
    code: int = errno.EIO
    blown: bool = False

    def blows(self) -> bool:
        """Count one operation; tell whether it fails."""
        if self.blown and self.once:
            return False
        if self.left > 0:
            self.left -= 1
            return False
        self.blown = True
        return True

    def check_file(self) -> None:
        """Count an operation on a file."""
        if self.blows():
            raise OSError(self.code, "the fuse has blown")

    def check_statement(self) -> None:
        """Count a statement."""
        if self.blows():
            error = sqlite3.OperationalError("the fuse has blown")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL if self.code == errno.ENOSPC else sqlite3.SQLITE_IOERR
            raise error


@define
class FusedConnection:
    """A connection whose statements go through the fuse; after a crash none reaches the disk any more."""

    _db: sqlite3.Connection
    _fuse: Fuse

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Run one statement."""
        self._fuse.check_statement()
        return self._db.execute(statement, values)

    def executemany(self, statement: str, values: Any) -> sqlite3.Cursor:
        """Run one statement many times; it may stop in between."""
        rows = list(values)
        cursor = self._db.cursor()
        changed = 0
        for row in rows:
            self._fuse.check_statement()
            changed += self._db.execute(statement, row).rowcount
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def fused_connect(fuse: Fuse) -> Any:
    """Give what opens fused connections."""

    def open_fused(path: Path) -> Any:
        fuse.check_statement()
        return FusedConnection(connect(path), fuse)

    return open_fused


@define
class FusedFiles(Files):
    """File calls that go through the fuse."""

    _fuse: Fuse

    def sync(self, path: Path) -> None:
        """Count, then sync."""
        self._fuse.check_file()
        super().sync(path)

    def link(self, path: Path, name: Path) -> None:
        """Count, then link."""
        self._fuse.check_file()
        super().link(path, name)

    def unlink(self, path: Path) -> None:
        """Count, then unlink."""
        self._fuse.check_file()
        super().unlink(path)

    def make_folder(self, path: Path) -> None:
        """Count, then make it."""
        self._fuse.check_file()
        super().make_folder(path)
