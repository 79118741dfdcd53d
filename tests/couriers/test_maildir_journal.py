"""The journal: what was answered is in its mailbox after any crash, once."""

import errno
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mailnode.couriers import maildir_journal, maildir_segment
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_journal import FOLDER, RECORD_LIMIT, Journal
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_outcome import DELIVERED, NO_SPACE, TROUBLE
from mailnode.couriers.maildir_quota import Limit
from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_writer import MaildirWriter
from tests.kit.deliveries import address, leftovers, messages, request_for
from tests.kit.journals import JournalBench

CALLS = ("open", "write", "pwrite", "fsync", "rename", "mkdir", "close", "fstat", "readlink")
NAMES = ("ann", "bob", "eve")
POWER: tuple[Callable[[JournalBench], object], ...] = (
    lambda bench: None,
    lambda bench: bench.disk.fail_power(),
    lambda bench: bench.disk.fail_power(leaves_names=True),
)
"""What else happens when a process ends: nothing, or a power cut of one kind or the other."""


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JournalBench:
    """Make a mail root with three mailboxes on a disk that forgets."""
    made = JournalBench(tmp_path / "mail")
    furnish(made.root)
    made.disk.watch(monkeypatch)
    return made


def furnish(root: Path) -> None:
    """Make the mailboxes."""
    for name in NAMES:
        for folder in ("cur", "new", "tmp"):
            (root / "example.org" / name / folder).mkdir(parents=True)


def writer(bench: JournalBench, journal: Journal) -> MaildirWriter:
    """Make a writer with this journal."""
    names = UniqueNames("mx.example.org", bench.clock, bench.random)
    return MaildirWriter(str(bench.root), names, Limit(), bench.clock, journal=journal)


def batch(*texts: bytes) -> list[Delivery]:
    """Make a batch: each text to ann and bob."""
    requests = [request_for(address("ann"), address("bob"), content=b"X: y\r\n\r\n" + text) for text in texts]
    return [
        Delivery(request, recipient, original)
        for request in requests
        for original in [Original(request.message.content, is_unix=True)]
        for recipient in request.message.envelope.recipients
    ]


def bodies(bench: JournalBench) -> Counter[tuple[str, bytes]]:
    """Count the bodies in the mailboxes."""
    return Counter((path.parts[-3], path.read_bytes().partition(b"\n\n")[2]) for path in bench.disk.files())


def both(*texts: bytes) -> Counter[tuple[str, bytes]]:
    """Give what ``bodies`` finds when these texts lie once in ann's and bob's mailbox."""
    return Counter((name, text) for text in texts for name in ("ann", "bob"))


@pytest.mark.parametrize("power", POWER)
def test_what_was_answered_outlives_a_crash(bench: JournalBench, power: Callable[[JournalBench], object]) -> None:
    """Without a single sync of a mailbox, each message is there once after the next start, durable; no sync was waited for."""
    journal = bench.opened()
    deliveries = [batch(b"one", b"two"), batch(b"three")]
    for one in deliveries:
        writer(bench, journal).write(one)
        assert {d.outcome for d in one} == {DELIVERED}
    assert bench.disk.syncs == 1  # that of the start
    bench.crashed(journal)
    power(bench)
    again = bench.opened()
    assert bodies(bench) == both(b"one", b"two", b"three")
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one", b"two", b"three")
    bench.crashed(again)
    bench.opened().close()
    assert bodies(bench) == both(b"one", b"two", b"three")


@pytest.mark.parametrize("power", POWER)
def test_a_process_may_die_anywhere(tmp_path: Path, power: Callable[[JournalBench], object]) -> None:
    """Whichever system call is the last: what was answered is there once, and of the rest nothing is there in parts."""
    at = 0
    was_killed = True
    while was_killed:
        at += 1
        bench = JournalBench(tmp_path / str(at), limit=1)  # so that nothing else happens meanwhile
        furnish(bench.root)
        journal = bench.opened()
        with pytest.MonkeyPatch.context() as patch:
            bench.disk.watch(patch)
            writer(bench, journal).write(batch(b"one"))
            was_killed = dies_at(at, patch, lambda: writer(bench, journal).write(batch(b"two", b"three")))  # noqa: B023 - called at once
        bench.crashed(journal)
        power(bench)
        bench.opened().close()
        found = bodies(bench)
        assert both(b"one") <= found <= both(b"one", b"two", b"three"), f"call {at}"
        if not was_killed:
            assert found == both(b"one", b"two", b"three")
    assert at > 20


