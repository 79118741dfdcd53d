"""Who is logged in at which terminal: the records of utmp and of systemd-logind, read as files.

utmp(5) is an array of records as the C library lays them out; only those of the type USER_PROCESS count. Newer systems
have none, and there logind's files say the same: ``KEY=VALUE`` lines, one file a session. Both may lag behind: who really
has a terminal is asked of the terminal itself (``terminal_line``).

Everything here reads the disk: never on the reactor thread.
"""

import platform
import re
import struct
from collections.abc import Iterator
from pathlib import Path

USER_PROCESS = 7
"""The type of a record of somebody who is logged in (utmp(5))."""

MOST_OCTETS = 4 * 1024 * 1024
"""Octets of a utmp that are read: ten thousand sessions."""

SHORT_RECORD = struct.Struct("=h2xi32s4s32s256shhiii16s20s")
"""A record with times of 32 bits: x86, and most others."""

LONG_RECORD = struct.Struct("=h2xi32s4s32s256shhqqq16s20s4x")
"""A record with times of 64 bits."""

_LONG = frozenset({"aarch64", "loongarch64", "alpha"})
_LINE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:/[A-Za-z0-9]+)?", re.ASCII)


def lines_in_utmp(path: Path, login: str) -> Iterator[str]:
    """Give the terminals (``pts/3``) at which utmp says the user is; none when there is no such file."""
    record = LONG_RECORD if platform.machine() in _LONG else SHORT_RECORD
    wanted = login.encode()
    for values in record.iter_unpack(_records(path, record.size)):
        if values[0] == USER_PROCESS and _text(values[4]) == wanted:
            yield from _line(_text(values[2]).decode("ascii", "replace"))


def lines_of_sessions(folder: Path, login: str) -> Iterator[str]:
    """Give the terminals at which systemd-logind says the user is; none when there is no such folder."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return
    for file in files:
        if file.suffix == ".ref":
            continue
        session = _session(file)
        if session.get("USER") == login and session.get("STATE") != "closing":
            yield from _line(session.get("TTY", ""))


def _records(path: Path, size: int) -> bytes:
    """Read whole records."""
    try:
        with path.open("rb") as file:
            octets = file.read(MOST_OCTETS)
    except OSError:
        return b""
    return octets[: len(octets) // size * size]


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _line(line: str) -> Iterator[str]:
    """Give the terminal if its name can be one: no way out of the folder of devices."""
    if _LINE.fullmatch(line):
        yield line


def _session(file: Path) -> dict[str, str]:
    """Read one of logind's files; USER is the number, NAME the login name in some versions."""
    try:
        text = file.read_text("utf-8", "replace")[:MOST_OCTETS]
    except OSError:
        return {}
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    if found.get("USER", "").isdigit() or "USER" not in found:
        found["USER"] = found.get("NAME", "")
    return found
