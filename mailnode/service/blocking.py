"""A watch on the reactor: a gateway that blocks it is named in the log while it still does.

Once a second a thread asks the reactor for a sign of life. When none has come for ``LIMIT`` seconds, it looks what the
reactor's thread is doing: a step of ``deliver`` is marked with the gateway's name (``gateways.slices``); a source is known by the
file its code stands in. It cannot be stopped from outside, but whoever reads the log knows whom to mend.

Only a node with gateways has this watch.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from twisted.logger import Logger

from mailnode.gateways.slices import Slices

EVERY = 1.0
"""Seconds between two signs of life."""
LIMIT = 2.0
"""Seconds without one, after which the log is told."""
MOST_LINES = 12
"""Lines of the stack in the log."""


class BlockWatch:
    """Watches from ``start`` to ``stop``. ``files`` are the source files of gateways, by their names."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        slices: Slices,
        files: Mapping[str, str],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reactor = reactor
        self._slices = slices
        self._files = files
        self._steady = steady
        self._stopped = threading.Event()
        self._thread_id = 0
        self._asked = 0.0
        self._is_answered = True
        self._blamed = ""

    def start(self) -> None:
        """Begin; to be called on the reactor's thread."""
        self._thread_id = threading.get_ident()
        threading.Thread(target=self._watch, name="block watch", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Look once; on the watching thread."""
        now = self._steady()
        if self._is_answered:
            self._is_answered = False
            self._asked = now
            self._reactor.callFromThread(self._answer)
        elif now - self._asked >= LIMIT and not self._blamed:
            frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - the documented way to see another thread
            self._blamed = self._slices.current or self._owner(frame) or "unknown"
            where = "".join(traceback.format_stack(frame)[-MOST_LINES:]) if frame is not None else ""
            self.log.error(
                "gateway {gateway} blocks the reactor for {seconds:.1f}s by now; nothing else goes on:\n{where}",
                event="blocked", gateway=self._blamed, seconds=now - self._asked, where=where,
            )  # fmt: skip

    def _owner(self, frame: FrameType | None) -> str:
        """Find the gateway whose file is on the stack."""
        while frame is not None:
            found = sorted(name for name, file in self._files.items() if file == frame.f_code.co_filename)
            if found:
                return " or ".join(found)
            frame = frame.f_back
        return ""

    def _answer(self) -> None:
        """Give the sign of life; on the reactor's thread."""
        blamed, self._blamed = self._blamed, ""
        self._is_answered = True
        if blamed:
            seconds = self._steady() - self._asked
            self.log.error(
                "gateway {gateway} blocked the reactor for {seconds:.1f}s",
                event="blocked",
                gateway=blamed,
                seconds=seconds,
            )
