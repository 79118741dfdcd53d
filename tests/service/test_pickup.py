"""Tests of the pickup: each draft is handed over once, and what cannot be is not lost without a word."""

import errno
import io
from pathlib import Path
from random import Random
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger

from mailnode.fronts.users import UserNames
from mailnode.interfaces import Refused, SpoolTrouble, Transaction
from mailnode.mail.message import NewEntry
from mailnode.mail.quantity import Seconds
from mailnode.mail.reply import Reply
from mailnode.originator.draft import Draft
from mailnode.originator.maildrop import keep
from mailnode.originator.place import Place
from mailnode.originator.settings import OriginatorSettings
from mailnode.originator.within import Within
from mailnode.roles.returning import RETURNED
from mailnode.service.checks import faults_in
from mailnode.service.meeting import open_to
from mailnode.service.patience import Patience
from mailnode.service.pickup import Pickup
from mailnode.service.settings import NodeSettings, ProcessSettings
from mailnode.smtp import replies
from tests.kit.reception import StagedReception
from tests.kit.results import InlineDisk, now


class Stage:
    """A pickup before a staged door."""

    def __init__(self, folder: Path, *, most: int = 0) -> None:
        self.place = Place(folder)
        open_to(self.place, everyone=True, origin="example.org")
        self.clock = Clock()
        self.clock.advance(1000)
        self.door = StagedReception()
        self.notices: list[NewEntry] = []
        within = Within(self.door, InlineDisk(), self.clock, Random(1), lambda: "example.org")
        queue: Any = self
        users = UserNames(InlineDisk(), self.clock, lambda _: "ann")
        self.pickup = Pickup(
            self.place, within, queue, users=users, patience=Patience(most), limits=lambda: (5.0, 60.0)
        )

    async def submit(self, entry: NewEntry) -> None:
        """Take a notice, as the queue."""
        self.notices.append(entry)

    def drop(self, *recipients: str, sender: str = "ann", body: bytes = b"Subject: x\r\n\r\nhi\r\n") -> None:
        """Put a draft there."""
        keep(self.place.maildrop, Draft(sender, recipients, io.BytesIO(body)), now=self.clock.seconds())

    def left(self) -> int:
        """Count the drafts that wait."""
        return sum(len(list(folder.iterdir())) for folder in (self.place.maildrop, self.place.data / "taken"))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Give a stage."""
    return Stage(tmp_path)


def test_a_draft_is_handed_over_once(stage: Stage) -> None:
    """In the name of whose file it is; then it is gone."""
    stage.drop("bob")
    assert now(stage.pickup.look()) == 1
    assert now(stage.pickup.look()) == 0
    (message,) = stage.door.messages
    assert (message.peer.user, message.peer.listener) == ("ann", "maildrop")
    assert str(message.recipients[0].forward_path) == "bob@example.org"
    assert message.content.endswith(b"\r\n\r\nhi\r\n")
    assert not stage.left()


def test_it_looks_again_and_again(stage: Stage) -> None:
    """Until it is stopped."""
    stage.pickup.start()
    stage.drop("bob")
    stage.clock.advance(5)
    assert len(stage.door.messages) == 1
    now(stage.pickup.stop())
    stage.drop("carl")
    stage.clock.advance(50)
    assert len(stage.door.messages) == 1


@pytest.mark.rfc("5321", "6.1")
def test_what_is_refused_for_good_is_returned(stage: Stage) -> None:
    """The entry fails with the door's own words, to the sender's address; the others are served."""
    stage.drop("nobody", "bob")
    assert now(stage.pickup.look()) == 1
    (entry,) = stage.notices
    assert [str(one.forward_path) for one in entry.message.envelope.recipients] == ["nobody@example.org"]
    assert entry.routes[0].lane.courier == RETURNED
    assert entry.routes[0].lane.next_hop.startswith("550 5.1.1")
    assert str(entry.message.envelope.reverse_path) == "ann@example.org"
    assert len(stage.door.messages) == 1
    assert not stage.left()


def test_nothing_is_returned_to_nobody(stage: Stage) -> None:
    """The null reverse-path gets no notification; the log has it."""
    stage.drop("nobody", sender="")
    assert now(stage.pickup.look()) == 1
    assert not stage.notices
    assert not stage.left()


def test_what_is_refused_for_now_waits(stage: Stage) -> None:
    """It is tried again after a minute, and meanwhile keeps nobody waiting."""
    stage.door.answers = [Reply.of(452, "4.3.1", "No room")]
    stage.drop("bob")
    assert now(stage.pickup.look()) == 0
    stage.door.answers = []
    assert now(stage.pickup.look()) == 0
    stage.clock.advance(61)
    assert now(stage.pickup.look()) == 1
    assert not stage.left()


def test_who_sends_too_much_waits(tmp_path: Path) -> None:
    """The drafts stay until the rate allows them."""
    stage = Stage(tmp_path, most=2)
    for _ in range(3):
        stage.drop("bob")
    assert now(stage.pickup.look()) == 2
    assert stage.left() == 1
    stage.clock.advance(3600)
    assert now(stage.pickup.look()) == 1


def test_who_sends_too_much_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many drafts of theirs wait, those of others get their turn."""
    monkeypatch.setattr("mailnode.service.meeting.MOST", 3)
    stage = Stage(tmp_path, most=1)
    users = iter(["ann"] * 7 + ["bob"])
    stage.pickup._users.look_up = lambda _: next(users)
    monkeypatch.setattr("mailnode.fronts.users.KEPT", -1.0)
    for _ in range(7):
        stage.drop("carl")
        stage.clock.advance(0.001)
    stage.drop("of-bob")
    assert [now(stage.pickup.look()) for _ in range(3)] == [1, 0, 1]
    assert str(stage.door.messages[-1].recipients[0].forward_path) == "of-bob@example.org"
    assert stage.left() == 6


