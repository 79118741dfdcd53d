"""One run of a program: its input fed as it reads, its output read, its whole process group ended when time is over.

The program leads a session of its own, made by setsid(1), so that a signal reaches all it has started. A program that has
ended may leave a child behind that holds its output open; that child is waited for briefly and then let go.

What is counted here is the real time of processes, so the timers are the reactor's.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPullProducer
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
LINGER = 1.0
"""Seconds in which output may still come once the program has ended."""
BLOCK = 1 << 16
_SESSION = "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"


@frozen
class Program:
    """What is to be run."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(factory=dict)
    folder: str | None = None
    """Where; None: where the node is."""
    uid: int | None = None
    gid: int | None = None


@frozen
class Exit:
    """How a run ended."""

    status: int = 0
    """The exit status; -1 when a signal ended it."""
    signal: int = 0
    output: bytes = b""
    """The beginning of what it printed, of both streams."""
    is_cut: bool = False
    """It printed more than was kept."""
    overdue: float = 0.0
    """The time limit, in seconds, when that ended it."""

    @property
    def is_success(self) -> bool:
        """Tell whether all is well by its own word."""
        return self.status == 0 and not self.overdue

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.overdue:
            return f"not done within {self.overdue:g} seconds"
        return f"ended by signal {self.signal}" if self.signal else f"exit status {self.status}"


@implementer(IPullProducer)
class _Feed:
    """Writes a program's input, a block whenever the last one is gone."""

    def __init__(self, blocks: Iterator[bytes], transport: Any) -> None:
        self._blocks = blocks
        self._transport = transport

    def resumeProducing(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._transport.unregisterProducer()
            self._transport.closeStdin()
        else:
            self._transport.write(block)

    def stopProducing(self) -> None:
        """Write no more: the program does not want to read it all."""
        self._blocks = iter(())


class Run(ProcessProtocol):
    """A program that runs; ``ended`` fires with its Exit, and ends the group when it is cancelled."""

    def __init__(
        self,
        reactor: Any,
        *,
        feed: Iterator[bytes] = iter(()),  # noqa: B008 - nothing can be taken out of it
        keep: int = 0,
        limit: float = 0.0,
        hear: Callable[[bytes], None] | None = None,
    ) -> None:
        self.ended: Deferred[Exit] = Deferred(lambda _: self.end())
        self.gone: Deferred[None] = Deferred()
        """Fires when the process is no more, also when nobody waits for ``ended`` any longer."""
        self._reactor = reactor
        self._blocks = feed
        self._keep = keep
        self._limit = limit
        self._hear = hear
        self._output = bytearray()
        self._is_cut = False
        self._overdue = 0.0
        self._is_ending = False
        self._timer: IDelayedCall | None = None
        self._group = 0
        self.transport: Any = None

    def start(self, program: Program) -> "Deferred[Exit]":
        """Start it; gives ``ended``."""
        session = _session()
        environment = {name: value.encode("utf-8", "surrogateescape") for name, value in program.environment.items()}
        arguments = [one.encode("utf-8", "surrogateescape") for one in (*session, *program.arguments)]
        # Standard error is read apart, so that a program may print its messages on the other.
        self._reactor.spawnProcess(
            self, session[0], arguments, env=environment, path=program.folder, uid=program.uid, gid=program.gid,
            childFDs={0: "w", 1: "r", 2: "r"},
        )  # fmt: skip
        return self.ended

    def end(self) -> None:
        """Ask the whole group to end, and make it so a little later."""
        if self._is_ending or self.transport is None or self.transport.pid is None:
            return
        self._is_ending = True
        self._signal(signal.SIGTERM)
        self._set_timer(GRACE, self._kill)

    # --- what the process does

    def connectionMade(self) -> None:
        """Begin to feed it."""
        self._group = self.transport.pid
        self.transport.registerProducer(_Feed(self._blocks, self.transport), False)
        if self._limit:
            self._set_timer(self._limit, self._overrun)

    def outReceived(self, octets: bytes) -> None:
        """Hear what it prints."""
        if self._hear is not None:
            self._hear(octets)
        else:
            self.errReceived(octets)

    def errReceived(self, octets: bytes) -> None:
        """Keep the beginning; the rest is only read."""
        left = self._keep - len(self._output)
        self._output += octets[: max(0, left)]
        self._is_cut = self._is_cut or len(octets) > left

    def processExited(self, reason: Failure) -> None:  # noqa: ARG002 - of the interface
        """Wait a little for the end of its output."""
        if self._is_ending:
            self._signal(signal.SIGKILL)  # whoever of the group has not obeyed
        self._set_timer(LINGER, self.transport.loseConnection)

    def processEnded(self, reason: Failure) -> None:
        """Tell how it ended."""
        self._set_timer(0.0, None)
        code, number = getattr(reason.value, "exitCode", None), getattr(reason.value, "signal", None)
        status = -1 if code is None else code
        self.gone.callback(None)
        if not self.ended.called:
            self.ended.callback(Exit(status, number or 0, bytes(self._output), self._is_cut, self._overdue))

    # --- time

    def _overrun(self) -> None:
        self._overdue = self._limit
        self._timer = None
        self.end()

    def _kill(self) -> None:
        self._timer = None
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # It may not have got as far as having a group of its own; then it is alone.
        for send, whom in ((os.killpg, self._group), (os.kill, self.transport.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError, TypeError):
                send(whom, number)
                return

    def _set_timer(self, seconds: float, act: Callable[[], object] | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(seconds, act) if act is not None else None


async def run_to_end(reactor: Any, program: Program, *, feed: Iterator[bytes], keep: int, limit: float) -> Exit:
    """Run a program to its end; whoever cancels this ends the program."""
    return await Run(reactor, feed=feed, keep=keep, limit=limit).start(program)


def sliced(octets: bytes, *, before: bytes = b"", newlines: str = "lf") -> Iterator[bytes]:
    """Give a message, whose lines end in CRLF, in blocks, with LF line ends unless ``newlines`` is ``crlf``."""
    if before:
        lines = before.replace(b"\r\n", b"\n")
        yield lines if newlines == "lf" else lines.replace(b"\n", b"\r\n")
    start = 0
    while start < len(octets):
        end = start + BLOCK
        if octets[end - 1 : end] == b"\r":
            end += 1
        block = octets[start:end]
        yield block if newlines == "crlf" else block.replace(b"\r\n", b"\n")
        start = end


@cache
def _session() -> Sequence[str]:
    """Give the words before a command that make it lead a session."""
    found = shutil.which("setsid", path="/usr/bin:/bin")
    return (found, "--") if found else (sys.executable, "-I", "-S", "-c", _SESSION)
