"""Tests of the data folder."""

import os
from pathlib import Path

import pytest

from mailnode.service.folder import LOCK, FolderLock, prepare, settle_in
from mailnode.service.trouble import StartFailed


def test_a_missing_folder_is_made_for_us_alone(tmp_path: Path) -> None:
    """It is open to nobody else, and so are the folders and databases in it."""
    folder = tmp_path / "a" / "data"
    prepare(folder, None, None)
    settle_in(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for inside in folder.iterdir():
        assert not inside.stat().st_mode & 0o077, inside


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_missing_folder_is_given_to_whom_the_process_becomes(tmp_path: Path) -> None:
    """Made by root, it belongs to the user of --uid."""
    prepare(tmp_path / "data", 65534, 65534)
    owner = (tmp_path / "data").stat()
    assert (owner.st_uid, owner.st_gid) == (65534, 65534)


def test_an_existing_folder_stays_as_it_is(tmp_path: Path) -> None:
    """What an administrator has made is not changed."""
    tmp_path.chmod(0o755)
    prepare(tmp_path, 65534, 65534)
    assert tmp_path.stat().st_uid == os.geteuid()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_a_failed_start(tmp_path: Path) -> None:
    """The reason is given."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StartFailed, match="Not a directory"):
        prepare(tmp_path / "file" / "data", None, None)


def test_what_was_never_accepted_is_dropped(tmp_path: Path) -> None:
    """Contents that a crash left half received are removed; mail is not."""
    settle_in(tmp_path)
    (tmp_path / "incoming" / "half").write_bytes(b"half a message")
    (tmp_path / "mail" / "whole").write_bytes(b"mail")
    settle_in(tmp_path)
    assert not list((tmp_path / "incoming").iterdir())
    assert (tmp_path / "mail" / "whole").exists()


def test_the_lock_is_for_one(tmp_path: Path) -> None:
    """A second one is told who holds it; after release it can be had again."""
    first = FolderLock(tmp_path)
    with pytest.raises(StartFailed, match=str(os.getpid())):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()


def test_the_names_of_new_folders_are_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder in which a name was made is synced, so that a power cut does not take the data folder away."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    folder = tmp_path / "a" / "data"
    prepare(folder, None, None)
    assert synced == [tmp_path.stat().st_ino, (tmp_path / "a").stat().st_ino]
    settle_in(folder)
    assert synced[2:] == [folder.stat().st_ino]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_has_made_before_the_first_start_is_handed_over(tmp_path: Path) -> None:
    """A data folder of root's goes to the user the node becomes, links untouched; a folder that is none of ours stays."""
    ours, other, outside = tmp_path / "ours", tmp_path / "other", tmp_path / "outside"
    outside.write_bytes(b"")
    for folder in (ours, other):
        (folder / "mail" / "new").mkdir(parents=True)
        (folder / "accounts.db").write_bytes(b"")
        (folder / "link").symlink_to(outside)
    (ours / LOCK).write_bytes(b"")
    prepare(ours, 4242, 4343)
    prepare(other, 4242, 4343)
    given = [ours, ours / "mail", ours / "mail" / "new", ours / "accounts.db", ours / "link", ours / LOCK]
    assert {(one.lstat().st_uid, one.lstat().st_gid) for one in given} == {(4242, 4343)}
    assert {one.lstat().st_uid for one in (other, other / "mail", outside)} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_handed_over_keeps_its_writers(tmp_path: Path) -> None:
    """A draft in the maildrop tells by its owner whose it is; only its group becomes the node's."""
    (tmp_path / LOCK).touch()
    (tmp_path / "public" / "maildrop").mkdir(parents=True)
    draft = tmp_path / "public" / "maildrop" / "draft"
    draft.touch()
    os.chown(draft, 4321, 4321)
    prepare(tmp_path, 65534, 65534)
    assert (draft.stat().st_uid, draft.stat().st_gid) == (4321, 65534)
    assert draft.parent.stat().st_uid == 65534
