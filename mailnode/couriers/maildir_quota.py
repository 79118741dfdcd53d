"""How full a mailbox may be: the ``maildirsize`` file of Maildir++, shared with Dovecot, Courier and their tools.

Its first line is the limit (``10000000S,1000C``: octets, messages), each further line a change (``<octets> <messages>``,
negative after deletions); their sum is what the mailbox holds. A delivery appends one short line, which takes one
``write``, and so needs no lock. The sum drifts (a reader that does not know the file deletes mail, a delivery dies), and
therefore it is taken for a hint: before a message is refused the mailbox is counted anew, unless that was done within
the last 15 minutes and nothing was added since. It is also counted when the file is missing, larger than 5120 octets,
not understood, or written for another limit.

Counted are ``new`` and ``cur`` of the mailbox and of its folders (``.Name``), by the ``S=`` of the name or else by the
file's size; not the folder ``.Trash`` and not what is marked as deleted (flag ``T``).

Everything here blocks; it runs on the courier's thread.
"""
# ruff: noqa: PTH104, PTH108, PTH116, S108 - plain strings and descriptors, for speed; tmp is a Maildir's

import os
import re
from collections.abc import Iterator

from attrs import frozen

FILE_LIMIT = 5120
"""Octets of ``maildirsize`` from which it is written anew (the specification's number)."""
FRESH = 900.0
"""Seconds for which a count is not repeated."""

_LIMIT = re.compile(r"(\d{1,18})([SC])", re.ASCII)
_SIZE_IN_NAME = re.compile(r",S=(\d{1,18})(?=[,:]|$)", re.ASCII)


@frozen
class Limit:
    """What a mailbox may hold; 0 stands for no limit."""

    octets: int = 0
    messages: int = 0

    def __str__(self) -> str:
        """Render as the first line of ``maildirsize``."""
        parts = [f"{self.octets}S"] * bool(self.octets) + [f"{self.messages}C"] * bool(self.messages)
        return ",".join(parts)

    def admits(self, usage: "Usage") -> bool:
        """Tell whether this much may lie in the mailbox."""
        return not (0 < self.octets < usage.octets or 0 < self.messages < usage.messages)


@frozen
class Usage:
    """What a mailbox holds."""

    octets: int = 0
    messages: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Add up."""
        return Usage(self.octets + other.octets, self.messages + other.messages)


@frozen
class _Noted:
    """What ``maildirsize`` says."""

    limit: Limit
    usage: Usage = Usage()
    lines: int = 0
    """How many changes are noted; 0 when their sum is not to be trusted."""
    written: float = 0.0
    """When, in seconds since the epoch."""


def is_counted(folder: str, configured: Limit) -> bool:
    """Tell whether it matters how full the Maildir at ``folder`` is: there is a limit, or a file that may hold one."""
    return bool(configured.octets or configured.messages) or os.access(f"{folder}/maildirsize", os.F_OK)


def has_room(folder: str, configured: Limit, wanted: Usage, *, now: float, temporary: str) -> bool:
    """Tell whether ``wanted`` may be added to the Maildir at ``folder``.

    ``configured`` is the limit from the settings; without one, the first line of ``maildirsize`` counts, as other tools
    may have set it. ``temporary`` is a unique file name. OSError when the mailbox cannot be read.
    """
    noted = _read(folder)
    limit = configured if str(configured) else (noted.limit if noted else Limit())
    if not str(limit):
        return True
    if noted is None or noted.limit != limit or not noted.lines:
        return limit.admits(_count_anew(folder, limit, temporary).plus(wanted))
    if limit.admits(noted.usage.plus(wanted)):
        return True
    if noted.lines == 1 and now - noted.written < FRESH:
        return False
    return limit.admits(_count_anew(folder, limit, temporary).plus(wanted))


def charge(folder: str, added: Usage) -> None:
    """Note in ``maildirsize``, if there is one, what was delivered."""
    try:
        descriptor = os.open(f"{folder}/maildirsize", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(descriptor, f"{added.octets} {added.messages}\n".encode())
    finally:
        os.close(descriptor)


def _read(folder: str) -> _Noted | None:
    """Give what is noted; None when there is no file."""
    try:
        descriptor = os.open(f"{folder}/maildirsize", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        octets = os.read(descriptor, FILE_LIMIT + 1)
        written = os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
    first, *changes = octets[:FILE_LIMIT].decode(errors="replace").splitlines() or [""]
    limit = _limit_of(first)
    if len(octets) > FILE_LIMIT:
        return _Noted(limit)
    try:
        usage = Usage(*map(sum, zip(*((int(a), int(b)) for a, b in map(str.split, changes)), strict=True)))
    except ValueError:
        return _Noted(limit)
    return _Noted(limit, usage, len(changes), written)


def _limit_of(line: str) -> Limit:
    found = {unit: int(number) for number, unit in _LIMIT.findall(line)}
    return Limit(found.get("S", 0), found.get("C", 0))


def _count_anew(folder: str, limit: Limit, temporary: str) -> Usage:
    """Count the mailbox and write ``maildirsize``; if mail came or went meanwhile, leave none."""
    before = _stamps(folder)
    usage = _count(folder)
    path = f"{folder}/tmp/{temporary}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(descriptor, f"{limit}\n{usage.octets} {usage.messages}\n".encode())
        finally:
            os.close(descriptor)
        os.rename(path, f"{folder}/maildirsize")
    except OSError:
        os.unlink(path)
        raise
    if _stamps(folder) != before:
        os.unlink(f"{folder}/maildirsize")
    return usage


def _places(folder: str) -> Iterator[str]:
    """Give the folders that hold counted messages."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name.startswith(".") and e.name != ".Trash" and e.is_dir()]
    for place in [folder, *(f"{folder}/{name}" for name in sorted(names))]:
        yield f"{place}/new"
        yield f"{place}/cur"


def _stamps(folder: str) -> list[int]:
    stamps = []
    for place in _places(folder):
        try:
            stamps.append(os.stat(place).st_mtime_ns)
        except FileNotFoundError:
            stamps.append(0)
    return stamps


def _count(folder: str) -> Usage:
    octets = messages = 0
    for place in _places(folder):
        try:
            entries = os.scandir(place)
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                size = _size(entry)
                if size is not None:
                    octets += size
                    messages += 1
    return Usage(octets, messages)


def _size(entry: "os.DirEntry[str]") -> int | None:
    """Give the octets of a message; None for what does not count."""
    name, _, flags = entry.name.partition(":2,")
    if name.startswith(".") or "T" in flags:
        return None
    said = _SIZE_IN_NAME.search(name)
    if said is not None:
        return int(said[1])
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return None
