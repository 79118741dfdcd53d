"""Tests of how the rooms are put together."""

from pathlib import Path
from random import Random

import pytest
from twisted.internet.testing import MemoryReactorClock

from mailnode.service.composition import build
from mailnode.service.folder import FolderLock
from mailnode.service.ground import Ground
from mailnode.service.settings import NodeSettings
from mailnode.service.trouble import StartFailed


def test_a_folder_that_cannot_be_used_is_let_go_again(tmp_path: Path) -> None:
    """A start that fails does not keep the lock."""
    (tmp_path / "mail").write_text("no folder")
    with pytest.raises(StartFailed, match="cannot be used"):
        build(NodeSettings(), Ground(tmp_path, MemoryReactorClock(), Random(1), "mx.example.org"))
    FolderLock(tmp_path).release()
