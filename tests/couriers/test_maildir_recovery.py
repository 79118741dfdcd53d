"""Putting messages back into their mailboxes."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_recovery import Restoration

NAME = "1700000000.M000001P1Q1_0.mx.example.org,S=7"
RECORD = Record("example.org/ann", NAME, b"for ann")


@pytest.fixture
def mailbox(tmp_path: Path) -> Path:
    """Make ann's mailbox."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "example.org" / "ann" / name).mkdir(parents=True)
    return tmp_path / "example.org" / "ann"


def files(root: Path) -> dict[str, bytes]:
    """Read every file."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_missing_message_is_written_again(tmp_path: Path, mailbox: Path) -> None:
    """It comes back under its own name, with the time it arrived, for its owner only."""
    restoration = Restoration(str(tmp_path))
    restoration.bring_back([RECORD])
    assert files(mailbox) == {f"new/{NAME}": b"for ann"}
    found = (mailbox / "new" / NAME).stat()
    assert found.st_mtime == 1_700_000_000
    assert found.st_mode & 0o777 == 0o600
    assert restoration.count == 1


@pytest.mark.parametrize("place", [f"new/{NAME}", f"cur/{NAME}:2,S", "cur/1700000000.M000001P1Q1_0.mx.example.org:2,"])
def test_a_message_in_its_place_is_left_alone(tmp_path: Path, mailbox: Path, place: str) -> None:
    """In new or cur, with any flags and without the size: it is there, and not written."""
    (mailbox / place).write_bytes(b"for ann")
    before = (mailbox / place).stat()
    restoration = Restoration(str(tmp_path))
    restoration.bring_back([RECORD])
    assert restoration.count == 0
    assert (mailbox / place).stat() == before
    assert len(files(mailbox)) == 1


@pytest.mark.parametrize("octets", [b"", b"for", b"\0" * 7, b"for ann and more"])
@pytest.mark.parametrize("place", [f"new/{NAME}", f"cur/{NAME}:2,RS"])
def test_a_damaged_message_is_mended_where_it_is(tmp_path: Path, mailbox: Path, place: str, octets: bytes) -> None:
    """A name whose octets a power cut took gets them back, flags and all."""
    (mailbox / place).write_bytes(octets)
    Restoration(str(tmp_path)).bring_back([RECORD])
    assert files(mailbox) == {place: b"for ann"}


def test_a_mailbox_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """A message whose mailbox did not last brings it back, whole."""
    restoration = Restoration(str(tmp_path / "mail"))
    restoration.bring_back([RECORD])
    assert not restoration.failures
    assert files(tmp_path / "mail") == {f"example.org/ann/new/{NAME}": b"for ann"}
    assert {p.name for p in (tmp_path / "mail" / "example.org" / "ann").iterdir()} == {"cur", "new", "tmp"}


@pytest.mark.parametrize(
    "record",
    [
        Record("../ann", NAME, b""),
        Record("example.org/..", NAME, b""),
        Record("example.org", NAME, b""),
        Record("example.org/ann/x", NAME, b""),
        Record(".journal/node", NAME, b""),
        Record("example.org/ann", "../../x", b""),
        Record("example.org/ann", ".x", b""),
    ],
)
def test_no_record_leads_out_of_the_mailboxes(tmp_path: Path, record: Record) -> None:
    """A folder or name that no delivery can have is refused, and the next record is served."""
    restoration = Restoration(str(tmp_path / "mail"))
    restoration.bring_back([record, RECORD])
    assert len(restoration.failures) == 1
    assert list(files(tmp_path)) == [f"mail/example.org/ann/new/{NAME}"]
    with pytest.raises(OSError, match="cannot be a file"):
        restoration.check()


def test_what_was_done_once_is_not_done_again(tmp_path: Path, mailbox: Path) -> None:
    """When a recovery must be repeated, what the owner has deleted since stays away."""
    done: set[tuple[str, str]] = set()
    Restoration(str(tmp_path), done).bring_back([RECORD])
    (mailbox / "new" / NAME).unlink()
    Restoration(str(tmp_path), done).bring_back([RECORD])
    assert files(mailbox) == {}


def test_renewing_writes_what_is_there_and_nothing_else(tmp_path: Path, mailbox: Path) -> None:
    """A file that looks well is a new file afterwards; one that is gone stays away."""
    (mailbox / "new" / NAME).write_bytes(b"for ann")
    before = (mailbox / "new" / NAME).stat().st_ino
    os.link(mailbox / "new" / NAME, tmp_path / "old")  # so that no other file gets its inode
    deleted = Record("example.org/ann", "2", b"deleted")
    restoration = Restoration(str(tmp_path))
    restoration.renew([RECORD, deleted])
    assert files(mailbox) == {f"new/{NAME}": b"for ann"}
    assert (mailbox / "new" / NAME).stat().st_ino != before


@pytest.mark.parametrize("name", ["rename", "utime"])
def test_a_failure_leaves_nothing_and_harms_no_other(
    tmp_path: Path, mailbox: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What cannot be put back is told, with no half file in tmp; the others come back."""
    call = getattr(os, name)

    def failing(path: str, *rest: Any) -> None:
        if NAME in path:
            raise OSError(errno.ENOSPC, "no space")
        call(path, *rest)

    monkeypatch.setattr(os, name, failing)
    restoration = Restoration(str(tmp_path))
    restoration.bring_back([RECORD, Record("example.org/ann", "2.x", b"2")])
    assert files(mailbox) == {"new/2.x": b"2"}
    with pytest.raises(OSError, match="no space"):
        restoration.check()