def dies_at(at: int, patch: pytest.MonkeyPatch, work: Callable[[], None]) -> bool:
    """Do ``work`` up to a system call; tell whether it came so far."""
    count = 0

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count >= at:
                raise Killed
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        patch.setattr(os, name, wrapped(getattr(os, name)))
    patch.setattr(maildir_segment, "_sync_data", wrapped(maildir_segment._sync_data))
    try:
        work()
    except Killed:
        return True
    finally:
        patch.undo()
    return False


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_every_step_may_fail(tmp_path: Path, error: int) -> None:
    """Whichever system call fails: what is delivered all the same lasts, what is not has no file anywhere."""
    expected = NO_SPACE if error == errno.ENOSPC else TROUBLE
    at = 0
    has_failed = True
    while has_failed:
        at += 1
        bench = JournalBench(tmp_path / str(at), limit=1)  # so that nothing else happens meanwhile
        furnish(bench.root)
        journal = bench.opened()
        deliveries = batch(b"one", b"two")
        with pytest.MonkeyPatch.context() as patch:
            bench.disk.watch(patch)
            has_failed = fails_at(at, error, patch, lambda: writer(bench, journal).write(deliveries))  # noqa: B023 - called at once
        outcomes = Counter(d.outcome for d in deliveries)
        assert set(outcomes) <= {DELIVERED, expected}, f"call {at}"
        assert len(leftovers(bench.root)) == outcomes[DELIVERED], f"call {at}"
        assert all(d.descriptor == -1 for d in deliveries)
        bench.crashed(journal)
        bench.disk.fail_power()
        bench.opened().close()
        promised = Counter(d.path for d in deliveries if d.outcome == DELIVERED)
        assert promised <= Counter(map(str, bench.disk.files())), f"call {at}"
    assert at > 15


def fails_at(at: int, error: int, patch: pytest.MonkeyPatch, work: Callable[[], None]) -> bool:
    """Do ``work`` with one system call failing; tell whether it came so far."""
    count = 0

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == at:
                if call.__name__ == "close":
                    call(*args, **kwargs)
                raise OSError(error, os.strerror(error))
            return call(*args, **kwargs)

        return counted

    for name in ("open", "write", "pwrite", "fsync", "rename", "close", "fstat"):
        patch.setattr(os, name, wrapped(getattr(os, name)))
    patch.setattr(maildir_segment, "_sync_data", wrapped(maildir_segment._sync_data))
    try:
        work()
    finally:
        patch.undo()
    return count >= at


def test_the_records_are_durable_before_a_name_is_given(bench: JournalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No reader sees a message that a crash could take or cut off."""
    bench.limit = 1
    journal = bench.opened()
    seen: list[list[Path]] = []
    sync_data = maildir_segment._sync_data

    def watched(descriptor: int) -> None:
        seen.append(bench.disk.files())
        sync_data(descriptor)

    monkeypatch.setattr(maildir_segment, "_sync_data", watched)
    writer(bench, journal).write(batch(b"one"))
    assert seen == [[]]
    assert bodies(bench) == both(b"one")
    journal.close()


def test_closing_makes_all_durable_and_leaves_nothing_to_recover(bench: JournalBench) -> None:
    """After a clean end what the owner deletes stays deleted."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one", b"two"))
    journal.close()
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one", b"two")
    for path in bench.disk.files():
        path.unlink()
    bench.opened().close()
    assert bodies(bench) == both()
    assert bench.said == []


def test_an_idle_journal_is_checkpointed(bench: JournalBench) -> None:
    """Some time after the last message all is durable without a further one."""
    bench.age = 0.01
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    opened = journal._open
    assert opened is not None
    with opened.pool._changed:
        assert opened.pool._changed.wait_for(lambda: opened.pool._current is None, 20)
    opened.pool.close()
    opened.checkpoints.join()
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one")
    journal.close()


