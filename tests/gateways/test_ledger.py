"""Tests of what gateways must not forget."""

from pathlib import Path

from mailnode.gateways.ledger import EARLY, Awaited, Ledger
from tests.kit.results import InlineDisk, now

ONE = Awaited("sms", "r1", "x@sms", 100.0, {"queue_id": "Q"}, b"Subject: x\r\n\r\n")


def test_all_survives_a_restart_and_is_ours_alone(tmp_path: Path) -> None:
    """Receipts and memories, in a file that nobody else can read."""
    path = tmp_path / "gateways.db"
    ledger = Ledger(path, InlineDisk())
    now(ledger.expect([ONE], 0.0))
    now(ledger.remember("sms", "thread", "<a@b>", now=0, keep=50))
    now(ledger.close())
    again = Ledger(path, InlineDisk())
    assert now(again.awaited("sms", "r1", {}, 1.0)) == [ONE]
    assert now(again.awaited("irc", "r1", {}, 1.0)) == []
    assert now(again.recall("sms", "thread", now=50)) == "<a@b>"
    assert now(again.recall("sms", "thread", now=51)) == ""
    assert now(again.recall("irc", "thread", now=1)) == ""
    assert path.stat().st_mode & 0o777 == 0o600
    now(again.close())


def test_a_receipt_that_comes_first_is_found_by_who_awaits_it() -> None:
    """For a day."""
    ledger = Ledger(None, InlineDisk())
    assert now(ledger.awaited("sms", "r1", {"said": "delivered"}, 0.0)) == []
    assert now(ledger.expect([ONE], 1.0)) == [(ONE, {"said": "delivered"})]
    assert now(ledger.expect([ONE], 1.0)) == []
    assert now(ledger.awaited("sms", "r2", {}, 0.0)) == []
    now(ledger.expect([], EARLY + 1))
    assert now(ledger.expect([Awaited("sms", "r2", "x@sms", 1, {}, b"")], EARLY + 2)) == []
    now(ledger.close())


def test_what_is_overdue_is_given_until_it_is_settled() -> None:
    """The oldest first."""
    ledger = Ledger(None, InlineDisk())
    now(ledger.expect([ONE, Awaited("sms", "r0", "x@sms", 50.0, {}, b"")], 0.0))
    assert [one.receipt_id for one in now(ledger.overdue(100.0))] == ["r0", "r1"]
    assert now(ledger.overdue(49.0)) == []
    now(ledger.settled(Awaited("sms", "r0", "x@sms", 50.0, {}, b"")))
    assert [one.receipt_id for one in now(ledger.overdue(100.0))] == ["r1"]
    now(ledger.close())
