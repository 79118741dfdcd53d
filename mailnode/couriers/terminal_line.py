"""One terminal: whether it takes messages, and writing to it without ever waiting.

As write(1) does it: the group's write permission on the terminal says that messages are welcome (mesg(1)). Beyond that
the terminal must belong to the very user, since the records of logins may be old and the terminal another's by now.

It is opened so that it does not become ours (O_NOCTTY) and so that neither opening nor writing waits (O_NONBLOCK): a
terminal that was stopped with Control-S takes nothing and is as good as switched off.

All of this touches devices: never on the reactor thread.
"""

import os
import pwd
import stat
import termios
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

_FLAGS = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
_IUTF8 = 0o40000
"""The input flag of termios(3) by which a terminal shows that it speaks UTF-8; Linux only."""


@frozen
class Line:
    """A terminal that is there and takes messages."""

    path: Path
    owner: int
    """The user's number."""
    last_used: float
    """When something was last typed there, seconds since the epoch."""

    def write(self, compose: Callable[[bool], bytes]) -> bool:
        """Write what ``compose`` makes, given whether the terminal speaks UTF-8; False when not all of it went out."""
        try:
            descriptor = os.open(self.path, _FLAGS)
        except OSError:
            return False
        try:
            # Asked again: it may have been closed and opened by another since.
            is_welcome = _takes_messages(os.fstat(descriptor), self.owner) and os.isatty(descriptor)
            return is_welcome and _write(descriptor, compose(_speaks_utf8(descriptor)))
        except OSError:
            return False
        finally:
            os.close(descriptor)


def open_line(path: Path, login: str) -> Line | None:
    """Look at a terminal; None when it is not the user's, takes no messages, or is not there."""
    try:
        found = path.lstat()
        owner = pwd.getpwnam(login).pw_uid
    except (OSError, LookupError):
        return None
    if not (_takes_messages(found, owner) and os.access(path, os.W_OK)):
        return None
    return Line(path, owner, found.st_atime)


def _takes_messages(found: os.stat_result, owner: int) -> bool:
    return stat.S_ISCHR(found.st_mode) and bool(found.st_mode & stat.S_IWGRP) and found.st_uid == owner


def _speaks_utf8(descriptor: int) -> bool:
    return bool(termios.tcgetattr(descriptor)[0] & _IUTF8)


def _write(descriptor: int, octets: bytes) -> bool:
    view = memoryview(octets)
    while view:
        try:
            written = os.write(descriptor, view)
        except BlockingIOError:
            return False
        if not written:
            return False
        view = view[written:]
    return True
