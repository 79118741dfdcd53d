"""The Maildir courier, from request to answer, on its thread."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from mailnode.couriers.maildir import MaildirCourier, MaildirSettings
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, TROUBLE
from mailnode.mail.content import Content
from tests.kit.deliveries import TEXT, address, leftovers, messages, request_for
from tests.kit.journals import wait_for_segment
from tests.kit.pump import Pump

DEFAULTS = MaildirSettings()


def courier(root: Path, pump: Pump, settings: MaildirSettings = DEFAULTS) -> MaildirCourier:
    """Make a courier at a certain moment."""
    clock = Clock()
    clock.advance(1_700_000_000)
    return MaildirCourier(
        root, hostname="mx.example.org", clock=clock, reactor=pump, settings=settings, random=Random(1)
    )


def test_every_recipient_has_an_outcome(tmp_path: Path) -> None:
    """The answer names each recipient of the request."""
    pump = Pump()
    carrying = courier(tmp_path, pump)
    ann, bad = address("Ann"), address("../bob")
    assert pump.run(carrying.carry(request_for(ann, bad))) == {ann: DELIVERED, bad: BAD_NAME}
    pump.run(carrying.close())
    assert len(messages(tmp_path / "example.org" / "ann")) == 1


def test_many_requests_make_few_batches(tmp_path: Path) -> None:
    """Requests that wait together are answered together."""
    pump = Pump()
    carrying = courier(tmp_path, pump)
    answers = [Deferred.fromCoroutine(carrying.carry(request_for(address(f"u{n % 5}")))) for n in range(60)]
    for answer in answers:
        assert set(pump.result(answer).values()) == {DELIVERED}
    assert pump.count < 30
    pump.run(carrying.close())
    assert sum(len(messages(tmp_path / "example.org" / f"u{n}")) for n in range(5)) == 60


def test_large_content_comes_from_its_file(tmp_path: Path) -> None:
    """Content in a file follows what was put before it, line ends right across all blocks."""
    body = b"0123456789abcdef\r\n" * 20000
    (tmp_path / "content").write_bytes(body)
    content = Content(b"Received: here\r\n\r\n", tmp_path / "content", len(body))
    pump = Pump()
    carrying = courier(tmp_path / "mail", pump)
    pump.run(carrying.carry(request_for(address("ann"), address("bob"), content=content)))
    pump.run(carrying.close())
    for name in ("ann", "bob"):
        (octets,) = messages(tmp_path / "mail" / "example.org" / name)
        assert octets.endswith(b"Received: here\n\n" + body.replace(b"\r\n", b"\n"))
        assert b"\r" not in octets


def test_content_without_its_file_is_trouble(tmp_path: Path, lost_failures: list[dict[str, Any]]) -> None:
    """A file that is missing or too short delays the message, is logged, and leaves nothing behind."""
    (tmp_path / "content").write_bytes(b"short")
    pump = Pump()
    carrying = courier(tmp_path / "mail", pump)
    ann = address("ann")
    for path in (tmp_path / "content", tmp_path / "missing"):
        request = request_for(ann, content=Content(b"X: y\r\n\r\n", path, 10))
        assert pump.run(carrying.carry(request)) == {ann: TROUBLE}
    pump.run(carrying.close())
    assert [event["forward_path"] for event in lost_failures] == ["ann@example.org"] * 2
    lost_failures.clear()
    assert not leftovers(tmp_path / "mail")


def test_open_files_are_bounded_by_the_batch(tmp_path: Path) -> None:
    """A request with more recipients than a batch has room for is delivered in several."""
    pump = Pump()
    carrying = courier(tmp_path, pump, MaildirSettings(batch=2))
    recipients = tuple(address(f"u{n}") for n in range(5))
    outcomes = pump.run(carrying.carry(request_for(*recipients)))
    assert outcomes == dict.fromkeys(recipients, DELIVERED)
    pump.run(carrying.close())


def test_cancelling_drops_what_was_not_begun(tmp_path: Path) -> None:
    """A request that is cancelled before its batch begins is never written."""
    pump = Pump()
    carrying = courier(tmp_path, pump)
    carrying._threads._count = 0  # so that no thread begins yet
    waiting = Deferred.fromCoroutine(carrying.carry(request_for(address("ann"))))
    waiting.addErrback(lambda failure: failure.trap(CancelledError) and None)
    waiting.cancel()
    carrying._threads._count = 1
    bob = address("bob")
    assert pump.run(carrying.carry(request_for(bob))) == {bob: DELIVERED}
    pump.run(carrying.close())
    assert not (tmp_path / "example.org" / "ann").exists()


def test_cancelling_too_late_is_harmless(tmp_path: Path) -> None:
    """A request that is cancelled while it is written may be delivered; its late answer goes nowhere."""
    pump = Pump()
    carrying = courier(tmp_path, pump)
    waiting = Deferred.fromCoroutine(carrying.carry(request_for(address("ann"))))
    failed: list[object] = []
    waiting.addErrback(failed.append)
    waiting.cancel()
    pump.run(carrying.close())
    assert failed


@pytest.mark.parametrize(("line_ends", "expected"), [("lf", b"\n"), ("crlf", b"\r\n")])
def test_line_ends_are_a_setting(tmp_path: Path, line_ends: str, expected: bytes) -> None:
    """LF is the default; CRLF keeps the octets."""
    pump = Pump()
    carrying = courier(tmp_path, pump, MaildirSettings(line_ends=line_ends))  # type: ignore[arg-type]
    pump.run(carrying.carry(request_for(address("ann"))))
    pump.run(carrying.close())
    (octets,) = messages(tmp_path / "example.org" / "ann")
    assert octets.endswith(TEXT.replace(b"\r\n", expected))


def test_what_a_crash_took_is_back_before_new_mail_comes(tmp_path: Path) -> None:
    """A courier that only recovers puts back what stood in the journal and in no mailbox, once; closing ends the matter."""
    pump = Pump()
    (tmp_path / "mail" / ".journal").mkdir(parents=True)
    carrying = courier(tmp_path / "mail", pump)
    pump.run(carrying.recover())
    assert carrying._journal is not None
    wait_for_segment(carrying._journal)
    pump.run(carrying.carry(request_for(address("ann"), address("bob"))))
    shutil.copytree(tmp_path / "mail", tmp_path / "crashed")
    pump.run(carrying.close())
    ann = tmp_path / "crashed" / "example.org" / "ann"
    (lost,) = (ann / "new").iterdir()
    octets = lost.read_bytes()
    lost.unlink()
    again = courier(tmp_path / "crashed", pump)
    pump.run(again.recover())
    assert messages(ann) == [octets]
    assert len(messages(ann.parent / "bob")) == 1
    lost.unlink()
    pump.run(again.close())
    last = courier(tmp_path / "crashed", pump)
    pump.run(last.recover())
    pump.run(last.close())
    assert not lost.exists()


def test_without_the_journal_nothing_of_it_is_made(tmp_path: Path) -> None:
    """The setting turns it off: every batch goes the long way, and there is nothing to recover."""
    pump = Pump()
    carrying = courier(tmp_path, pump, MaildirSettings(journal=False))
    pump.run(carrying.recover())
    for _ in range(2):
        pump.run(carrying.carry(request_for(address("ann"))))
    pump.run(carrying.close())
    assert len(messages(tmp_path / "example.org" / "ann")) == 2
    assert not (tmp_path / ".journal").exists()


def test_a_closed_courier_that_never_worked_is_fine(tmp_path: Path) -> None:
    """Closing needs no request before it."""
    pump = Pump()
    pump.run(courier(tmp_path, pump).close())
