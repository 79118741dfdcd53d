"""SIGKILL at any instant: what was acknowledged arrives, at most twice; never not at all."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit import proc
from tests.kit.node import Node, settings
from tests.kit.peers import Peer
from tests.kit.senders import Senders, number_of
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

ROUNDS = [6, pytest.param(200, marks=pytest.mark.slow)]
MORE = """
[queue]
retry = ["1s"]
rest_minimum = "1s"
rest_maximum = "1s"

[[route]]
match = "*"
courier = "smtp"
next_hop = "[127.0.0.1]:{hop}"
"""


def _crash(node: Node, rounds: int) -> None:
    """Let the node work for moments of random length, each ended by SIGKILL."""
    chance = random.Random(rounds)
    for _ in range(rounds):
        time.sleep(chance.uniform(0.02, 0.7))
        node.kill()
        node.start()


def _judge(acknowledged: set[str], arrived: Sequence[str], rounds: int) -> None:
    """Hold the promise, and say how often something came twice."""
    counts = Counter(arrived)
    twice = sum(count - 1 for count in counts.values())
    print(f"{rounds} kills: {len(acknowledged)} acknowledged, {len(counts)} arrived, {twice} once more than needed")
    assert acknowledged, "nothing was sent, so nothing was tested"
    assert acknowledged - counts.keys() == set()
    assert twice <= max(20, 20 * rounds), "a restart may repeat what was under way, and no more"


@pytest.mark.rfc("5321", "6.1")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_receiving_survives_being_killed(make_node: MakeNode, rounds: int) -> None:
    """Acknowledged minus arrived is nothing when a node that delivers into a Maildir is killed again and again."""
    node = make_node()
    with Senders(node.port(), "ann@example.org") as senders:
        _crash(node, rounds)
        before = len(senders.acknowledged)
        until(lambda: len(senders.acknowledged) > before, 20, "nothing is taken after the last start")
    node.restart()
    _judge(senders.acknowledged, [number_of(content) for content in node.messages("ann@example.org")], rounds)


@pytest.mark.rfc("5321", "6.1")
def test_the_process_that_writes_mailboxes_may_die(make_node: MakeNode) -> None:
    """Acknowledged minus arrived is nothing when only the process aside is killed; the node goes on by itself."""
    node = make_node()
    kills = 2
    with Senders(node.port(), "ann@example.org", threads=8) as senders:
        for _ in range(kills):
            child = until(
                lambda: next((pid for pid in proc.tree(node.pid) if pid != node.pid), 0), 20, "none was begun"
            )
            _goes_on(senders, 100)
            os.kill(child, signal.SIGKILL)
            _goes_on(senders, 1)
    node.restart()
    _judge(senders.acknowledged, [number_of(content) for content in node.messages("ann@example.org")], kills)


def _goes_on(senders: Senders, more: int) -> None:
    """Wait until so many more letters were taken."""
    wanted = len(senders.acknowledged) + more
    until(lambda: len(senders.acknowledged) >= wanted, 20, "nothing is taken")


@pytest.mark.rfc("5321", "6.1")
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("size", [2000, 100_000], ids=["in-rows", "in-files"])
def test_relaying_survives_being_killed(make_node: MakeNode, rounds: int, size: int) -> None:
    """Acknowledged minus arrived is nothing when a relay is killed again and again, and its spool is empty in the end."""
    with Peer() as peer:
        node = make_node(settings(more=MORE.replace("{hop}", str(peer.port))))
        with Senders(node.port(), "ann@elsewhere.test", size=size) as senders:
            _crash(node, rounds)

        def missing() -> set[str]:
            return senders.acknowledged - {number_of(message.content) for message in list(peer.arrived)}

        until(
            lambda: not missing(),
            60,
            lambda: f"missing at the next hop: {sorted(missing())[:20]}; {node.log()[-3000:]}",
        )
        _judge(senders.acknowledged, [number_of(message.content) for message in peer.arrived], rounds)
        until(lambda: _left_over(node.data) == [], 20, lambda: f"left over: {_left_over(node.data)}")


def _left_over(data: Path) -> list[Path]:
    """List the contents that are still kept beside the spool."""
    return [path for name in ("content", "incoming") for path in (data / name).rglob("*") if path.is_file()]
