"""The process that writes into Maildirs for a courier: ``python -m mailnode.couriers.maildir_process DESCRIPTOR``.

Started by ``maildir_aside`` and by nobody else. Writing a message is six system calls, and a thread gives up the
interpreter's lock for each of them and waits for it afterwards, while the reactor does the same; apart from it the same work
takes a third less time, and on another core. Everything here is the courier's thread's work, with a journal of its own.

It ends when the courier closes its end of the socket, however that came to be: what was begun is finished, and the
journal's files are made durable. Signals to the whole group are the node's.
"""

import signal
import socket
import sys
from random import SystemRandom
from typing import cast

from twisted.internet.interfaces import IReactorTime
from twisted.python import runtime
from twisted.python.failure import Failure

from mailnode.couriers import maildir_frames as frames
from mailnode.couriers.maildir_journal import Journal
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_quota import Limit
from mailnode.couriers.maildir_writer import MaildirWriter
from mailnode.mail.quantity import Octets


class _SystemClock:
    """The one thing that writing asks of a clock."""

    @staticmethod
    def seconds() -> float:
        return runtime.seconds()


def serve(wire: socket.socket) -> None:
    """Write batch after batch until the other side closes."""
    charter = frames.read_charter(frames.receive(wire))
    notes: list[frames.Note] = []

    def tell(text: str, failure: Failure | None) -> None:
        notes.append((text, failure.getErrorMessage() if failure else ""))

    clock = cast("IReactorTime", _SystemClock())
    random = SystemRandom()
    journal = Journal(charter.root, owner=charter.owner, clock=clock, random=random, tell=tell)
    writer = MaildirWriter(
        charter.root, UniqueNames(charter.hostname, clock, random), Limit(Octets(charter.quota), charter.quota_messages),
        clock, journal=journal if charter.has_journal else None,
    )  # fmt: skip
    try:
        frames.send(wire, frames.READY)
        while True:
            batch = frames.read_batch(frames.receive(wire), is_unix=charter.is_unix)
            writer.write(batch)
            said = notes[:]
            del notes[: len(said)]
            frames.send(wire, frames.packed_outcomes(batch, said))
    except (EOFError, ConnectionError):
        pass
    finally:
        journal.close()


def main() -> None:
    """Serve the socket whose descriptor is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as wire:
        serve(wire)


if __name__ == "__main__":
    main()
