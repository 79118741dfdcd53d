"""The outgoing folder: messages are kept as parts until a batch is closed, and a batch appears whole, durable, and once.

Everything blocks. A crash may come between any two steps:

1. ``.parts/KEY`` is a message, renamed into its name once it is durable. Writing it again changes nothing.
2. To close a batch its parts are renamed into ``.closing/NAME/``.
3. They are copied into ``NAME/whole``, which has that name once it is durable; only then are they removed.
4. ``NAME/whole`` is renamed to ``NAME`` in the outgoing folder, where the neighbour looks.

``finish`` goes on from wherever it was left: parts without a whole say that step 3 is to be done (again), parts beside one that they
are to be removed, a whole alone that step 4 is to be done, nothing at all that it has been.
"""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from attrs import frozen

from mailnode.shipped.programs.shelf import sync_folder
from mailnode.shipped.uucp.batch import BEHIND

BLOCK = 1 << 20


@frozen
class Waiting:
    """What a batch would hold if it were closed now."""

    names: tuple[str, ...] = ()
    """The parts, the oldest message first."""
    octets: int = 0
    oldest: float = 0.0
    """When the oldest message has come, seconds since the epoch."""


@frozen
class Parts:
    """The outgoing folder of one neighbour."""

    folder: Path
    before: bytes
    """How a batch begins."""
    compress: bool = False
    mode: int = 0o640

    @property
    def _parts(self) -> Path:
        return self.folder / ".parts"

    @property
    def _closing(self) -> Path:
        return self.folder / ".closing"

    def open(self) -> Sequence[str]:
        """Make the folders, finish what was begun, and give the keys of the parts that are there."""
        for folder in (self._parts, self._closing):
            folder.mkdir(parents=True, exist_ok=True)
        for batch in sorted(self._closing.iterdir()):
            self.finish(batch.name)
        for left in self._parts.glob(".*"):
            left.unlink(missing_ok=True)
        return [name.partition(".")[2] for name in self.waiting().names]

    def keep(self, arrived: float, key: str, octets: bytes) -> None:
        """Keep a message; it is durable when this returns."""
        name = f"{int(arrived * 1000):013d}.{key}"
        hidden = self._parts / f".{name}.{os.getpid()}"
        with hidden.open("wb") as file:
            file.write(octets)
            _make_durable(file)
        hidden.rename(self._parts / name)
        sync_folder(self._parts)

    def waiting(self) -> Waiting:
        """Look at the parts."""
        with os.scandir(self._parts) as entries:
            found = sorted((one.name, one.stat().st_size) for one in entries if not one.name.startswith("."))
        if not found:
            return Waiting()
        return Waiting(tuple(name for name, _ in found), sum(size for _, size in found), int(found[0][0][:13]) / 1000)

    def begin(self, names: Sequence[str], batch: str) -> None:
        """Put parts into a batch, which ``finish`` is to close."""
        folder = self._closing / batch
        folder.mkdir()
        for name in names:
            (self._parts / name).rename(folder / name)
        sync_folder(folder)
        sync_folder(self._closing)

    def finish(self, batch: str) -> None:
        """Close a batch, from wherever that was left."""
        folder = self._closing / batch
        whole = folder / "whole"
        parts = sorted(one for one in folder.iterdir() if one.name[:1].isdigit())
        if parts:
            if not whole.exists():  # else a crash came while they were removed
                self._write(folder / ".whole", parts)
                (folder / ".whole").rename(whole)
                sync_folder(folder)
            for part in parts:
                part.unlink()
            sync_folder(folder)
        if whole.exists():
            whole.rename(self.folder / batch)
            sync_folder(self.folder)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()

    def _write(self, path: Path, parts: Sequence[Path]) -> None:
        with path.open("wb") as file:
            target: Any = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if self.compress else file
            target.write(self.before)
            for part in parts:
                with part.open("rb") as source:
                    while block := source.read(BLOCK):
                        target.write(block)
            target.write(BEHIND)
            if target is not file:
                target.close()
            os.fchmod(file.fileno(), self.mode)
            _make_durable(file)


def _make_durable(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
