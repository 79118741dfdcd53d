"""A process that accepts into a spool and settles as fast as it can, telling each step, until it is killed."""

import os
import sys
from pathlib import Path
from typing import cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from mailnode.interfaces import Settlement
from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Message, NewEntry
from mailnode.mail.route import Lane, Route
from mailnode.spool.hand import Reactor
from mailnode.spool.sqlite import SqliteSpool

ANN = Mailbox("ann", "example.org")
LANE = Lane("smtp", "example.org")


def tell(step: str, queue_id: str) -> None:
    """Say it past every buffer of ours."""
    os.write(1, f"{step} {queue_id}\n".encode())


def content(folder: Path, queue_id: str, number: int) -> Content:
    """Make content; every fifth message's lies in a file."""
    octets = f"Subject: {queue_id}\r\n\r\n".encode() + b"x" * (100_000 if number % 5 == 0 else 2000) + b"end\r\n"
    if number % 5:
        return Content(octets)
    path = folder / "incoming" / queue_id
    path.write_bytes(octets)
    return Content(b"", path, len(octets))


async def work(spool: SqliteSpool, folder: Path, worker: int) -> None:
    """Accept, and settle two of three."""
    for number in range(1_000_000):
        queue_id = f"w{worker}n{number}"
        message = Message(queue_id, Envelope(ANN, (Recipient(ANN),)), content(folder, queue_id, number), 1.0)
        entry = await spool.accept(NewEntry(message, (Route(LANE, ANN),), 9e9), due=0.0, lease_until=8e9)
        tell("accepted", queue_id)
        if number % 3:
            tell("settles", queue_id)
            await spool.settle([Settlement(one.key, done=True) for one in entry.recipients])
            tell("settled", queue_id)


async def main(folder: Path) -> None:
    """Work in ten places at once."""
    (folder / "incoming").mkdir(parents=True)
    spool = SqliteSpool(folder, owner="load", reactor=cast("Reactor", reactor))
    await spool.recover()
    await gatherResults([Deferred.fromCoroutine(work(spool, folder, worker)) for worker in range(10)])


if __name__ == "__main__":
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main(Path(sys.argv[1]))))
    reactor.run()
