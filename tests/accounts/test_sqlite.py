"""The directory on disk keeps the contract, sees what other processes change, and guards its file."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailnode.accounts import sqlite
from mailnode.accounts.schema import WrongSchema
from mailnode.accounts.sqlite import SqliteDirectory
from tests.contracts.directory import ANN, BOB, EVE, DirectoryContract
from tests.kit.results import InlineDisk, now


class CountingDisk(InlineDisk):
    """Counts the works that went to a thread."""

    count = 0

    async def run(self, work: Callable[[], Any]) -> Any:
        """Count and run."""
        self.count += 1
        return await super().run(work)


@pytest.fixture
def disk() -> CountingDisk:
    """Give a disk that counts."""
    return CountingDisk()


@pytest.fixture
def directory(tmp_path: Path, disk: CountingDisk) -> Iterator[SqliteDirectory]:
    """Give an empty directory in a folder that does not exist yet."""
    made = SqliteDirectory(tmp_path / "data" / "accounts.db", disk)
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path, directory: SqliteDirectory) -> Iterator[SqliteDirectory]:
    """Open the same file, as another process has it open."""
    made = SqliteDirectory(tmp_path / "data" / "accounts.db", InlineDisk())
    yield made
    made.close()


class TestSqliteDirectory(DirectoryContract):
    """The contract, on disk."""


def test_a_change_by_another_process_is_seen_at_once(directory: SqliteDirectory, other: SqliteDirectory) -> None:
    """Positive and negative answers that were kept are forgotten when the file changes."""
    now(directory.add(BOB))
    assert (now(directory.find(ANN)), now(directory.find(BOB))) == (False, True)
    now(other.add(ANN))
    now(other.remove(BOB))
    assert (now(directory.find(ANN)), now(directory.find(BOB))) == (True, False)


def test_a_second_question_needs_no_thread(directory: SqliteDirectory, disk: CountingDisk) -> None:
    """An answer is kept in memory, also a negative one."""
    now(directory.add(ANN))
    before = disk.count
    for _ in range(3):
        assert now(directory.find(ANN))
        assert not now(directory.find(BOB))
    assert disk.count == before + 2


def test_kept_answers_are_bounded(
    directory: SqliteDirectory, disk: CountingDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the bound all answers are forgotten and asked again."""
    monkeypatch.setattr(sqlite, "ANSWERS", 1)
    for mailbox in (ANN, BOB, EVE, ANN):
        assert not now(directory.find(mailbox))
    assert disk.count == 4
    assert len(directory._answers) <= 2


def test_a_writer_in_the_middle_of_its_commit_does_not_stop_lookups(directory: SqliteDirectory, tmp_path: Path) -> None:
    """While another process holds the file exclusively, what is known is answered from memory."""
    now(directory.add(ANN))
    assert now(directory.find(ANN))
    writer = sqlite3.connect(tmp_path / "data" / "accounts.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert now(directory.find(ANN))
    writer.execute("ROLLBACK")
    writer.close()


def test_accounts_outlive_the_process(tmp_path: Path) -> None:
    """What was added is there when the file is opened again."""
    path = tmp_path / "accounts.db"
    first = SqliteDirectory(path, InlineDisk())
    now(first.add(ANN))
    first.close()
    second = SqliteDirectory(path, InlineDisk())
    assert now(second.find(ANN))
    second.close()


def test_only_the_owner_may_read_the_file(tmp_path: Path, directory: SqliteDirectory) -> None:
    """The file will hold passwords, so its mode is 0600 from the start, and its folder's 0700."""
    assert (tmp_path / "data" / "accounts.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_each_account_knows_when_it_was_made(tmp_path: Path, directory: SqliteDirectory) -> None:
    """The row holds the moment of creation in seconds since the epoch."""
    now(directory.add(ANN))
    with sqlite3.connect(tmp_path / "data" / "accounts.db") as database:
        (created,) = database.execute("SELECT created FROM account").fetchone()
    database.close()
    assert created > 1_700_000_000


def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    """A schema from the future is refused with both versions named."""
    path = tmp_path / "accounts.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 7")
    database.close()
    with pytest.raises(WrongSchema, match="version 7; this program understands version 2"):
        SqliteDirectory(path, InlineDisk())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Something else under that name is named and left alone."""
    path = tmp_path / "accounts.db"
    path.write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(WrongSchema, match="no accounts file"):
        SqliteDirectory(path, InlineDisk())
    assert path.read_bytes().startswith(b"not a database")
