"""Tests of the log: one line an event, nothing a terminal would obey, fields kept in JSON."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogLevel, formatEvent
from twisted.python.failure import Failure

from mailnode.service.logs import LogLines, harmless, json_line, message_of, plain_line
from mailnode.service.settings import LogSettings


def event(text: str = "{peer} came", level: str = "info", **own: Any) -> dict[str, Any]:
    """Make an event as a Logger does."""
    return {
        "log_format": text, "log_level": LogLevel.lookupByName(level), "log_namespace": "a.room",
        "log_time": 1_700_000_000.25, "log_source": None, "peer": "192.0.2.1", **own,
    }  # fmt: skip


def test_a_plain_line_has_time_level_and_message() -> None:
    """Times are UTC, to the millisecond."""
    assert plain_line(event()) == "2023-11-14T22:13:20.250Z info [a.room] 192.0.2.1 came"


def test_a_json_line_keeps_the_fields() -> None:
    """Fields stand beside the message with their own types; the log's own keys do not."""
    made = json.loads(json_line(event(event="session", accepted=3, notes=["early-talker"], path=Path("/x"))))
    assert made == {
        "time": "2023-11-14T22:13:20.250Z", "level": "info", "namespace": "a.room", "message": "192.0.2.1 came",
        "peer": "192.0.2.1", "event": "session", "accepted": 3, "notes": ["early-talker"], "path": "/x",
    }  # fmt: skip


def test_a_peer_cannot_forge_a_second_line() -> None:
    """Line ends and escape sequences in a peer's words are shown, not obeyed."""
    hostile = event(peer="x\r\n2023 info [a] forged \x1b[2J\x00\u202e")
    assert plain_line(hostile).count("\n") == 0
    assert "\x1b" not in plain_line(hostile)
    assert json_line(hostile).count("\n") == 0


@pytest.mark.parametrize("mark", ["\x9b", "\x7f", "\u202e", "\u2028", "\x85", "\ud800"])
def test_a_json_line_shows_what_a_terminal_would_obey(mark: str) -> None:
    """JSON allows C1 controls, marks of direction and separators of lines as they are; the log does not."""
    line = json_line(event(peer=f"x{mark}31m"))
    assert line.isprintable()
    assert json.loads(line)["peer"] == f"x{mark}31m"


def test_letters_of_all_scripts_stay() -> None:
    """Only what cannot be printed is escaped."""
    assert harmless("grüße 中文") == "grüße 中文"
    assert harmless("a\tb") == "a\\tb"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("{peer} {delay:.1f}", "192.0.2.1 1.5"),
        ("{peer!r}", "'192.0.2.1'"),
        ("{call()}", "called"),
        ("{{peer}}", "{peer}"),
    ],
)
def test_formats_read_as_twisted_reads_them(form: str, expected: str) -> None:
    """The quick way and Twisted's give the same."""
    made = event(form, delay=1.5, call=lambda: "called")
    assert message_of(made) == formatEvent(made) == expected


def test_a_format_that_does_not_fit_is_still_a_line() -> None:
    """A field that is not there loses no event."""
    assert "nowhere" in plain_line(event("{nowhere} {0} {"))


def test_a_long_message_is_cut() -> None:
    """A line is bounded."""
    assert len(plain_line(event(peer="x" * 100_000))) < 9000


def test_a_failure_brings_its_traceback() -> None:
    """The traceback stands below a plain line, set in, and is a field in JSON."""
    failed = event("", "critical", log_failure=Failure(ValueError("no")))
    first, *rest = plain_line(failed).splitlines()
    assert first.endswith("critical [a.room] no")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "ValueError" in json.loads(json_line(failed))["traceback"]


def test_lines_of_one_turn_leave_together() -> None:
    """Nothing is written before the turn ends, then everything at once."""
    clock, stream = Clock(), io.StringIO()
    lines = LogLines(LogSettings(), None, stream, clock)
    lines(event())
    lines(event(peer="192.0.2.2"))
    assert not stream.getvalue()
    clock.advance(0)
    assert stream.getvalue().count("\n") == 2


def test_what_is_urgent_is_written_at_once() -> None:
    """An error does not wait for the turn's end."""
    stream = io.StringIO()
    LogLines(LogSettings(), None, stream, Clock())(event(level="error"))
    assert stream.getvalue()


@pytest.mark.parametrize(("level", "written"), [("debug", 5), ("info", 4), ("warn", 3), ("error", 2), ("critical", 1)])
def test_the_level_is_the_least_that_is_written(level: Any, written: int) -> None:
    """Less important events cost nothing but the call."""
    stream = io.StringIO()
    lines = LogLines(LogSettings(level=level), None, stream, Clock())
    for one in ("debug", "info", "warn", "error", "critical"):
        lines(event(level=one))
    lines.flush()
    assert stream.getvalue().count("\n") == written


def test_format_and_level_change_under_way() -> None:
    """``apply`` counts from the next event on."""
    stream = io.StringIO()
    lines = LogLines(LogSettings(), None, stream, Clock())
    lines.apply(LogSettings(format="json", level="debug"))
    lines(event(level="debug"))
    lines.flush()
    assert json.loads(stream.getvalue())["level"] == "debug"


def test_a_file_is_opened_anew_by_name(tmp_path: Path) -> None:
    """What is written after ``reopen`` stands in the new file, what was before in the old one."""
    path = tmp_path / "mail.log"
    lines = LogLines(LogSettings(), path, io.StringIO(), Clock())
    lines(event())
    path.rename(tmp_path / "mail.log.1")
    lines.reopen()
    lines(event(peer="192.0.2.9"))
    lines.close()
    assert "192.0.2.1" in (tmp_path / "mail.log.1").read_text()
    assert "192.0.2.9" in path.read_text()


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    """A closed stream is passed over."""
    stream = io.StringIO()
    lines = LogLines(LogSettings(), None, stream, Clock())
    stream.close()
    lines(event(level="error"))


def test_a_pipe_gets_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long for one write to a pipe is written line by line, so that no other process tears a line apart."""
    stream = io.StringIO()
    written: list[str] = []
    monkeypatch.setattr(stream, "write", written.append)
    lines = LogLines(LogSettings(), None, stream, Clock())
    for _ in range(100):
        lines(event(peer="x" * 100))
    lines.flush()
    assert len(written) == 100
    assert all(text.endswith("\n") and text.count("\n") == 1 for text in written)
