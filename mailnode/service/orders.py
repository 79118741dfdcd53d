"""What the main process tells the others, over a pipe to each: values, one after the other.

An order is its length in four octets, then the pickled value. Both ends are the same program of the same user, joined by
a pipe that nobody else can open, so what is read was written by us.
"""

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from mailnode.certificates.stock import Stock
from mailnode.mail.message import Message, QueuedRecipient
from mailnode.service.settings import NodeSettings
from mailnode.service.sockets import Inherited

PREFIX = 4
"""Octets of an order's length."""

READY = b"r"
"""What a worker answers once its doors are open."""


@frozen
class Charter:
    """The first order: what a worker is to be."""

    number: int
    """1, 2, ...: its leases and its files are known by it, so the next one in its place frees and finds them."""
    settings: NodeSettings
    """The main process's, so that a file that was changed meanwhile cannot set them apart."""
    folder: Path
    hostname: str
    addresses: frozenset[str]
    reactor: str
    """The module of the reactor to install."""
    log: Path | None
    """The file to write to; None: standard output."""
    lock: int
    """The descriptor of the data folder's lock, which holds for as long as any process lives."""
    doors: tuple[tuple[int, Inherited], ...]
    """Places in ``settings.listener``, each with its socket."""
    certificates: Stock | None = None
    """What TLS shows; None where no listener has it."""


@frozen
class Apply:
    """The settings have changed."""

    settings: NodeSettings


@frozen
class Show:
    """The certificates have changed."""

    certificates: Stock


@frozen
class Reopen:
    """Open the log file anew."""


@frozen
class Wake:
    """The spool has changed: look into it."""


@frozen
class Recall:
    """What is meant was held or removed: give it back to the spool."""

    is_meant: Callable[[Message, QueuedRecipient], bool]
    """A function that pickle knows by its name, or a ``partial`` of one."""


Order = Charter | Apply | Show | Reopen | Wake | Recall


def packed(order: Order) -> bytes:
    """Make the octets of an order."""
    octets = pickle.dumps(order)
    return len(octets).to_bytes(PREFIX, "big") + octets


def unpacked(received: bytearray) -> Iterator[Order]:
    """Take the orders that have come whole away from ``received``."""
    while len(received) >= PREFIX:
        end = PREFIX + int.from_bytes(received[:PREFIX], "big")
        if len(received) < end:
            return
        order: Order = pickle.loads(received[PREFIX:end])  # noqa: S301 - written by the process that started us
        del received[:end]
        yield order


def read_one(descriptor: int, read: Callable[[int, int], bytes] = os.read) -> Order:
    """Wait for one order and read not an octet more; EOFError when the pipe ends."""
    length = int.from_bytes(_exactly(descriptor, PREFIX, read), "big")
    order: Order = pickle.loads(_exactly(descriptor, length, read))  # noqa: S301 - see above
    return order


def _exactly(descriptor: int, count: int, read: Callable[[int, int], bytes]) -> bytes:
    received = b""
    while len(received) < count:
        octets = read(descriptor, count - len(received))
        if not octets:
            raise EOFError("the pipe has ended")
        received += octets
    return received
