"""Pseudo-terminals and a utmp of the test's own, so that a user seems to be logged in."""

import contextlib
import os
import platform
import pwd
import select
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from mailnode.couriers.terminal_logins import LONG_RECORD, SHORT_RECORD, USER_PROCESS

RECORD = LONG_RECORD if platform.machine() == "aarch64" else SHORT_RECORD


def login_name() -> str:
    """Give the name of the user who runs the tests."""
    return pwd.getpwuid(os.getuid()).pw_name


class Terminal:
    """A pseudo-terminal; what is written to it can be read. A context manager."""

    def __init__(self, *, messages: bool = True) -> None:
        self.main, self._line = os.openpty()
        self.path = Path(os.ttyname(self._line))
        self.allow(messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in (self.main, self._line):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    @property
    def name(self) -> str:
        """Give its name as it stands in utmp."""
        return str(self.path.relative_to("/dev"))

    def allow(self, messages: bool) -> None:
        """Do as mesg(1) does."""
        mode = stat.S_IMODE(self.path.stat().st_mode)
        self.path.chmod(mode | stat.S_IWGRP if messages else mode & ~stat.S_IWGRP)

    def close_line(self) -> None:
        """Hang up."""
        os.close(self._line)

    def read(self, seconds: float = 0.0) -> bytes:
        """Give all that was written to it; waits for the first octets so long."""
        said = b""
        while select.select([self.main], [], [], 0.0 if said else seconds)[0]:
            try:
                octets = os.read(self.main, 65536)
            except OSError:
                break
            said += octets
        return said


def write_utmp(path: Path, logins: Iterable[tuple[str, str]], *, kind: int = USER_PROCESS) -> None:
    """Write a utmp in which these users are logged in: login name and terminal."""
    empty = [b"\0" * len(value) if isinstance(value, bytes) else 0 for value in RECORD.unpack(bytes(RECORD.size))]
    octets = b""
    for login, line in logins:
        values = [*empty]
        values[0], values[1], values[2], values[4] = kind, os.getpid(), line.encode(), login.encode()
        octets += RECORD.pack(*values)
    path.write_bytes(octets)
