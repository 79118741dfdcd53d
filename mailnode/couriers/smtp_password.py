"""The password for a next hop: the first line of a file, read anew for each session and kept nowhere."""

import stat
from pathlib import Path

from twisted.logger import Logger

from mailnode.interfaces import Disk

_LONGEST = 4096
"""Octets of the file that are read."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PasswordFile:
    """One file, and whether a warning about it was given."""

    log = Logger()

    def __init__(self, path: str, disk: Disk) -> None:
        self._path = Path(path)
        self._disk = disk
        self._is_warned = False

    async def read(self) -> str:
        """Give the password; raises OSError or ValueError, which name no octet of it."""
        first, mode = await self._disk.run(self._read)
        if mode & _OTHERS and not self._is_warned:
            self._is_warned = True
            self.log.warn(  # noqa: G010 - Twisted's name
                "{path} can be read by others; chmod 600 keeps the password to its owner",
                event="trouble",
                path=str(self._path),
            )
        if not first:
            raise ValueError("its first line is empty")
        try:
            return first.decode()
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8") from None

    def _read(self) -> tuple[bytes, int]:
        with self._path.open("rb") as file:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            return file.read(_LONGEST).partition(b"\n")[0].removesuffix(b"\r"), mode
