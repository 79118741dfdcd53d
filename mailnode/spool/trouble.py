"""What went wrong on the disk, in the seam's words."""

import errno
import sqlite3

from mailnode.interfaces import SpoolTrouble

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: BaseException) -> bool:
    """Tell whether the error says that there is no room left."""
    if isinstance(error, sqlite3.Error):
        return _primary_code(error) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def trouble_of(error: BaseException) -> BaseException:
    """Turn an error of SQLite or of the file system into SpoolTrouble; any other stays as it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return SpoolTrouble(f"the queue id is taken: {error}")
    if isinstance(error, sqlite3.Error | OSError):
        return SpoolTrouble(f"{type(error).__name__}: {error}", is_full=is_full(error))
    return error


def spoils_connection(error: BaseException) -> bool:
    """Tell whether the connection must be opened again: the file or the disk beneath it is in doubt."""
    return isinstance(error, sqlite3.DatabaseError) and not (
        isinstance(error, sqlite3.IntegrityError) or is_full(error) or _primary_code(error) == sqlite3.SQLITE_BUSY
    )


def _primary_code(error: sqlite3.Error) -> int:
    # Errors that the sqlite3 module raises by itself bear no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
