"""Recovery of files: what no message owns goes, what may be somebody's stays."""

import os
from pathlib import Path

from attrs import evolve

from mailnode.mail.content import Content
from mailnode.spool.contents import GRACE, name_of, queue_id_of
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import START, new_entry
from tests.kit.threads import ThreadClock


def lay(folder: Path, name: str, written: float = START - 60) -> Path:
    """Put a file there."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    os.utime(path, (written, written))
    return path


def test_strangers_go_and_the_spools_own_stay(tmp_path: Path) -> None:
    """A start removes old files without a message; a message's own, and what is written since, stay."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    entry = new_entry("q1")
    path = lay(tmp_path, "incoming/mine")
    kept = clock.now(
        spool.accept(evolve(entry, message=evolve(entry.message, content=Content(b"", path, 100))), due=START)
    )
    clock.now(spool.close())
    strangers = [lay(tmp_path, name) for name in (name_of("q2"), "content/00/odd", "incoming/a")]
    fresh = lay(tmp_path, "incoming/fresh", START + 1)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    assert clock.now(spool.recover()) == 1
    assert not any(stranger.exists() for stranger in strangers)
    assert fresh.exists()
    assert kept.message.content.path is not None
    assert kept.message.content.path.exists()
    clock.now(spool.close())


def test_with_others_at_work_only_what_is_very_old_goes(tmp_path: Path) -> None:
    """While another process has the spool open, its files on their way to a commit are left alone."""
    clock = ThreadClock(START)
    other = SqliteSpool(tmp_path, owner="two", reactor=clock)
    clock.now(other.recover())
    recent, old = lay(tmp_path, "incoming/a"), lay(tmp_path, "incoming/b", START - GRACE - 60)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    clock.now(spool.recover())
    assert recent.exists()
    assert not old.exists()
    clock.now(other.close())
    clock.now(spool.recover())
    assert not recent.exists()
    clock.now(spool.close())


def test_a_name_for_any_queue_id() -> None:
    """Whatever the queue id, its file lies in a shard beneath content/, and the name tells the queue id again."""
    for queue_id in ("Q1", "../../etc/passwd", "..", "a b\x00", "jürgen"):
        name = name_of(queue_id)
        assert name.count("/") == 2
        assert name.startswith("content/")
        assert ".." not in name.split("/")
        assert queue_id_of(name) == queue_id


def test_one_file_for_two_messages(tmp_path: Path) -> None:
    """A message made of another's content gets a name of its own for it and outlives it."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    entry = new_entry("q1")
    content = Content(b"", lay(tmp_path, "incoming/mine"), 100)
    first = clock.now(spool.accept(evolve(entry, message=evolve(entry.message, content=content)), due=START))
    entry = new_entry("q2")
    content = first.message.content.with_head(b"Resent-From: x\r\n")
    second = clock.now(spool.accept(evolve(entry, message=evolve(entry.message, content=content)), due=START))
    assert first.message.content.read() == b"x" * 100
    first_path, second_path = first.message.content.path, second.message.content.path
    assert first_path is not None
    assert second_path is not None
    first_path.unlink()
    assert second.message.content.read() == b"Resent-From: x\r\n" + b"x" * 100
    clock.now(spool.close())
