"""The folder of a journal: held by one process at a time, with the segments in it."""
# ruff: noqa: PTH110, PTH208 - plain strings and descriptors, as all around

import errno
import fcntl
import itertools
import os
from collections.abc import Iterator
from random import Random

from mailnode.couriers.maildir_segment import Segment

LOCK = "lock"
_SUFFIX = ".segment"
_SPARE = 16
"""A segment is made only where there is room for so many: a disk that is nearly full belongs to the mail."""


class JournalFolder:
    """An open folder; BlockingIOError when another process has it, any other OSError when it cannot be used."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = os.open(f"{path}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            os.close(self._lock)
            raise
        self.device = os.fstat(self._lock).st_dev
        """The file system as files in it see it."""

    def paths(self) -> list[str]:
        """Give the paths of the segments."""
        return sorted(f"{self.path}/{name}" for name in os.listdir(self.path) if name.endswith(_SUFFIX))

    def create(self, size: int, random: Random) -> Segment:
        """Make one more segment; OSError when it would take what little room there is."""
        room = os.fstatvfs(self.descriptor)
        if room.f_bavail * room.f_frsize < _SPARE * size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return Segment.create(next(self._free_paths()), size, random)

    def _free_paths(self) -> Iterator[str]:
        paths = (f"{self.path}/{number}{_SUFFIX}" for number in itertools.count(1))
        return (path for path in paths if not os.path.exists(path))

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)
        os.close(self._lock)
