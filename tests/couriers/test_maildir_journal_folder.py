"""The folder of a journal."""

import errno
from pathlib import Path
from random import Random

import pytest

from mailnode.couriers.maildir_journal_folder import JournalFolder
from mailnode.couriers.maildir_record import BLOCK


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    """A second one is refused at once; after the first has gone it is let in."""
    folder = JournalFolder(str(tmp_path))
    with pytest.raises(BlockingIOError):
        JournalFolder(str(tmp_path))
    folder.close()
    JournalFolder(str(tmp_path)).close()


def test_segments_are_numbered(tmp_path: Path) -> None:
    """A new one takes the first free number; other files are none."""
    folder = JournalFolder(str(tmp_path))
    for _ in range(2):
        folder.create(2 * BLOCK, Random(1)).close()
    (tmp_path / "1.segment").unlink()
    folder.create(2 * BLOCK, Random(1)).close()
    assert folder.paths() == [str(tmp_path / "1.segment"), str(tmp_path / "2.segment")]
    folder.close()


def test_a_nearly_full_disk_is_left_to_the_mail(tmp_path: Path) -> None:
    """Where the journal would take what little room there is, it takes none."""
    folder = JournalFolder(str(tmp_path))
    with pytest.raises(OSError, match="No space") as raised:
        folder.create(1 << 50, Random(1))
    assert raised.value.errno == errno.ENOSPC
    assert not folder.paths()
    folder.close()
