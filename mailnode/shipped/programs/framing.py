"""Where one message of a stream ends: after a line, a blank line, a NUL, or before the next From_ line of an mbox.

A frame that grows beyond the limit is given as far as it is kept, and its rest is thrown away.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from attrs import define, field

Frames = Literal["lines", "blocks", "nul", "mbox"]

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


@define
class Framer:
    """Cuts a stream; ``hear`` gets each frame and whether it was cut short."""

    frames: Frames
    limit: int
    """Octets of a frame that are kept."""
    hear: Callable[[bytes, bool], None]
    _held: bytearray = field(init=False, factory=bytearray)
    _is_over: bool = field(init=False, default=False)

    def feed(self, octets: bytes) -> None:
        """Take what the program has printed."""
        mark, kept = _MARKS[self.frames]
        self._held += octets
        begin = 0
        # What was searched before can hold only the beginning of a mark.
        search = max(0, len(self._held) - len(octets) - len(mark))
        while (end := self._held.find(mark, search)) >= 0:
            self._give(bytes(self._held[begin : end + kept]))
            begin = search = end + (len(mark) if kept == 0 else kept)
        del self._held[:begin]
        if len(self._held) > self.limit + len(mark):
            if not self._is_over:
                self._pass_on(bytes(self._held[: self.limit]), is_cut=True)
            self._is_over = True
            del self._held[: -len(mark)]

    def end(self) -> None:
        """Give what is left when the stream is over."""
        rest = bytes(self._held)
        self._held.clear()
        self._give(rest)
        self._is_over = False

    def _give(self, frame: bytes) -> None:
        if self._is_over:
            self._is_over = False
            return
        self._pass_on(frame[: self.limit], is_cut=len(frame) > self.limit)

    def _pass_on(self, frame: bytes, *, is_cut: bool) -> None:
        if frame.strip(b"\r\n\0 \t"):
            self.hear(frame, is_cut)


_MARKS: Mapping[Frames, tuple[bytes, int]] = {
    "lines": (b"\n", 0),
    "blocks": (b"\n\n", 0),
    "nul": (b"\0", 0),
    "mbox": (b"\n\nFrom ", 2),
}
"""What stands between two frames, and how much of it still belongs to the first; the rest begins the second."""


def without_from_line(frame: bytes) -> tuple[str, bytes]:
    """Take a message out of its mbox: the sender of its From_ line, empty if it has none, and the message (mboxrd)."""
    first, _, rest = frame.lstrip(b"\n").partition(b"\n")
    if not first.startswith(b"From "):
        return "", frame
    words = first.decode("utf-8", "replace").split()
    sender = words[1] if len(words) > 1 else ""
    return sender, _QUOTED.sub(rb"\1", rest)


def crlf(octets: bytes) -> bytes:
    """Make every line end CRLF."""
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
