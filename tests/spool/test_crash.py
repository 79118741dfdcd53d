"""Whatever the moment of a crash or of a fault: what was acknowledged is there, and nothing is there by half."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define, evolve

from mailnode.interfaces import Selection, Settlement, Spool, SpoolTrouble
from mailnode.mail.content import Content
from mailnode.mail.message import Entry, NewEntry
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import ANN, NORTH, SENDER, SOUTH, START, new_entry
from tests.kit.faults import Fuse, FusedFiles, fused_connect
from tests.kit.threads import ThreadClock

LARGE = b"large " * 20_000


def large_entry(folder: Path, queue_id: str) -> NewEntry:
    """Make an entry whose content reception has left in a file."""
    path = folder / "incoming" / queue_id
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(LARGE)
    entry = new_entry(queue_id, (ANN, NORTH), (SENDER, SOUTH))
    return evolve(entry, message=evolve(entry.message, content=Content(b"Received: \r\n", path, len(LARGE))))


@define
class Story:
    """A little life of a spool, and what of it was acknowledged."""

    folder: Path
    fuse: Fuse
    patient: bool = False
    """Try a step again that has failed."""
    clock: ThreadClock = Factory(lambda: ThreadClock(START))
    there: set[str] = Factory(set)
    gone: set[str] = Factory(set)
    tries: int = 0

    def run(self) -> None:
        """Live it until the fuse stops it."""
        spool = SqliteSpool(
            self.folder, owner="one", reactor=self.clock, connect=fused_connect(self.fuse), files=FusedFiles(self.fuse)
        )
        try:
            self._live(spool)
        except SpoolTrouble:
            assert not self.patient
        finally:
            self.clock.now(spool.close())

    def _live(self, spool: Spool) -> None:
        self._step(spool.recover)
        small = self._accept(spool, new_entry)
        large = self._accept(spool, lambda queue_id: large_entry(self.folder, queue_id))
        self._accept(spool, lambda queue_id: new_entry(queue_id, (ANN, SOUTH), (SENDER, NORTH)))
        self._step(lambda: spool.claim(now=START, lease_until=START + 60, limit=9, per_lane=9, full=()))
        self._settle(spool, small, [])
        self._settle(spool, large, [large_entry(self.folder, f"notice{self.tries}")])

    def _step(self, start: Any) -> Any:
        self.tries += 1
        try:
            return self.clock.now(start())
        except SpoolTrouble:
            if not self.patient:
                raise
            self.tries += 1
            return self.clock.now(start())

    def _accept(self, spool: Spool, make: Any) -> Entry:
        def start() -> Any:
            entry = make(f"q{self.tries}")
            return spool.accept(entry, due=START)

        entry: Entry = self._step(start)
        self.there.add(entry.message.queue_id)
        return entry

    def _settle(self, spool: Spool, entry: Entry, notices: list[NewEntry]) -> None:
        settlements = [Settlement(one.key, done=True) for one in entry.recipients]
        queue_id = entry.message.queue_id
        self.there.discard(queue_id)
        self._step(lambda: spool.settle(settlements, [(notice, START) for notice in notices]))
        self.gone.add(queue_id)
        self.there.update(notice.message.queue_id for notice in notices)

    def check(self) -> None:
        """Start again on a healthy disk and compare."""
        spool = SqliteSpool(self.folder, owner="one", reactor=self.clock)
        try:
            self.clock.now(spool.recover())
            entries = self.clock.now(spool.claim(now=START + 1, lease_until=START + 60, limit=99, per_lane=99, full=()))
            found = {entry.message.queue_id: entry for entry in entries}
            assert self.there <= set(found)
            assert not self.gone & set(found)
            for queue_id, entry in found.items():
                octets = entry.message.content.read()
                assert octets in (b"Subject: x\r\n\r\nhello\r\n", b"Received: \r\n" + LARGE), queue_id
                assert octets.startswith(b"Subject") or len(entry.recipients) == 2
            files = {path for path in (self.folder / "content").rglob("*") if path.is_file()}
            assert files == {entry.message.content.path for entry in entries if entry.message.content.path}
            assert not list((self.folder / "incoming").glob("*"))
        finally:
            self.clock.now(spool.close())


def test_a_crash_after_any_operation(tmp_path: Path) -> None:
    """Stopped for good after its n-th operation, for all n, the spool keeps what it acknowledged and nothing by half."""
    for count in range(1000):
        story = Story(tmp_path / str(count), Fuse(count))
        story.run()
        story.check()
        if not story.fuse.blown:
            assert count > 50
            assert story.gone
            return
    pytest.fail("the story never ends")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_one_fault_in_any_operation(tmp_path: Path, code: int) -> None:
    """When only the n-th operation fails, for all n, a second try succeeds: the spool is well when its disk is."""
    for count in range(1000):
        story = Story(tmp_path / str(count), Fuse(count, once=True, code=code), patient=True)
        story.run()
        story.check()
        assert len(story.there) == 2
        if not story.fuse.blown:
            assert count > 50
            return
    pytest.fail("the story never ends")


def test_a_full_disk_is_told_apart(tmp_path: Path) -> None:
    """No room for a file of content is trouble that says so, and the file stays with whoever had it."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock, files=FusedFiles(Fuse(1, True, errno.ENOSPC)))
    entry = large_entry(tmp_path, "q1")
    with pytest.raises(SpoolTrouble) as trouble:
        clock.now(spool.accept(entry, due=START))
    assert trouble.value.is_full
    kept = clock.now(spool.accept(entry, due=START))
    assert kept.message.content.read() == b"Received: \r\n" + LARGE
    clock.now(spool.close())


