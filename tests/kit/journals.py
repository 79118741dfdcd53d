"""Journals on a disk that forgets: what no sync has made durable can be taken away again, as a power cut does."""

import os
from pathlib import Path
from random import Random

import pytest
from attrs import Factory, define
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailnode.couriers.maildir_journal import FOLDER, Journal
from mailnode.couriers.maildir_record import BLOCK
from tests.kit.pump import PATIENCE

SMALL = 16 * BLOCK
"""Octets of a segment that is soon full."""


@define
class ForgetfulDisk:
    """The mailboxes below ``root`` as they would be after a power cut."""

    root: Path
    octets: dict[int, bytes] = Factory(dict)
    """What is durable of a file, by its inode."""
    names: set[tuple[Path, int]] = Factory(set)
    """The names that are durable, and of which inode."""
    syncs: int = 0
    errors: list[OSError] = Factory(list)
    """What the next syncs raise."""

    def sync(self, _descriptor: int) -> None:
        """Make all that is in the mailboxes durable, as syncfs does."""
        self.syncs += 1
        if self.errors:
            raise self.errors.pop(0)
        for path in self.files():
            self.octets[path.stat().st_ino] = path.read_bytes()
            self.names.add((path, path.stat().st_ino))

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Learn from each fsync what it makes durable."""
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            fsync(descriptor)
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if path.is_dir():
                self.names |= {(one, one.stat().st_ino) for one in path.iterdir()}
            else:
                self.octets[path.stat().st_ino] = path.read_bytes()

        monkeypatch.setattr(os, "fsync", watched)

    def files(self) -> list[Path]:
        """List the messages, in ``new`` and ``cur``."""
        return sorted(path for place in ("new", "cur") for path in self.root.glob(f"[!.]*/*/{place}/*"))

    def fail_power(self, *, leaves_names: bool = False) -> None:
        """Take away what was not durable; or only its octets, as file systems do that write names first."""
        for path in self.files():
            inode = path.stat().st_ino
            if (path, inode) in self.names or leaves_names:
                path.write_bytes(self.octets.get(inode, b""))
            else:
                path.unlink()


@define
class JournalBench:
    """Journals of one mail root, one life after the other, and all they said."""

    root: Path
    limit: int = 8
    size: int = SMALL
    age: float = 1000.0
    disk: ForgetfulDisk = Factory(lambda self: ForgetfulDisk(self.root), takes_self=True)
    said: list[str] = Factory(list)
    clock: Clock = Factory(Clock)
    random: Random = Factory(lambda: Random(1))

    def journal(self, owner: str = "node") -> Journal:
        """Make one that is not open yet."""
        return Journal(
            str(self.root), owner=owner, clock=self.clock, random=self.random, tell=self._tell, size=self.size,
            limit=self.limit, age=self.age, sync=self.disk.sync,
        )  # fmt: skip

    def opened(self, owner: str = "node") -> Journal:
        """Make one, open it, and wait until it has its first segment."""
        (self.root / FOLDER).mkdir(parents=True, exist_ok=True)
        journal = self.journal(owner)
        journal.recover()
        if self.limit:
            wait_for_segment(journal)
        return journal

    def crashed(self, journal: Journal) -> None:
        """End it as a crash does: nothing is checkpointed, nothing freed; its lock falls."""
        opened = journal._open
        assert opened is not None
        journal._open = None
        pool = opened.pool
        with pool._changed:
            segments = pool.segments()
            pool._free, pool._full, pool._current = [], [], None
        pool.close()
        opened.checkpoints.join()
        for segment in segments:
            segment.close()
        opened.folder.close()

    def _tell(self, text: str, failure: Failure | None) -> None:
        self.said.append(f"{text}: {failure.getErrorMessage()}" if failure else text)


def wait_for_segment(journal: Journal) -> None:
    """Wait until a segment is free or begun."""
    opened = journal._open
    assert opened is not None
    with opened.pool._changed:
        assert opened.pool._changed.wait_for(lambda: opened.pool._free or opened.pool._current, PATIENCE)
