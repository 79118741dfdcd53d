"""The directory in memory keeps the contract."""

import pytest

from mailnode.accounts.memory import MemoryDirectory
from mailnode.interfaces import Directory
from tests.contracts.directory import ANN, BOB, DirectoryContract
from tests.kit.results import now


class TestMemoryDirectory(DirectoryContract):
    """The contract, in memory."""

    @pytest.fixture
    def directory(self) -> Directory:
        """Give an empty directory."""
        return MemoryDirectory()


def test_mailboxes_may_be_given_at_the_start() -> None:
    """What the directory is made with is known."""
    directory = MemoryDirectory([ANN])
    assert now(directory.find(ANN))
    assert not now(directory.find(BOB))
    directory.close()
