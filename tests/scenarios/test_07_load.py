"""Many at once: idle sessions by the thousand, and a queue full of mail for a dead host while other mail flows."""

import resource
import socket
import time
from collections.abc import Iterator

import pytest

from tests.kit.client import Client, send
from tests.kit.contents import letter
from tests.kit.node import Node, settings
from tests.kit.peers import Peer
from tests.kit.ports import free_port
from tests.kit.programs import missing
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario


@pytest.fixture
def many_files() -> Iterator[int]:
    """Raise the limit of open files as far as allowed, for us and the nodes we start; gives the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_sessions_cost_little(make_node: MakeNode, many_files: int) -> None:
    """One process holds ten thousand greeted sessions, serves others at once, and lets all go."""
    count = min(10_000, many_files - 500)
    if count < 1000:
        missing(f"a thousand sessions need more open files than {many_files}")
    node = make_node(settings(more=f'\n[session]\nmax_sessions = {count + 100}\ncommand_timeout = "10m"\n'))
    rest = node.memory()
    sessions: list[Client] = []
    try:
        for number in range(count):
            client = Client(node.port(), source=f"127.0.1.{1 + number % 200}")
            client.greet()
            sessions.append(client)
        each = (node.memory() - rest) / count
        print(f"{count} sessions: {each / 1024:.1f} KiB each")
        assert each < 40_000
        before = time.monotonic()
        assert send(node.port(), "bob@example.net", ["ann@example.org"], letter(1000)).code == 250
        print(f"a message between them: {time.monotonic() - before:.3f} s")
        cpu = node.cpu_seconds()
        time.sleep(2)
        assert node.cpu_seconds() - cpu < 0.5, "idle sessions keep the node busy"
        assert sessions[0].say("NOOP").code == sessions[-1].say("NOOP").code == 250
    finally:
        for client in sessions:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()


def _fill(node: Node, domain: str, recipients: int) -> None:
    """Queue one message each for 500 recipients, until there are as many as wanted."""
    with Client(node.port(), seconds=120) as client:
        client.greet()
        for start in range(0, recipients, 500):
            heard = client.send("", [f"r{start + number}@{domain}" for number in range(500)], letter(1000, seed=start))
            assert heard.code == 250, heard


def _rate(node: Node, peer: Peer, messages: int) -> float:
    """Send messages to the living host and give how many a second arrive."""
    already = len(peer.arrived)
    begun = time.monotonic()
    with Client(node.port(), seconds=60) as client:
        client.greet()
        for number in range(messages):
            assert client.send("bob@example.net", [f"a{number}@alive.test"], letter(1000, seed=number)).code == 250
    peer.wait_for(already + messages, seconds=60)
    return messages / (time.monotonic() - begun)


def test_a_dead_host_delays_nobody_else(make_node: MakeNode) -> None:
    """With a hundred thousand recipients waiting for a dead host, mail to a living one flows as before, and memory does not follow."""
    recipients = 100_000
    with Peer() as alive:
        routes = f'\n[[route]]\nmatch = "dead.test"\nnext_hop = "[127.0.0.1]:{free_port()}"\n'
        routes += f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{alive.port}"\n'
        node = make_node(settings(more=routes))
        before = _rate(node, alive, 300)
        rest = node.memory()
        _fill(node, "dead.test", recipients)
        full = node.memory()
        after = _rate(node, alive, 300)
        print(
            f"{recipients} waiting: {before:.0f} -> {after:.0f} messages a second, {(full - rest) / (1 << 20):.1f} MiB more"
        )
        assert full - rest < 100 << 20
        node.restart()
        assert _rate(node, alive, 100) > 0
        until(lambda: node.memory() < rest + (100 << 20), 10, "the queue is in memory after a restart")
