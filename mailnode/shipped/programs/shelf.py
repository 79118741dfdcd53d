"""Messages that could not be submitted yet: files in the gateway's folder, so that neither a full queue nor a crash loses one.

Everything here blocks. A file is one line of JSON and the message; it has its name once it is durable.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

ASIDE = ".refused"
"""What the name of a message ends with that was refused for good; somebody has to look at it."""


@frozen
class Kept:
    """A message with its envelope."""

    sender: str
    to: tuple[str, ...]
    octets: bytes
    key: str


@frozen
class Shelf:
    """A folder of them."""

    folder: Path

    def put(self, name: str, kept: Kept) -> None:
        """Keep a message durably."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        hidden = self.folder / f".{name}"
        with hidden.open("wb") as file:
            file.write(json.dumps({"sender": kept.sender, "to": kept.to, "key": kept.key}).encode() + b"\n")
            file.write(kept.octets)
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(self.folder / name)
        sync_folder(self.folder)

    def names(self) -> Sequence[str]:
        """Name what waits, the oldest first."""
        if not self.folder.is_dir():
            return ()
        return sorted(one for one in os.listdir(self.folder) if not one.startswith(".") and not one.endswith(ASIDE))  # noqa: PTH208

    def get(self, name: str) -> Kept:
        """Read one."""
        line, _, octets = (self.folder / name).read_bytes().partition(b"\n")
        fields = json.loads(line)
        return Kept(fields["sender"], tuple(fields["to"]), octets, fields["key"])

    def remove(self, name: str) -> None:
        """Forget one that was taken."""
        (self.folder / name).unlink(missing_ok=True)

    def lay_aside(self, name: str) -> None:
        """Keep one that was refused for good, but try it no more."""
        (self.folder / name).rename(self.folder / f"{name}{ASIDE}")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
