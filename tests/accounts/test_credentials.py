"""Passwords of our own accounts: checked, remembered for a while, and never more than a few at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailnode.accounts import credentials, passwords
from mailnode.accounts.credentials import AccountCredentials
from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.interfaces import CredentialsTrouble, Standing
from mailnode.mail.account import AccountChange
from mailnode.mail.address import Mailbox
from mailnode.mail.quantity import Seconds
from tests.kit.results import InlineDisk, now

ANN = Mailbox("ann", "example.org")
BOB = Mailbox("bob", "example.org")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[SqliteDirectory]:
    """Give a directory in which ann has a password and bob has none."""
    made = SqliteDirectory(tmp_path / "accounts.db", InlineDisk())
    now(made.add(ANN, AccountChange(name="Ann", password="secret")))
    now(made.add(BOB))
    yield made
    made.close()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list of the hashes that were computed."""
    seen: list[str] = []

    def matches(hash_: str, password: str) -> bool:
        seen.append(hash_)
        return passwords.matches(hash_, password)

    monkeypatch.setattr(credentials, "matches", matches)
    return seen


def checked(directory: SqliteDirectory, clock: Clock | None = None, disk: Any = None) -> AccountCredentials:
    """Make credentials on a directory."""
    return AccountCredentials(directory, disk or InlineDisk(), clock or Clock(), at_once=2, remember=Seconds(60))


def test_a_password_proves_its_account(directory: SqliteDirectory) -> None:
    """Its own does, in any spelling of the address; another one, or any for nobody, does not."""
    made = checked(directory)
    assert now(made.verify(ANN, "secret")) is Standing.ACTIVE
    assert now(made.verify(Mailbox("ANN", "Example.ORG"), "secret")) is Standing.ACTIVE
    for account, password in (
        (ANN, "Secret"),
        (ANN, ""),
        (BOB, ""),
        (BOB, "secret"),
        (Mailbox("eve", "x.example"), "x"),
    ):
        assert now(made.verify(account, password)) is Standing.UNKNOWN


def test_everybody_costs_one_hash(directory: SqliteDirectory, computed: list[str]) -> None:
    """Who does not exist, has no password or has another one takes as long as the others."""
    made = checked(directory)
    for account in (ANN, BOB, Mailbox("eve", "example.org")):
        now(made.verify(account, "wrong"))
    assert len(computed) == 3
    assert computed[1:] == [passwords.NOBODY] * 2


def test_a_good_password_is_not_computed_again_for_a_while(directory: SqliteDirectory, computed: list[str]) -> None:
    """Until the time is over, or the password is another one; wrong ones are computed each time."""
    clock = Clock()
    made = checked(directory, clock)
    for _ in range(3):
        assert now(made.verify(ANN, "secret")) is Standing.ACTIVE
    assert len(computed) == 1
    assert now(made.verify(ANN, "wrong")) is Standing.UNKNOWN
    assert len(computed) == 2
    clock.advance(61)
    assert now(made.verify(ANN, "secret")) is Standing.ACTIVE
    assert len(computed) == 3
    now(directory.change(ANN, AccountChange(password="other")))
    assert now(made.verify(ANN, "secret")) is Standing.UNKNOWN
    made.close()


def test_a_disabled_account_is_known_as_such_by_its_password_only(directory: SqliteDirectory) -> None:
    """Who does not know the password is not told."""
    made = checked(directory)
    now(directory.change(ANN, AccountChange(is_disabled=True)))
    assert now(made.verify(ANN, "secret")) is Standing.DISABLED
    assert now(made.verify(ANN, "wrong")) is Standing.UNKNOWN
    assert now(made.standing(ANN)) is Standing.DISABLED
    now(directory.change(ANN, AccountChange(is_disabled=False)))
    assert now(made.standing(ANN)) is Standing.ACTIVE
    assert now(made.standing(Mailbox("eve", "example.org"))) is Standing.UNKNOWN


def test_verifiers_are_given_to_everybody(directory: SqliteDirectory) -> None:
    """Of an account its own, of nobody one that stays the same."""
    made = checked(directory)
    assert now(made.verifier(ANN)) == now(made.verifier(Mailbox("ANN", "EXAMPLE.org")))
    nobody = Mailbox("eve", "example.org")
    assert now(made.verifier(nobody)) == now(checked(directory).verifier(nobody))
    assert now(made.verifier(BOB)) == now(made.verifier(BOB))
    now(directory.change(ANN, AccountChange(password="")))
    assert now(made.verify(ANN, "secret")) is Standing.UNKNOWN


class SlowDisk:
    """A Disk whose work ends when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []

    async def run(self, work: Callable[[], Any]) -> Any:
        """Wait, then work."""
        self.waiting.append(Deferred())
        await self.waiting[-1]
        return work()


def test_few_are_computed_at_a_time_and_few_may_wait(
    directory: SqliteDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at work, three in the line; the next one is told to come again, and the line moves on."""
    monkeypatch.setattr(credentials, "WAITING", 3)
    disk = SlowDisk()
    made = checked(directory, disk=disk)
    results: list[Any] = []
    for _ in range(6):
        Deferred.fromCoroutine(made.verify(ANN, "secret")).addBoth(results.append)
    assert len(disk.waiting) == 2
    assert len(results) == 1
    assert results[0].check(CredentialsTrouble)
    while disk.waiting:
        disk.waiting.pop(0).callback(None)
    assert results[1:] == [Standing.ACTIVE] * 5


def test_only_so_many_good_passwords_are_remembered(
    directory: SqliteDirectory, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten."""
    monkeypatch.setattr(credentials, "REMEMBERED", 1)
    now(directory.change(BOB, AccountChange(password="bob's")))
    made = checked(directory)
    for account, password in ((ANN, "secret"), (BOB, "bob's"), (ANN, "secret")):
        assert now(made.verify(account, password)) is Standing.ACTIVE
    assert len(computed) == 3
