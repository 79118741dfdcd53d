"""Write events down: a line for people, or a JSON object a line for programs.

``LogLines`` is the observer that twistd is given in place of its own. Lines of one turn of the reactor leave in one
write, which under load is one system call for many events; what is serious is written at once. Words of a peer
stand in events, so nothing that a terminal would obey gets through.

Fields of an event keep their types in JSON. What is secret never comes this far: whoever holds a secret keeps it out
of its event.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from select import PIPE_BUF
from stat import S_ISREG
from typing import Any, TextIO

from twisted.internet.interfaces import IReactorTime
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from mailnode.service.settings import LogSettings

_LEVELS = ("debug", "info", "warn", "error", "critical")
_URGENT = (LogLevel.error, LogLevel.critical)
_TWISTEDS = frozenset(
    ("isError", "time", "system", "message", "format", "why", "failure", "id", "traceback", "warning", "category")
)
"""Keys of Twisted's older log, which say nothing that the newer ones do not."""

_LONGEST = 8000
"""Characters of a message that are written; a peer must not fill the disk with one line."""


@implementer(ILogObserver)
class LogLines:
    """An observer that writes one line for each event that is important enough."""

    def __init__(
        self,
        settings: LogSettings,
        path: Path | None,
        stream: TextIO,
        clock: IReactorTime,
        owner: tuple[int, int] = (-1, -1),
    ) -> None:
        """Write to the file at ``path``, else to ``stream``; ``owner`` is whom a new file is given to by root."""
        self.path = path
        self._owner = owner
        self._file = stream if path is None else self._opened(path)
        self._clock = clock
        self._is_file = _is_regular(self._file)
        self._lines: list[str] = []
        self._flush_is_due = False
        self.apply(settings)

    def _opened(self, path: Path) -> TextIO:
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
        if not os.geteuid():
            # Privileges are dropped later; whoever we become must be able to open it anew.
            os.fchown(file.fileno(), *self._owner)
        return file

    def apply(self, settings: LogSettings) -> None:
        """Take another level and format from now on."""
        self._render: Callable[[LogEvent], str] = json_line if settings.format == "json" else plain_line
        self._levels = frozenset(map(LogLevel.lookupByName, _LEVELS[_LEVELS.index(settings.level) :]))

    def __call__(self, event: LogEvent) -> None:
        """Take one event."""
        level = event.get("log_level", LogLevel.info)
        if level not in self._levels:
            return
        self._lines.append(self._render(event))
        if level in _URGENT:
            self.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self._clock.callLater(0, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        self._flush_is_due = False
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            for text in self._portions(lines):
                self._file.write(text)
                self._file.flush()
        except (OSError, ValueError):
            return  # a full disk or a closed terminal must not stop the mail

    def _portions(self, lines: list[str]) -> Iterator[str]:
        """Give what one write may hold: other processes write there too, and no line may be torn apart.

        A file takes all in one piece; a pipe promises it for a few lines (PIPE_BUF octets).
        """
        text = "\n".join(lines) + "\n"
        if self._is_file or len(text.encode(errors="backslashreplace")) <= PIPE_BUF:
            yield text
        else:
            yield from (f"{line}\n" for line in lines)

    def reopen(self) -> None:
        """Open the file anew by name, after somebody has moved it away; raises OSError and keeps the old one open."""
        self.flush()
        if self.path is not None:
            new = self._opened(self.path)
            self._file.close()
            self._file = new

    def close(self) -> None:
        """Write what waits and close the file."""
        self.flush()
        if self.path is not None:
            self._file.close()


def _is_regular(file: TextIO) -> bool:
    try:
        return S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError):
        return False  # in memory, or closed


def plain_line(event: LogEvent) -> str:
    """Render ``time level [namespace] message``; the lines of a traceback follow, set in."""
    level = event.get("log_level", LogLevel.info)
    line = f"{timestamp(event)} {level.name} [{event.get('log_namespace', '-')}] {harmless(_message(event))}"
    trace = _traceback(event)
    return f"{line}\n    {_indented(trace)}" if trace else line


def _indented(trace: str) -> str:
    return "\n    ".join(harmless(line) for line in trace.rstrip("\n").split("\n"))


def json_line(event: LogEvent) -> str:
    """Render an object with time, level, namespace and message, and the event's own fields beside them."""
    level = event.get("log_level", LogLevel.info)
    made: dict[str, Any] = {
        "time": timestamp(event),
        "level": level.name,
        "namespace": event.get("log_namespace", ""),
        "message": _message(event),
    }
    trace = _traceback(event)
    if trace:
        made["traceback"] = trace
    made.update(fields(event))
    line = json.dumps(made, ensure_ascii=False, default=str)
    # C1 controls and marks that turn the writing direction are nothing to JSON, and orders to a terminal.
    return line if line.isprintable() else json.dumps(made, default=str).replace("\x7f", "\\u007f")


def fields(event: LogEvent) -> dict[str, Any]:
    """Give an event's own fields, without the log's."""
    return {
        key: value for key, value in event.items() if key[:4] != "log_" and key not in _TWISTEDS and not callable(value)
    }


def message_of(event: LogEvent) -> str:
    """Fill the event's format with its fields; the event remembers it, since both log and history ask."""
    text: str | None = event.get("log_text")
    if text is None:
        text = event["log_text"] = _filled(event)
    return text


def _filled(event: LogEvent) -> str:
    form = event.get("log_format")
    if isinstance(form, str):
        try:
            return form.format_map(event)
        except (KeyError, ValueError, AttributeError, IndexError, TypeError):
            pass  # it calls something, or a field is not there: Twisted's own way is ten times slower and forgives all
    return formatEvent(event)


def _message(event: LogEvent) -> str:
    text = message_of(event)
    if not text and "log_failure" in event:
        text = event["log_failure"].getErrorMessage()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return "" if failure is None else str(failure.getTraceback())


_second: tuple[int, str] = (0, "")


def timestamp(event: LogEvent) -> str:
    """Render the event's time in UTC (RFC 3339), to the millisecond."""
    global _second  # noqa: PLW0603 - events come many to a second, and the calendar is dear
    moment = float(event.get("log_time", 0.0))
    whole = int(moment)
    if whole != _second[0]:
        _second = (whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)))
    return f"{_second[1]}.{int((moment - whole) * 1000):03d}Z"


def harmless(text: str) -> str:
    """Escape what is not printable: line ends, which would forge a second event, and what terminals obey."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )
