"""A file goes out whole, stuffed, and waits whenever the transport says so."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from mailnode.couriers.smtp_feeding import BLOCK, FileFeed
from mailnode.smtp.sending import stuffed
from mailnode.wire import Wire
from tests.kit.carrying import filed
from tests.kit.results import InlineDisk, now


def _feed(transport: StringTransport) -> tuple[FileFeed, list[int]]:
    moves: list[int] = []
    return FileFeed(Wire(transport), InlineDisk(), lambda: moves.append(1)), moves


def test_all_blocks_go_out_stuffed(tmp_path: Path) -> None:
    """What is written, and the end that is given back, are the message on the wire."""
    octets = b".\r\n" * BLOCK
    transport = StringTransport()
    feed, moves = _feed(transport)
    end = now(feed.feed(filed(tmp_path / "c", octets)))
    assert transport.value() + end == stuffed(octets)
    assert len(moves) == 3
    assert transport.producer is None


def test_it_waits_while_paused(tmp_path: Path) -> None:
    """After a pause nothing more is read or written until it is resumed."""
    octets = b"x" * (3 * BLOCK)
    transport = StringTransport()
    feed, moves = _feed(transport)
    feed.pauseProducing()
    feeding = Deferred.fromCoroutine(feed.feed(filed(tmp_path / "c", octets)))
    assert len(moves) == 1
    feed.resumeProducing()
    assert feeding.called
    assert transport.value() == octets


def test_cancelling_stops_it(tmp_path: Path) -> None:
    """A cancelled feed lets go of the transport and writes no more."""
    transport = StringTransport()
    feed, _ = _feed(transport)
    feed.pauseProducing()
    feeding = Deferred.fromCoroutine(feed.feed(filed(tmp_path / "c", b"x" * (2 * BLOCK))))
    feeding.cancel()
    feeding.addErrback(lambda _: None)
    feed.resumeProducing()
    assert len(transport.value()) == BLOCK
    assert transport.producer is None