def test_what_is_no_draft_is_put_aside(tmp_path: Path) -> None:
    """With an address that is none, or a first line that is none."""
    stage = Stage(tmp_path)
    stage.drop("a@b@c")
    (stage.place.maildrop / f"{1:016x}.{1:032x}").write_bytes(b"{}\n")
    assert now(stage.pickup.look()) == 0
    assert not stage.left()
    assert len(list((tmp_path / "aside").iterdir())) == 2


@pytest.mark.rfc("5321", "6.1")
def test_what_is_too_large_is_returned(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever left it was told that all is well; the door hears the size first, so that it need not read all of it."""
    sizes: list[int] = []

    async def begin(_peer: object, _envelope: object, declared_size: int) -> Transaction:
        sizes.append(declared_size)
        raise Refused(replies.TOO_BIG)

    monkeypatch.setattr(stage.door, "begin", begin)
    stage.drop("bob", body=b"x" * 1000)
    assert now(stage.pickup.look()) == 1
    assert sizes == [1000]
    (entry,) = stage.notices
    assert entry.routes[0].lane.next_hop.startswith("552 5.3.4")
    assert not stage.left()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EIO])
def test_trouble_with_opening_it_is_not_the_drafts_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It stays where it is and is tried again; only what a file itself is puts it aside."""

    def fails(*_: object) -> None:
        raise OSError(number, "trouble")

    stage.drop("bob")
    with monkeypatch.context() as patched:
        patched.setattr("mailnode.service.pickup.opened", fails)
        patched.setattr(Logger, "failure", lambda *_, **__: None)
        assert now(stage.pickup.look()) == 0
    stage.clock.advance(61)
    assert now(stage.pickup.look()) == 1


def test_trouble_of_ours_loses_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft that we cannot cope with stays where it is."""

    async def full(*_: object) -> None:
        raise SpoolTrouble("full")

    seen: list[Any] = []
    monkeypatch.setattr(stage.door, "begin", full)
    monkeypatch.setattr(Logger, "failure", lambda _, *words, **__: seen.append(words))
    stage.drop("bob")
    assert now(stage.pickup.look()) == 0
    assert len(seen) == 1
    assert stage.left() == 1


def test_it_does_not_look_all_the_time() -> None:
    """An interval of nothing would keep the machine busy with an empty folder."""
    settings = NodeSettings(ProcessSettings(data="/tmp"), originator=OriginatorSettings(pickup_interval=Seconds(0)))
    assert "originator.pickup_interval" in [fault.path for fault in faults_in(settings)]
