"""``python -m tests.bench.fill FOLDER RECIPIENTS NOW SINK``: put recipients into a node's spool while it is down.

NOW of them are due at once, at the sink; the others in an hour, on a thousand lanes. A hundred share a message.
"""

import sys
import time
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Message, NewEntry
from mailnode.mail.route import Lane, Route
from mailnode.spool.hand import Reactor
from mailnode.spool.sqlite import SqliteSpool
from tests.bench.site import DOMAIN, SINK

PER_MESSAGE = 100
_LANES = 1000
_AT_ONCE = 100
_HOUR = 3600.0
_SENDER = Mailbox("sender", DOMAIN)
_CONTENT = Content(b"Subject: waiting\r\n\r\n" + b"x" * 70 + b"\r\n" * 50)


async def fill(reactor: Reactor, folder: Path, recipients: int, due_now: int, sink: str) -> None:
    """Accept all of it into the spool."""
    spool = SqliteSpool(folder, owner="fill", reactor=reactor)
    await spool.recover()
    messages = range(recipients // PER_MESSAGE)
    for first in messages[::_AT_ONCE]:
        some = messages[first : first + _AT_ONCE]
        await gatherResults([Deferred.fromCoroutine(_accept(spool, number, due_now, sink)) for number in some])
    await spool.close()


async def _accept(spool: SqliteSpool, number: int, due_now: int, sink: str) -> None:
    now = time.time()  # the node that reads it lives by the real clock
    is_due = number * PER_MESSAGE < due_now
    boxes = [_box(number * PER_MESSAGE + one, is_due) for one in range(PER_MESSAGE)]
    envelope = Envelope(_SENDER, tuple(map(Recipient, boxes)))
    routes = tuple(Route(Lane("smtp", sink if is_due else f"[{box.domain}]"), box) for box in boxes)
    message = Message(f"fill{number}", envelope, _CONTENT, now)
    await spool.accept(NewEntry(message, routes, now + 5 * 24 * _HOUR), due=now if is_due else now + _HOUR)


def _box(number: int, is_due: bool) -> Mailbox:
    return Mailbox(f"u{number}", SINK if is_due else f"lane{number % _LANES}.test")


def main(reactor: Reactor, folder: str, recipients: str, due_now: str, sink: str) -> Deferred[None]:
    """Fill, under twisted's ``react``."""
    return Deferred.fromCoroutine(fill(reactor, Path(folder), int(recipients), int(due_now), sink))


if __name__ == "__main__":
    react(main, sys.argv[1:])
