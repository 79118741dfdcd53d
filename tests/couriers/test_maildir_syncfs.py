"""syncfs(2), and where it is not to be trusted."""

import errno
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailnode.couriers import maildir_syncfs
from mailnode.couriers.maildir_syncfs import is_supported, syncfs


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    is_supported.cache_clear()
    yield
    is_supported.cache_clear()


@pytest.mark.skipif(platform.system() != "Linux", reason="syncfs is Linux's")
def test_it_syncs_and_says_what_is_wrong(tmp_path: Path) -> None:
    """A folder's descriptor is good for it; a bad one is an OSError with its number."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    syncfs(descriptor)
    os.close(descriptor)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        syncfs(-1)


@pytest.mark.parametrize(
    ("system", "release", "expected"),
    [
        ("Linux", "5.7.19-generic", False),
        ("Linux", "4.19.0", False),
        ("Linux", "5.8.0", True),
        ("Linux", "5.10.0-9-amd64", True),
        ("Linux", "6.1", True),
        ("Linux", "unknown", False),
        ("Darwin", "23.1.0", False),
    ],
)
def test_only_an_honest_one_is_used(monkeypatch: pytest.MonkeyPatch, system: str, release: str, expected: bool) -> None:
    """Before Linux 5.8 it hid what could not be written."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "release", lambda: release)
    monkeypatch.setattr(maildir_syncfs, "_call", lambda: lambda _: 0)
    assert is_supported() == expected


def test_without_one_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A libc that has none never seems to have synced."""
    monkeypatch.setattr(maildir_syncfs, "_call", lambda: None)
    assert not is_supported()
    with pytest.raises(OSError, match="no syncfs"):
        syncfs(0)