def test_segments_are_used_again_and_again(bench: JournalBench) -> None:
    """Much more mail than the journal holds goes through it; after a crash in the middle each message is there once."""
    bench.limit = 2
    journal = bench.opened()
    texts = [b"%d" % number for number in range(100)]
    for text in texts:
        deliveries = batch(text)
        writer(bench, journal).write(deliveries)
        assert {d.outcome for d in deliveries} == {DELIVERED}
    bench.crashed(journal)
    bench.disk.fail_power()
    bench.opened().close()
    assert bodies(bench) == both(*texts)
    assert len(list((bench.root / FOLDER / "node").glob("*.segment"))) <= 2


def test_without_room_the_long_way_is_taken(bench: JournalBench) -> None:
    """A journal that may have no segment, and content too large for it, cost no message its durability."""
    bench.limit = 0
    journal = bench.opened()
    deliveries = batch(b"one", b"x" * RECORD_LIMIT)
    writer(bench, journal).write(deliveries)
    assert {d.outcome for d in deliveries} == {DELIVERED}
    assert not any(d.is_kept for d in deliveries)
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one", b"x" * RECORD_LIMIT)
    journal.close()


def test_large_and_small_go_together(bench: JournalBench) -> None:
    """In one batch the small ones are kept, the large ones synced; all last."""
    journal = bench.opened()
    deliveries = batch(b"one", b"x" * RECORD_LIMIT)
    writer(bench, journal).write(deliveries)
    assert [d.is_kept for d in deliveries] == [True, True, False, False]
    bench.crashed(journal)
    bench.disk.fail_power()
    bench.opened().close()
    assert bodies(bench) == both(b"one", b"x" * RECORD_LIMIT)


