"""ETRN: who may start the queue, for what, and how often."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from mailnode.interfaces import Selection, SpoolTrouble
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Seconds
from mailnode.roles.queue_start import MOST, EtrnSettings, QueueStart
from tests.kit.results import now

FRIEND = Peer("192.0.2.1")
STRANGER = Peer("203.0.113.9")


class Spool:
    """Remembers what was retried."""

    def __init__(self, count: int = 3) -> None:
        self.count = count
        self.asked: list[Selection] = []
        self.is_troubled = False

    async def retry(self, selection: Selection, now: float) -> int:
        """Remember."""
        if self.is_troubled:
            raise SpoolTrouble("no disk")
        self.asked.append(selection)
        return self.count


class Queue:
    """Counts how often it was woken."""

    woken = 0

    def wake(self) -> None:
        """Count."""
        self.woken += 1


class Stage:
    """What ETRN works on."""

    def __init__(self, settings: EtrnSettings | None = None, count: int = 3) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.spool, self.queue = Spool(count), Queue()
        spool: Any = self.spool
        queue: Any = self.queue
        self.role = QueueStart(spool, queue, self.clock, settings or EtrnSettings(), lambda peer: peer == FRIEND)

    def start(self, argument: str, peer: Peer = FRIEND) -> str:
        """Give the answer to ETRN."""
        return str(now(self.role.start(peer, argument)))


@pytest.mark.rfc("1985", "5.3")
@pytest.mark.parametrize(
    ("argument", "selection"),
    [
        ("Branch.Example", Selection(domain="branch.example")),
        ("bücher.example", Selection(domain="xn--bcher-kva.example")),
        ("@branch.example", Selection(domain="branch.example", with_subdomains=True)),
        ("#[192.0.2.7]:26", Selection(next_hop="[192.0.2.7]:26")),
        ("[192.0.2.7]", Selection(domain="[192.0.2.7]")),
    ],
)
def test_what_is_meant(argument: str, selection: Selection) -> None:
    """A node, a domain with all beneath it, or what leads to a next hop; the answer tells how many wait."""
    stage = Stage()
    assert stage.start(argument) == f"253 2.0.0 OK, 3 pending messages for node {argument} started"
    assert stage.spool.asked == [selection]
    assert stage.queue.woken == 1


@pytest.mark.rfc("1985", "5.3")
def test_nothing_waits() -> None:
    """Then 251, and the queue sleeps on."""
    stage = Stage(count=0)
    assert stage.start("branch.example").startswith("251 ")
    assert not stage.queue.woken


@pytest.mark.rfc("1985", "5.3")
@pytest.mark.parametrize("argument", ["", "@", "#", "a b", "a..b", "-", "@-x-.example", "x" * 300])
def test_what_is_no_node(argument: str) -> None:
    """501, and nothing is started."""
    stage = Stage()
    assert stage.start(argument).startswith("501 5.5.4")
    assert not stage.spool.asked


def test_strangers_start_only_what_is_open() -> None:
    """459 for all other domains, and for queues by their name."""
    stage = Stage(EtrnSettings(domains=("open.example",)))
    for argument in ("open.example", "@open.example", "a.open.example"):
        assert stage.start(argument, STRANGER).startswith("253 ")
    for argument in ("closed.example", "notopen.example", "#open.example", "@example"):
        assert stage.start(argument, STRANGER).startswith("459 4.7.1")


def test_not_too_often() -> None:
    """Whoever asks again at once is told 458; another node, or a little later, is well."""
    stage = Stage(EtrnSettings(every=Seconds(10)))
    assert stage.start("a.example").startswith("253")
    assert stage.start("A.example").startswith("458 4.3.0")
    assert stage.start("b.example").startswith("253")
    stage.clock.advance(10)
    assert stage.start("a.example").startswith("253")


def test_what_is_remembered_is_bounded() -> None:
    """After very many nodes the oldest is forgotten."""
    stage = Stage(EtrnSettings(every=Seconds(10)), count=0)
    for number in range(MOST + 1):
        stage.start(f"n{number}.example")
    assert stage.start("n0.example").startswith("251")
    assert stage.start(f"n{MOST}.example").startswith("458")


def test_trouble_with_the_spool() -> None:
    """It is 458: the client may ask again."""
    stage = Stage()
    stage.spool.is_troubled = True
    assert stage.start("a.example").startswith("458")