def killed_rounds(folder: Path, rounds: int) -> int:
    """Let a process accept and settle, kill it in the middle, compare; give how many messages were acknowledged."""
    acknowledged = 0
    for number in range(rounds):
        data = folder / str(number)
        command = [sys.executable, "-m", "tests.kit.spool_load", str(data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
            assert process.stdout is not None
            octets = b""
            while octets.count(b"\n") < 300 + 211 * (number % 7):
                octets += os.read(process.stdout.fileno(), 4096)
            process.send_signal(signal.SIGKILL)
            octets += process.stdout.read()
        words = [line.split() for line in octets.decode().rpartition("\n")[0].split("\n")]
        accepted = {queue_id for sign, queue_id in words if sign == "accepted"}
        started = {queue_id for sign, queue_id in words if sign == "settles"}
        settled = {queue_id for sign, queue_id in words if sign == "settled"}
        found = contents_of(data)
        assert accepted - started <= set(found)
        assert not settled & set(found)
        acknowledged += len(accepted)
        for queue_id, octets in found.items():
            assert octets.startswith(f"Subject: {queue_id}\r\n".encode())
            assert octets.endswith(b"end\r\n")
    return acknowledged


def contents_of(folder: Path) -> dict[str, bytes]:
    """Recover, and read every message in the spool."""
    clock = ThreadClock(START)
    spool = SqliteSpool(folder, owner="load", reactor=clock)
    waiting = clock.now(spool.recover())
    far = START + 1e9
    entries = clock.now(spool.claim(now=START, lease_until=far, limit=10**6, per_lane=10**6, full=()))
    assert sum(len(entry.recipients) for entry in entries) == waiting
    assert len(clock.now(spool.listing(Selection(), limit=10**6))) == len(entries)
    found = {entry.message.queue_id: entry.message.content.read() for entry in entries}
    clock.now(spool.close())
    return found


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """After SIGKILL under load, acknowledged minus found is nothing, and all that is found is whole."""
    assert killed_rounds(tmp_path, 3) > 200


@pytest.mark.slow
def test_a_process_killed_many_times_loses_nothing(tmp_path: Path) -> None:
    """The same for fifty rounds."""
    assert killed_rounds(tmp_path, 50) > 5000
