"""A process aside writes what a courier's thread would write, and its end costs nothing but time."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mailnode.couriers.maildir_aside import MUCH, RETRY, ProcessAside
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_frames import Charter
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, LOOP, OVER_QUOTA, TROUBLE
from mailnode.mail.content import Content
from tests.kit.deliveries import TEXT, address, leftovers, messages, request_for
from tests.kit.waiting import until


class Stage:
    """A process aside for the mailboxes below a folder, and what it said."""

    def __init__(self, root: Path, *, quota_messages: int = 0) -> None:
        self.root = root
        self.clock = Clock()
        self.said: list[tuple[str, str]] = []
        charter = Charter(str(root), "mx.example.org", "node-aside", 0, quota_messages, is_unix=True, has_journal=True)
        self.aside = ProcessAside(charter, clock=self.clock, tell=lambda text, why: self.said.append((text, why)))

    def begin(self) -> None:
        """Begin the process, and wait until it writes."""
        assert not self.aside.write(batch(*(f"first{n}" for n in range(MUCH))))
        until(lambda: self.aside.write(batch("first")), 30.0, "the process aside is ready")

    @property
    def pid(self) -> int:
        """Give its process id."""
        assert self.aside._process is not None
        return self.aside._process.pid


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Make a stage, and leave no process behind."""
    made = Stage(tmp_path / "mail")
    yield made
    made.aside.close()


def batch(*names: str, content: bytes | Content = TEXT) -> list[Delivery]:
    """Make deliveries of one message to ``names``."""
    recipients = tuple(map(address, names))
    request = request_for(*recipients, content=content)
    original = Original(request.message.content, is_unix=True)
    return [Delivery(request, recipient, original) for recipient in recipients]


def outcomes(deliveries: Sequence[Delivery]) -> list[object]:
    """Give what became of them."""
    return [delivery.outcome for delivery in deliveries]


def test_little_mail_needs_no_process(stage: Stage) -> None:
    """A batch of a few is the thread's own; nothing is begun and nothing touched."""
    few = batch("ann")
    assert not stage.aside.write(few)
    assert stage.aside._process is None
    assert outcomes(few) == [None]


def test_what_it_writes_is_what_the_thread_would_write(stage: Stage) -> None:
    """Mailboxes hold the same octets, and each delivery has its own outcome, good or bad."""
    stage.begin()
    circle = b"Delivered-To: eve@example.org\r\n" + TEXT
    made = [*batch("ann", "../bob"), *batch("eve", content=circle)]
    assert stage.aside.write(made)
    assert outcomes(made) == [DELIVERED, BAD_NAME, LOOP]
    (found,) = messages(stage.root / "example.org" / "ann")
    assert found.startswith(b"Return-Path: <sender@example.com>\nDelivered-To: ann@example.org\nFrom:")
    assert found.endswith(TEXT.replace(b"\r\n", b"\n"))


def test_large_content_is_read_from_its_file(stage: Stage, tmp_path: Path) -> None:
    """Only the name of a large content's file goes over the socket."""
    body = b"0123456789abcdef\r\n" * 20000
    (tmp_path / "content").write_bytes(body)
    stage.begin()
    made = batch("ann", "bob", content=Content(b"Received: here\r\n\r\n", tmp_path / "content", len(body)))
    assert stage.aside.write(made)
    assert outcomes(made) == [DELIVERED, DELIVERED]
    for name in ("ann", "bob"):
        (found,) = messages(stage.root / "example.org" / name)
        assert found.endswith(b"Received: here\n\n" + body.replace(b"\r\n", b"\n"))


def test_the_quota_holds_there_too(tmp_path: Path) -> None:
    """The limit of the settings is in its charter."""
    stage = Stage(tmp_path / "mail", quota_messages=1)
    stage.begin()
    assert outcomes_of(stage, "ann") == [DELIVERED]
    assert outcomes_of(stage, "ann") == [OVER_QUOTA]
    stage.aside.close()


def outcomes_of(stage: Stage, name: str) -> list[object]:
    """Deliver to ``name``."""
    made = batch(name)
    assert stage.aside.write(made)
    return outcomes(made)


def test_trouble_comes_back_with_its_traceback(stage: Stage, tmp_path: Path) -> None:
    """What should be logged is logged by the node, with what was raised over there."""
    stage.begin()
    made = batch("ann", content=Content(b"", tmp_path / "gone", 5))
    assert stage.aside.write(made)
    assert outcomes(made) == [TROUBLE]
    assert made[0].trouble is not None
    assert "No such file" in made[0].trouble.getErrorMessage()


def test_a_process_that_dies_is_begun_again_after_a_while(stage: Stage) -> None:
    """Nobody knows how far it came, so the senders try again; meanwhile the thread writes."""
    stage.begin()
    os.kill(stage.pid, signal.SIGKILL)
    made = batch("ann")
    assert stage.aside.write(made)
    assert outcomes(made) == [TROUBLE]
    assert stage.said[-1][0].endswith("ended unasked")
    assert not stage.aside.write(batch(*map(str, range(MUCH))))
    assert stage.aside._process is None
    stage.clock.advance(RETRY)
    stage.begin()
    assert outcomes_of(stage, "ann") == [DELIVERED]


def test_one_that_ends_before_it_is_ready_is_given_up(stage: Stage) -> None:
    """The batch that finds it dead is the thread's own."""
    assert not stage.aside.write(batch(*map(str, range(MUCH))))
    os.kill(stage.pid, signal.SIGKILL)
    until(lambda: not stage.aside.write(batch("ann")) and stage.aside._process is None, 10.0, "it is given up")
    assert stage.said


def test_signals_to_the_group_do_not_end_it(stage: Stage) -> None:
    """An interrupt on the terminal is the node's to obey: it still has mail to write."""
    stage.begin()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(stage.pid, number)
    assert outcomes_of(stage, "ann") == [DELIVERED]


def test_a_system_that_lets_nothing_begin_is_no_trouble(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on writing, and the log has one line."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    for _ in range(3):
        assert not stage.aside.write(batch(*map(str, range(MUCH))))
    assert [text for text, _ in stage.said] == ["No process aside can be begun to write mail"]


def test_closing_lets_it_make_its_journal_durable(stage: Stage) -> None:
    """After a stop in good order nothing is left that a start would have to look at."""
    stage.begin()
    many = batch(*(f"u{n}" for n in range(50)))
    assert stage.aside.write(many)
    stage.aside.close()
    assert outcomes(many) == [DELIVERED] * 50
    assert not stage.aside.write(batch(*map(str, range(MUCH))))
    assert stage.aside._process is None
    assert not [name for name in leftovers(stage.root) if "/tmp/" in name]
