"""Writing batches: every step may fail, for every step nothing is left behind, and others are not harmed."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from twisted.internet.task import Clock

from mailnode.couriers import maildir_writer
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_outcome import DELIVERED, LOOP, NO_SPACE, OVER_QUOTA, TROUBLE
from mailnode.couriers.maildir_quota import Limit
from mailnode.couriers.maildir_writer import MaildirWriter, sweep
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from tests.kit.deliveries import TEXT, address, leftovers, messages, request_for

NO_LIMIT = Limit()

CALLS = ("open", "write", "fsync", "rename", "mkdir", "close")
"""The system calls a delivery is made of."""


class Injected:
    """Lets the n-th of the watched calls of ``os`` fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: int) -> None:
        self.count = 0
        self.at = at
        self.error = error
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if call.__name__ == "close":
                    call(*args, **kwargs)
                raise OSError(self.error, os.strerror(self.error))
            return call(*args, **kwargs)

        return wrapped


def writer(root: Path, *, limit: Limit = NO_LIMIT) -> MaildirWriter:
    """Make a writer at a certain moment."""
    clock = Clock()
    clock.advance(1_700_000_000)
    return MaildirWriter(str(root), UniqueNames("mx.example.org", clock, Random(1)), limit, clock)


def batch_for(*requests: DeliveryRequest, is_unix: bool = True) -> list[Delivery]:
    """Make the deliveries of some requests."""
    return [
        Delivery(request, recipient, original)
        for request in requests
        for original in [Original(request.message.content, is_unix=is_unix)]
        for recipient in request.message.envelope.recipients
    ]


def three() -> list[Delivery]:
    """Make a batch of two messages into three mailboxes."""
    return batch_for(request_for(address("ann"), address("bob")), request_for(address("ann"), address("eve")))


def settle(root: Path, batch: list[Delivery]) -> None:
    """Make the mailboxes, so that a later fault meets nothing but the delivery."""
    for name in sorted({d.recipient.forward_path.local_part for d in batch}):
        for folder in ("cur", "new", "tmp"):
            (root / "example.org" / name / folder).mkdir(parents=True)


def test_a_batch_is_delivered(tmp_path: Path) -> None:
    """Each delivery of a batch lies in its mailbox, with its own fields on top, and tmp is empty."""
    batch = three()
    writer(tmp_path).write(batch)
    assert [d.outcome for d in batch] == [DELIVERED] * 4
    head = b"Return-Path: <sender@example.com>\nDelivered-To: %s@example.org\n"
    text = TEXT.replace(b"\r\n", b"\n")
    assert messages(tmp_path / "example.org" / "ann") == [head % b"ann" + text] * 2
    assert messages(tmp_path / "example.org" / "eve") == [head % b"eve" + text]
    assert not list(tmp_path.glob("*/*/tmp/*"))


def test_the_name_tells_the_size(tmp_path: Path) -> None:
    """The S= of a file's name is its number of octets."""
    writer(tmp_path).write(batch_for(request_for(address("ann"))))
    (path,) = (tmp_path / "example.org" / "ann" / "new").iterdir()
    assert path.name.endswith(f",S={path.stat().st_size}")
    assert path.stat().st_mode & 0o777 == 0o600


def test_mailboxes_are_made_for_their_owner_only(tmp_path: Path) -> None:
    """A mailbox that was not there is made with mode 0700, the root too."""
    root = tmp_path / "deep" / "mail"
    writer(root).write(batch_for(request_for(address("ann"))))
    made = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert {path.name for path in made} == {"mail", "example.org", "ann", "tmp", "new", "cur"}
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}


def test_an_unfinished_mailbox_is_finished(tmp_path: Path) -> None:
    """A mailbox whose maker died before it had its tmp is completed."""
    (tmp_path / "example.org" / "ann" / "cur").mkdir(parents=True)
    batch = batch_for(request_for(address("ann")))
    writer(tmp_path).write(batch)
    assert batch[0].outcome == DELIVERED


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("is_new", [True, False])
def test_every_step_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, is_new: bool) -> None:
    """Whichever system call fails: who is not delivered has no file anywhere and the outcome of that error."""
    expected = NO_SPACE if error in (errno.ENOSPC, errno.EDQUOT) else TROUBLE
    at = 0
    has_failed = True
    while has_failed:
        at += 1
        root = tmp_path / str(at)
        batch = three()
        if not is_new:
            settle(root, batch)
        with monkeypatch.context() as patch:
            injected = Injected(patch, at, error)
            writer(root).write(batch)
        has_failed = injected.count >= at
        outcomes = [d.outcome for d in batch]
        assert set(outcomes) <= {DELIVERED, expected}, f"call {at}"
        assert len(leftovers(root)) == outcomes.count(DELIVERED), f"call {at}"
        assert not list(root.glob("*/*/tmp/*"))
        assert all(d.descriptor == -1 for d in batch)
    assert at > 20


