"""The mbox courier: outcomes, waiting for locks, one message after the other."""

import errno
import mailbox
import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from mailnode.couriers import mbox
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, LOCKED, LOOP, NO_SPACE, TROUBLE
from mailnode.couriers.mbox import MboxCourier, MboxSettings
from mailnode.mail.envelope import Recipient
from mailnode.mail.quantity import Seconds
from tests.kit.deliveries import TEXT, address, request_for
from tests.kit.results import InlineDisk, now


@pytest.fixture
def clock() -> Clock:
    """Give a clock at a certain moment."""
    made = Clock()
    made.advance(1_700_000_000)
    return made


@pytest.fixture
def carrying(tmp_path: Path, clock: Clock) -> MboxCourier:
    """Give a courier that waits three seconds for a lock."""
    return MboxCourier(tmp_path, clock=clock, disk=InlineDisk(), settings=MboxSettings(lock_wait=Seconds(3)))


def _name(recipient: Recipient) -> str:
    return recipient.forward_path.local_part


def lock(tmp_path: Path, clock: Clock) -> Path:
    """Lock ann's mailbox as another program does."""
    (tmp_path / "example.org").mkdir(exist_ok=True)
    path = tmp_path / "example.org" / "ann.mbox.lock"
    path.touch()
    os.utime(path, (clock.seconds(),) * 2)
    return path


@pytest.mark.rfc("5321", "4.4")
def test_a_message_is_readable_by_others(tmp_path: Path, carrying: MboxCourier) -> None:
    """Python's own mbox reader finds the messages with their fields and text."""
    ann, bob = address("ann"), address("bob")
    assert now(carrying.carry(request_for(ann, bob))) == {ann: DELIVERED, bob: DELIVERED}
    now(carrying.carry(request_for(ann)))
    now(carrying.close())
    read = mailbox.mbox(tmp_path / "example.org" / "ann.mbox")
    first, second = read.values()
    assert first["Delivered-To"] == second["Delivered-To"] == "ann@example.org"
    assert first["Return-Path"] == "<sender@example.com>"
    assert first.get_payload() == TEXT.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n").decode()
    read.close()


def test_bad_names_and_loops_are_refused(tmp_path: Path, carrying: MboxCourier) -> None:
    """What cannot be a mailbox, and what was here before, fails; nothing is written."""
    bad, ann = address("../x"), address("ann")
    request = request_for(bad, ann, content=b"Delivered-To: ANN@example.org\r\n" + TEXT)
    assert now(carrying.carry(request)) == {bad: BAD_NAME, ann: LOOP}
    assert not list(tmp_path.iterdir())


def test_a_locked_mailbox_is_waited_for(tmp_path: Path, carrying: MboxCourier, clock: Clock) -> None:
    """When the lock goes away in time the message is delivered."""
    path = lock(tmp_path, clock)
    results: list[object] = []
    Deferred.fromCoroutine(carrying.carry(request_for(address("ann")))).addCallback(results.append)
    clock.advance(1)
    assert not results
    path.unlink()
    clock.advance(1)
    assert results == [{address("ann"): DELIVERED}]


def test_waiting_has_an_end(tmp_path: Path, carrying: MboxCourier, clock: Clock) -> None:
    """A lock that stays delays the message with 4.2.0; nothing of ours waits any longer."""
    lock(tmp_path, clock)
    results: list[object] = []
    Deferred.fromCoroutine(carrying.carry(request_for(address("ann")))).addCallback(results.append)
    clock.pump([0.2] * 20)
    assert results == [{address("ann"): LOCKED}]
    assert not clock.getDelayedCalls()


def test_messages_for_one_mailbox_take_turns(tmp_path: Path, carrying: MboxCourier, clock: Clock) -> None:
    """While one waits for a lock the next for the same mailbox waits behind it; another mailbox does not."""
    path = lock(tmp_path, clock)
    done: list[str] = []
    for name in ("ann", "Ann", "bob"):
        request = request_for(address(name), content=f"Subject: {name}\r\n\r\n".encode())
        Deferred.fromCoroutine(carrying.carry(request)).addCallback(lambda outcomes: done.extend(map(_name, outcomes)))
    assert done == ["bob"]
    assert len(clock.getDelayedCalls()) == 1
    path.unlink()
    clock.advance(1)
    assert sorted(done) == ["Ann", "ann", "bob"]
    written = (tmp_path / "example.org" / "ann.mbox").read_bytes()
    assert written.index(b"Subject: ann") < written.index(b"Subject: Ann")


def test_cancelling_ends_the_waiting(tmp_path: Path, carrying: MboxCourier, clock: Clock) -> None:
    """A cancelled carry writes nothing more and lets the next have its turn."""
    path = lock(tmp_path, clock)
    waiting = Deferred.fromCoroutine(carrying.carry(request_for(address("ann"))))
    failures: list[Any] = []
    waiting.addErrback(failures.append)
    waiting.cancel()
    assert failures[0].check(CancelledError)
    path.unlink()
    assert now(carrying.carry(request_for(address("ann")))) == {address("ann"): DELIVERED}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(OSError(errno.ENOSPC, "full"), NO_SPACE), (OSError(errno.EIO, "broken"), TROUBLE), (RuntimeError(), TROUBLE)],
)
def test_trouble_is_temporary(
    carrying: MboxCourier,
    monkeypatch: pytest.MonkeyPatch,
    lost_failures: list[dict[str, Any]],
    error: Exception,
    outcome: object,
) -> None:
    """A full disk is told as such; anything else is trouble, and logged."""

    def failing(*args: object, **kwargs: object) -> bool:
        raise error

    monkeypatch.setattr(mbox, "append", failing)
    assert now(carrying.carry(request_for(address("ann")))) == {address("ann"): outcome}
    assert len(lost_failures) == (1 if outcome is TROUBLE else 0)
    lost_failures.clear()
