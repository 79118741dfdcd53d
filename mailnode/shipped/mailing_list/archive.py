"""The archive of a list: mboxrd files, ``archive.mbox`` and one a month, appended under a lock and fsynced.

Everything here blocks and belongs on a disk thread. ``append`` with the place where the file ended before the first try
writes a post once only, however often it is tried.
"""

import fcntl
import mmap
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_UNFIT = re.compile(r"[^!-~]")
_THREADS = Lock()
"""A lock of fcntl keeps processes apart, not the threads of one."""


def entry(octets: bytes, sender: str, now: float) -> bytes:
    """Write a message as it stands in the file."""
    written = _UNFIT.sub("-", sender) or "MAILER-DAEMON"
    first = f"From {written} {datetime.fromtimestamp(now, UTC).ctime()}\n".encode()
    unix = _FROM.sub(rb">\1", octets.replace(b"\r\n", b"\n"))
    return first + unix + (b"\n" if unix.endswith(b"\n") else b"\n\n")


def files(folder: Path, now: float) -> tuple[Path, Path]:
    """Name the files for a post of that time."""
    return folder / "archive.mbox", folder / f"{datetime.fromtimestamp(now, UTC):%Y-%m}.mbox"


def size(path: Path) -> int:
    """Give a file's length; 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def append(path: Path, octets: bytes, since: int) -> bool:
    """Append durably what does not stand behind ``since`` yet; False when another program has the file. OSError."""
    with _THREADS:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end = os.lseek(descriptor, 0, os.SEEK_END)
            if not _stands(descriptor, octets, since, end):
                _write(descriptor, _gap(descriptor, end) + octets, end)
            _sync_folder(path.parent)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
    return True


def _stands(descriptor: int, octets: bytes, since: int, end: int) -> bool:
    if end - since < len(octets):
        return False
    with mmap.mmap(descriptor, end, access=mmap.ACCESS_READ) as mapped:
        return mapped.find(octets, since) >= 0


def _gap(descriptor: int, end: int) -> bytes:
    """Give what is missing of the blank line before a message, should somebody have left the file without."""
    last = os.pread(descriptor, 2, max(0, end - 2))
    if not last or last == b"\n\n":
        return b""
    return b"\n" if last.endswith(b"\n") else b"\n\n"


def _write(descriptor: int, octets: bytes, end: int) -> None:
    try:
        left = memoryview(octets)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, end)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