def test_a_mailbox_on_another_disk_takes_the_long_way(bench: JournalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the journal's syncfs would not reach is not entrusted to it."""
    journal = bench.opened()
    device = journal.device()
    assert device is not None
    monkeypatch.setattr(journal, "device", lambda: device + 1)
    deliveries = batch(b"one")
    writer(bench, journal).write(deliveries)
    assert not any(d.is_kept for d in deliveries)
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one")
    journal.close()


def test_the_first_batch_of_all_makes_no_journal(bench: JournalBench) -> None:
    """A process that delivers one message and ends leaves no journal behind; the second batch opens one."""
    journal = bench.journal()
    journal.recover()
    writer(bench, journal).write(batch(b"one"))
    assert not (bench.root / FOLDER).exists()
    writer(bench, journal).write(batch(b"two"))
    assert (bench.root / FOLDER).stat().st_mode & 0o777 == 0o700
    journal.close()
    assert bodies(bench) == both(b"one", b"two")


def test_a_living_process_keeps_its_journal(bench: JournalBench) -> None:
    """A second process of the same name is told once, and delivers the long way; one of another name touches nothing."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    for path in bench.disk.files():
        path.unlink()
    twin = bench.journal()
    for text in (b"two", b"three"):
        bench.clock.advance(10)
        writer(bench, twin).write(batch(text))
    assert len(bench.said) == 1
    other = bench.opened("worker-2")
    bench.disk.fail_power()
    assert bodies(bench) == both(b"two", b"three")
    other.close()
    journal.close()


def test_the_journal_of_a_dead_worker_is_brought_in(bench: JournalBench) -> None:
    """What a process left that never starts again comes back with whoever starts; its segments are taken away."""
    journal = bench.opened("worker-7")
    writer(bench, journal).write(batch(b"one"))
    bench.crashed(journal)
    bench.disk.fail_power()
    bench.opened().close()
    assert bodies(bench) == both(b"one")
    assert not list((bench.root / FOLDER / "worker-7").glob("*.segment"))
    assert bench.said == ["2 message(s) were brought back into their mailboxes after a crash"]


def test_an_unusable_folder_is_told_once(bench: JournalBench) -> None:
    """A file in the journal's place: mail goes the long way, with one line in the log; when it is mended, the journal is used."""
    (bench.root / FOLDER).mkdir()
    (bench.root / FOLDER / "node").write_bytes(b"")
    journal = bench.journal()
    for text in (b"one", b"two"):
        writer(bench, journal).write(batch(text))
        bench.clock.advance(10)
    assert len(bench.said) == 1
    (bench.root / FOLDER / "node").unlink()
    assert journal.device() is not None
    journal.close()
    assert bodies(bench) == both(b"one", b"two")


def test_without_an_honest_syncfs_there_is_no_journal(bench: JournalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where errors would go unheard every message is synced for itself."""
    monkeypatch.setattr(maildir_journal, "is_supported", lambda: False)
    said: list[str] = []
    journal = Journal(
        str(bench.root), owner="node", clock=bench.clock, random=Random(1), tell=lambda text, _: said.append(text)
    )
    for text in (b"one", b"two", b"three"):
        writer(bench, journal).write(batch(text))
    assert len(said) == 1
    bench.disk.fail_power()
    assert bodies(bench) == both(b"one", b"two", b"three")
    journal.close()


def test_a_full_disk_at_the_start_is_got_over(bench: JournalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be put back now is put back later, once: what its owner deletes meanwhile stays away."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    bench.crashed(journal)
    bench.disk.fail_power()
    again = bench.journal()
    rename = os.rename
    with monkeypatch.context() as patch:

        def full(path: str, to: str) -> None:
            if "/ann/" in to:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rename(path, to)

        patch.setattr(os, "rename", full)
        again.recover()
    assert [name for name, _ in bodies(bench)] == ["bob"]
    bench.disk.files()[0].unlink()
    bench.clock.advance(10)
    again.recover()
    assert [name for name, _ in bodies(bench)] == ["ann"]
    again.close()


def test_one_that_cannot_be_put_back_stays_in_the_journal(bench: JournalBench) -> None:
    """A mailbox that cannot be written keeps its segment for the next start; all others are served, and told."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    bench.crashed(journal)
    bench.disk.fail_power()
    ann = bench.root / "example.org" / "ann"
    ann.rename(bench.root / "away")
    ann.write_bytes(b"")
    bench.opened().close()
    assert [name for name, _ in bodies(bench)] == ["bob"]
    assert any("cannot be put back" in line for line in bench.said)
    ann.unlink()
    (bench.root / "away").rename(ann)
    bench.opened().close()
    assert bodies(bench) == both(b"one")
    assert len(messages(ann)) == 1


def test_a_start_that_cannot_sync_writes_all_anew(bench: JournalBench) -> None:
    """A disk that lost something says so once; the next try does not take memory's word for it."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    bench.crashed(journal)
    inodes = {path.stat().st_ino for path in bench.disk.files()}
    for path in bench.disk.files():
        os.link(path, bench.root / f"{path.parts[-3]}.old")  # so that no other file gets its inode
    bench.disk.errors.append(OSError(errno.EIO, "lost"))
    again = bench.journal()
    again.recover()
    assert {path.stat().st_ino for path in bench.disk.files()} == inodes
    bench.clock.advance(10)
    again.recover()
    assert not {path.stat().st_ino for path in bench.disk.files()} & inodes
    assert bodies(bench) == both(b"one")
    again.close()


def test_segments_that_are_not_whole_are_read_and_removed(bench: JournalBench) -> None:
    """A segment with a damaged header, or a leftover that never was one, is no obstacle."""
    journal = bench.opened()
    writer(bench, journal).write(batch(b"one"))
    bench.crashed(journal)
    bench.disk.fail_power()
    folder = bench.root / FOLDER / "node"
    with (folder / "1.segment").open("r+b") as file:
        file.write(b"????")
    (folder / "7.segment").write_bytes(b"")
    bench.opened().close()
    assert bodies(bench) == both(b"one")
    assert not (folder / "7.segment").exists()


def test_a_closed_journal_stays_closed(bench: JournalBench) -> None:
    """After the end nothing is kept, and nothing is opened again."""
    journal = bench.opened()
    journal.close()
    journal.close()
    assert journal.keep([Record("example.org/ann", "1", b"")]) is None
    assert journal.device() is None
