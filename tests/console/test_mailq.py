"""Tests of the queue as mailq shows it."""

from typing import Any

import pytest

from mailnode.console import mailq
from mailnode.console.trouble import DENIED, Trouble

ENTRY: dict[str, Any] = {
    "queue_id": "LZVyJDqQcbA4R5vv", "from": "", "size": 2000, "arrived": 0.0,
    "recipients": [{"to": "ann@example.net", "held": True, "last": "451 4.3.0 Later\x1b"}],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Answer with one entry; give what was asked."""
    requests: list[dict[str, Any]] = []

    def ask(_: object, request: dict[str, Any], *, show: Any) -> None:
        requests.append(request)
        if request.get("domain") == "secret":
            raise Trouble("not permitted", code=DENIED)
        show(ENTRY)

    monkeypatch.setattr(mailq, "ask", ask)
    monkeypatch.setattr(mailq, "settings_from", lambda _: None)
    return requests


def test_an_entry_has_its_lines(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    """Held is marked, the null sender has a name, and what strangers wrote does no harm to a terminal."""
    assert mailq.show(None) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("-Queue ID-")
    assert lines[1].startswith("LZVyJDqQcbA4R5vv!     2000 Thu Jan ")
    assert lines[1].endswith(" MAILER-DAEMON")
    assert lines[2].strip() == r"(451 4.3.0 Later\x1b)"
    assert lines[3].strip() == "ann@example.net"
    assert lines[-1] == "-- 2 Kbytes in 1 Request."
    assert asked == [{"command": "queue.list"}]


def test_the_queue_is_run_for_one_or_all(asked: list[dict[str, Any]]) -> None:
    """And who may not is told so by the exit code."""
    assert mailq.retry(None, queue_id="abc", domain="") == 0
    assert asked == [{"command": "queue.retry", "queue_id": "abc", "domain": ""}]
    assert mailq.retry(None, queue_id="", domain="secret") == 77
