"""The quota of Maildir++."""

import errno
import os
from pathlib import Path

import pytest

from mailnode.couriers import maildir_quota
from mailnode.couriers.maildir_quota import Limit, Usage, charge, has_room

NONE = Limit()
NOW = 1_700_000_000.0


@pytest.fixture
def mailbox(tmp_path: Path) -> Path:
    """Give a mailbox with three messages that count 100, 20 and 3 octets, and others that do not count."""
    for folder in ("tmp", "new", "cur", ".Sent/cur", ".Sent/new", ".Trash/cur", ".Empty"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "new" / "1.host,S=100").write_bytes(b"")
    (tmp_path / "cur" / "2.host,S=20:2,S").write_bytes(b"")
    (tmp_path / ".Sent" / "cur" / "3.host:2,").write_bytes(b"xyz")
    (tmp_path / "cur" / "4.host,S=5000:2,ST").write_bytes(b"")
    (tmp_path / ".Trash" / "cur" / "5.host,S=5000:2,").write_bytes(b"")
    return tmp_path


def room(mailbox: Path, limit: Limit, octets: int, messages: int = 1) -> bool:
    """Ask for room."""
    return has_room(str(mailbox), limit, Usage(octets, messages), now=NOW, temporary="unique")


def note(mailbox: Path, text: str, age: float = 0.0) -> None:
    """Write ``maildirsize`` as of some seconds ago."""
    (mailbox / "maildirsize").write_text(text)
    os.utime(mailbox / "maildirsize", (NOW - age, NOW - age))


def noted(mailbox: Path) -> str:
    """Read ``maildirsize``."""
    return (mailbox / "maildirsize").read_text()


def test_without_a_limit_there_is_room_and_no_file(mailbox: Path) -> None:
    """No setting and no file: nothing is counted, nothing is written."""
    assert room(mailbox, NONE, 10**12)
    charge(str(mailbox), Usage(5, 1))
    assert not (mailbox / "maildirsize").exists()


def test_a_missing_file_is_made_by_counting(mailbox: Path) -> None:
    """With a limit and no file, all folders but Trash are counted, without what is marked deleted."""
    assert room(mailbox, Limit(octets=130), 7)
    assert noted(mailbox) == "130S\n123 3\n"
    assert not list((mailbox / "tmp").iterdir())


def test_the_limit_is_met_exactly(mailbox: Path) -> None:
    """The last octet that fits is taken, one more is not; so it is with messages."""
    assert room(mailbox, Limit(octets=130), 7)
    assert not room(mailbox, Limit(octets=130), 8)
    assert room(mailbox, Limit(messages=4), 1)
    assert not room(mailbox, Limit(messages=3), 1)
    assert noted(mailbox).startswith("3C\n")


def test_an_existing_file_brings_its_own_limit(mailbox: Path) -> None:
    """Without a setting the first line of the file is the limit."""
    note(mailbox, "130S,10C\n100 2\n20 1\n3 0\n")
    assert room(mailbox, NONE, 7)
    assert not room(mailbox, NONE, 8)


def test_a_setting_replaces_another_limit(mailbox: Path) -> None:
    """A file for another limit is written anew."""
    note(mailbox, "9S\n1 1\n")
    assert room(mailbox, Limit(octets=1000, messages=7), 1)
    assert noted(mailbox) == "1000S,7C\n123 3\n"


def test_deliveries_are_added_as_lines(mailbox: Path) -> None:
    """A delivery appends a line; the sum counts, deletions by other programs too."""
    note(mailbox, "1000S\n123 3\n")
    charge(str(mailbox), Usage(800, 1))
    assert noted(mailbox) == "1000S\n123 3\n800 1\n"
    note(mailbox, noted(mailbox) + "-900 -2\n")
    assert room(mailbox, NONE, 900)


def test_a_sum_that_is_over_is_counted_before_a_refusal(mailbox: Path) -> None:
    """When the noted sum is over the limit the mailbox decides, and the file is put right."""
    note(mailbox, "1000S\n800 3\n190 1\n")
    assert room(mailbox, NONE, 100)
    assert noted(mailbox) == "1000S\n123 3\n"


def test_a_fresh_count_is_not_repeated(mailbox: Path) -> None:
    """A file of one line is believed for 15 minutes, so that a full mailbox costs little; then it is counted again."""
    note(mailbox, "1000S\n990 3\n", age=899)
    assert not room(mailbox, NONE, 100)
    note(mailbox, "1000S\n990 3\n", age=901)
    assert room(mailbox, NONE, 100)


@pytest.mark.parametrize(
    "text", ["1000S\n", "1000S\nrubbish\n", "1000S\n12\n", "1000S\n1 2 3\n", "1000S\n" + "1 0\n" * 2000]
)
def test_a_file_that_cannot_be_trusted_is_written_anew(mailbox: Path, text: str) -> None:
    """Empty, damaged and overlong files are replaced; their limit still holds."""
    note(mailbox, text)
    assert room(mailbox, NONE, 100)
    assert noted(mailbox) == "1000S\n123 3\n"


def test_a_file_without_a_limit_limits_nothing(mailbox: Path) -> None:
    """An empty first line is no limit."""
    note(mailbox, "")
    assert room(mailbox, NONE, 10**12)
    assert noted(mailbox) == ""


def test_no_file_is_left_when_mail_came_during_the_count(mailbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a folder changed while it was counted the result is used once and not kept."""
    stamps = iter([[1], [2]])
    monkeypatch.setattr(maildir_quota, "_stamps", lambda folder: next(stamps))
    assert room(mailbox, Limit(octets=1000), 1)
    assert not (mailbox / "maildirsize").exists()


def test_a_full_disk_leaves_nothing_behind(mailbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file cannot be written its temporary name is gone and the error is told."""

    def full(descriptor: int, octets: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        room(mailbox, Limit(octets=1000), 1)
    assert not list((mailbox / "tmp").iterdir())
    assert not (mailbox / "maildirsize").exists()