def test_a_file_that_cannot_even_be_closed_harms_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When fsync and close fail alike, as on a full disk behind a network, it is still one delivery's own trouble."""
    batch = three()
    settle(tmp_path, batch)
    closing = os.close

    def full(descriptor: int) -> None:
        closing(descriptor)
        raise OSError(errno.ENOSPC, "no space")

    def no_sync(_: int) -> None:
        monkeypatch.setattr(os, "close", full)
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", no_sync)
    writer(tmp_path).write(batch)
    assert {d.outcome for d in batch} == {NO_SPACE}


def test_one_bad_mailbox_does_not_harm_the_others(tmp_path: Path) -> None:
    """A mailbox that is a file fails for itself, with the failure kept for the log."""
    batch = three()
    (tmp_path / "example.org").mkdir()
    (tmp_path / "example.org" / "bob").write_bytes(b"")
    writer(tmp_path).write(batch)
    assert [d.outcome for d in batch] == [DELIVERED, TROUBLE, DELIVERED, DELIVERED]
    assert [d.trouble is not None for d in batch] == [False, True, False, False]


def test_our_own_fault_is_temporary_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expected delays its own delivery and no other."""
    batch = three()
    monkeypatch.setattr(batch[0].original, "whole", lambda _: 1 / 0)
    writer(tmp_path).write(batch)
    assert [d.outcome for d in batch] == [TROUBLE, TROUBLE, DELIVERED, DELIVERED]
    assert len(leftovers(tmp_path)) == 2


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel takes a few octets only, the rest follows."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, octets: write(fd, bytes(octets[:7])))
    writer(tmp_path).write(batch_for(request_for(address("ann"))))
    (octets,) = messages(tmp_path / "example.org" / "ann")
    assert octets.endswith(TEXT.replace(b"\r\n", b"\n"))


@pytest.mark.rfc("5321", "6.3")
def test_a_message_that_comes_back_is_refused(tmp_path: Path) -> None:
    """A Delivered-To of this mailbox fails it with 5.4.6; another mailbox takes it."""
    content = b"Delivered-To: Ann@example.org\r\n" + TEXT
    batch = batch_for(request_for(address("ann"), address("bob"), content=content))
    writer(tmp_path).write(batch)
    assert [d.outcome for d in batch] == [LOOP, DELIVERED]
    assert len(leftovers(tmp_path)) == 1


def test_line_ends_may_be_kept(tmp_path: Path) -> None:
    """With CRLF every octet is as it came, and our fields have CRLF too."""
    writer(tmp_path).write(batch_for(request_for(address("ann")), is_unix=False))
    head = b"Return-Path: <sender@example.com>\r\nDelivered-To: ann@example.org\r\n"
    assert messages(tmp_path / "example.org" / "ann") == [head + TEXT]


def test_the_quota_counts_what_the_batch_brings(tmp_path: Path) -> None:
    """Of two messages in one batch the second is refused when only one has room."""
    batch = three()
    writer(tmp_path, limit=Limit(messages=1)).write(batch)
    assert [d.outcome for d in batch] == [DELIVERED, DELIVERED, OVER_QUOTA, DELIVERED]
    assert len(messages(tmp_path / "example.org" / "ann")) == 1
    assert not list(tmp_path.glob("*/*/tmp/*"))


def test_stale_files_are_swept_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some delivery a file in tmp that is older than 36 hours is removed, a younger one not."""
    monkeypatch.setattr(maildir_writer, "_SWEEP_EVERY", 1)
    batch = batch_for(request_for(address("ann")))
    settle(tmp_path, batch)
    folder = tmp_path / "example.org" / "ann" / "tmp"
    for name, age in (("old", 37), ("young", 35)):
        (folder / name).touch()
        os.utime(folder / name, (1_700_000_000 - age * 3600,) * 2)
    writer(tmp_path).write(batch)
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_a_failed_sweep_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble after the promise is kept is only noted; the message stays delivered."""
    monkeypatch.setattr(maildir_writer, "_SWEEP_EVERY", 1)

    def failing(folder: str, before: float) -> None:
        raise PermissionError(errno.EACCES, folder)

    monkeypatch.setattr(maildir_writer, "sweep", failing)
    batch = batch_for(request_for(address("ann")))
    writer(tmp_path).write(batch)
    assert batch[0].outcome == DELIVERED
    assert batch[0].trouble is not None


def test_sweeping_takes_only_the_old(tmp_path: Path) -> None:
    """The bound is the moment given."""
    (tmp_path / "file").touch()
    os.utime(tmp_path / "file", (100.0, 100.0))
    sweep(str(tmp_path), 100.0)
    assert (tmp_path / "file").exists()
    sweep(str(tmp_path), 101.0)
    assert not (tmp_path / "file").exists()


def test_what_has_an_outcome_is_left_alone(tmp_path: Path) -> None:
    """A delivery that is settled already is not written."""
    (delivery,) = batch_for(request_for(Recipient(address("ann").forward_path)))
    delivery.outcome = TROUBLE
    writer(tmp_path).write([delivery])
    assert not leftovers(tmp_path)
