"""An mbox file: its format, its two locks, and an append that either is durable or has not been.

The format is mboxrd: a message begins with ``From <sender> <date in UTC>``, each line of it that looks like such a
beginning (any number of ``>``, then ``From ``) gets one more ``>``, and a blank line ends it; a reader that takes one
``>`` away has the message as it was.

Readers and other writers are kept out in both ways that mail programs on Debian use: first the file ``<name>.lock``, made
with O_EXCL, then ``fcntl`` on the mailbox itself. A lock file older than DOTLOCK_LIFE belonged to a program that died.

Everything here blocks for the disk, but never for a lock.
"""
# ruff: noqa: PTH103, PTH108, PTH112, PTH116, PTH120 - plain strings and descriptors throughout

import contextlib
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from mailnode.couriers.maildir_path import make_folders, sync_folder
from mailnode.mail.address import NULL, Mailbox

DOTLOCK_LIFE = 300.0
"""Seconds after which a lock file is taken for left behind; no append takes that long."""

_FROM = b"From "
_FROM_LINE = re.compile(rb"\n(>*)From ")
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f]")


def from_line(reverse_path: Mailbox, now: float) -> bytes:
    """Give the line that begins a message; the null reverse-path is written as MAILER-DAEMON."""
    sender = "MAILER-DAEMON" if reverse_path == NULL else _UNFIT.sub("-", str(reverse_path))
    return f"From {sender} {datetime.fromtimestamp(now, UTC).ctime()}\n".encode(errors="replace")


def quoted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Quote lines that look like the beginning of a message, wherever the blocks are cut; lines end in LF.

    The new ``>`` goes behind those already there, so that of a line that goes on in the next block only the part of
    ``From `` seen so far is held back.
    """
    held = b""
    at_start = True  # no octet of this line but ``>`` has been given yet
    for block in blocks:
        line_end = b"\n" if at_start else b" "
        whole = line_end + held + block
        start = whole.rfind(b"\n")
        tail = whole[start + 1 :].lstrip(b">") if start >= 0 else whole
        at_start = start >= 0 and len(tail) < len(_FROM) and _FROM.startswith(tail)
        held = tail if at_start else b""
        given = whole[: len(whole) - len(held)]
        yield _FROM_LINE.sub(rb"\n\1>From ", given)[1:]
    if held:
        yield held


def append(path: str, beginning: bytes, blocks: Iterable[bytes], *, now: float) -> bool:
    """Append a message durably; False when another program has the mailbox.

    OSError when it could not be written; the file then has its old length.
    """
    _make_place(path)
    if not _take_dotlock(f"{path}.lock", now):
        return False
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _extend(descriptor, path, beginning, blocks)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}.lock")
    return True


def _extend(descriptor: int, path: str, beginning: bytes, blocks: Iterable[bytes]) -> None:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        last = _write(descriptor, [_gap(descriptor, size) + beginning])
        last = _write(descriptor, quoted(blocks)) or last
        _write(descriptor, [b"\n" if last == b"\n" else b"\n\n"])
        os.fsync(descriptor)
        _make_names_durable(path, is_first=size == 0)
    except BaseException:
        os.ftruncate(descriptor, size)
        raise


def _make_names_durable(path: str, *, is_first: bool) -> None:
    """Make the file's name durable, and with its first message those of its folders.

    Also when all were there already: whoever made them may have died before it came to that.
    """
    folder = os.path.dirname(path)
    sync_folder(folder)
    if is_first:
        root = os.path.dirname(folder)
        make_folders([root, folder])


def _gap(descriptor: int, size: int) -> bytes:
    """Give what is missing of the blank line before a message, should someone have left the file without."""
    end = os.pread(descriptor, 2, max(0, size - 2))
    if not end or end == b"\n\n":
        return b""
    return b"\n" if end.endswith(b"\n") else b"\n\n"


def _write(descriptor: int, blocks: Iterable[bytes]) -> bytes:
    """Write everything; give the last octet."""
    last = b""
    for block in blocks:
        left = memoryview(block)
        while left:
            left = left[os.write(descriptor, left) :]
        last = block[-1:] or last
    return last


def _make_place(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        root = os.path.dirname(folder)
        os.makedirs(root, 0o700, exist_ok=True)
        make_folders([root, folder])


def _take_dotlock(path: str, now: float) -> bool:
    """Make the lock file; False when somebody else has. A stale one is removed, for the next try to find it gone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        with contextlib.suppress(FileNotFoundError):
            if os.stat(path).st_mtime < now - DOTLOCK_LIFE:
                os.unlink(path)
        return False
    os.close(descriptor)
    return True
