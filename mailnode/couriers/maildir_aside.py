"""A process aside that writes for a Maildir courier (``maildir_process``), as the courier's thread sees it.

It is begun when there is much to write, and nobody waits for it: until it has loaded what it needs, and whenever it is not
there, the thread writes by itself. When it dies in the middle of a batch nobody knows how far it came: the senders are told
to try again, and what it did write may arrive twice. It is then begun again, a little later.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from mailnode.couriers import maildir_frames as frames
from mailnode.couriers.maildir_delivery import Delivery
from mailnode.couriers.maildir_outcome import TROUBLE

MUCH = 4
"""Deliveries in one batch from which on a process aside is worth its memory."""
RETRY = 5.0
"""Seconds after an end that was not asked for before the next one is begun."""
FAREWELL = 60.0
"""Seconds that it may take to make its journal's files durable at the end."""

Tell = Callable[[str, str], object]
"""Logs what happened and why; called on any thread."""


class ProcessAside:
    """Writes batches elsewhere; everything blocks, and is safe for threads."""

    def __init__(self, charter: frames.Charter, *, clock: IReactorTime, tell: Tell) -> None:
        self._charter = charter
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._wire: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._is_closed = False
        self._next_try = 0.0

    def write(self, batch: Sequence[Delivery]) -> bool:
        """Give every delivery its outcome, or give False: nothing of the batch was touched."""
        with self._lock:
            if self._wire is None:
                if len(batch) >= MUCH:
                    self._begin()
                return False
            if not (self._is_ready or self._has_become_ready(self._wire)):
                return False
            try:
                frames.send(self._wire, frames.packed_batch(batch))
                notes = frames.take_outcomes(frames.receive(self._wire), batch)
            except (OSError, EOFError):
                self._give_up()
                for delivery in batch:
                    delivery.outcome = TROUBLE
                return True
        for text, reason in notes:
            self._tell(text, reason)
        return True

    def close(self) -> None:
        """Let it finish, and wait until it has."""
        with self._lock:
            self._is_closed = True
            if self._wire is not None:
                self._end()

    def _begin(self) -> None:
        if self._is_closed or self._clock.seconds() < self._next_try:
            return
        ours, its = socket.socketpair()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = (sys.executable, "-P", "-m", "mailnode.couriers.maildir_process", str(its.fileno()))
        with its:
            try:
                self._process = subprocess.Popen(command, pass_fds=[its.fileno()], env=environment)
                frames.send(ours, frames.packed_charter(self._charter))
            except OSError as error:
                # A user that may not run this Python, or a system without room for one more process.
                ours.close()
                self._next_try = self._clock.seconds() + 10 * RETRY
                self._tell("No process aside can be begun to write mail", str(error))
                return
        self._wire = ours

    def _has_become_ready(self, wire: socket.socket) -> bool:
        try:
            wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            self._is_ready = frames.receive(wire) == frames.READY
        except BlockingIOError:
            return False
        except (OSError, EOFError):
            self._give_up()
        return self._is_ready

    def _give_up(self) -> None:
        self._end()
        self._next_try = self._clock.seconds() + RETRY
        self._tell("The process that writes mail has ended unasked", "another will be begun")

    def _end(self) -> None:
        wire, self._wire = self._wire, None
        process, self._process = self._process, None
        self._is_ready = False
        if wire is not None:
            wire.close()
        if process is None:
            return
        try:
            process.wait(FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
