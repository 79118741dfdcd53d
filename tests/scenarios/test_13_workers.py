"""Several processes on one node: the load spreads, nothing is lost or doubled, who dies is replaced, all stop together."""

import contextlib
import os
import signal
import socket
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import proc
from tests.kit.client import Client, send
from tests.kit.contents import letter
from tests.kit.node import Node, settings
from tests.kit.peers import Peer
from tests.kit.senders import Senders, number_of
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

RELAY = """
[queue]
retry = ["1s"]
rest_minimum = "1s"
rest_maximum = "1s"
look_every = "1s"

[[route]]
match = "*"
courier = "smtp"
next_hop = "[127.0.0.1]:{hop}"
"""


def two_workers(more: str = "") -> str:
    """Write the settings of a node of two processes."""
    return settings(more=more).replace("[node]", "[node]\nworkers = 2", 1)


def others(node: Node) -> list[int]:
    """Give the process ids of the workers beside the main process."""
    return [pid for pid in proc.tree(node.pid) if pid != node.pid]


def wait_until_ready(node: Node, times: int = 1) -> int:
    """Wait until the worker has come up so many times in all, and give its process id."""
    until(lambda: node.log().count("Worker 1 is ready") >= times, 30, node.log)
    (pid,) = others(node)
    return pid


@pytest.fixture
def node(make_node: MakeNode) -> Node:
    """Give a running node of two processes, both ready."""
    made = make_node(two_workers())
    wait_until_ready(made)
    return made


@contextlib.contextmanager
def many_clients(node: Node, count: int) -> Iterator[list[Client]]:
    """Hold greeted connections open."""
    clients = [Client(node.port()) for _ in range(count)]
    try:
        for client in clients:
            client.greet()
        yield clients
    finally:
        for client in clients:
            client.close()


def test_connections_are_spread_over_the_processes(node: Node) -> None:
    """Of forty kept connections each process has its share: the kernel deals them out."""
    pids = [node.pid, *others(node)]
    before = [proc.open_files(pid) for pid in pids]
    with many_clients(node, 40):
        shares = [proc.open_files(pid) - files for pid, files in zip(pids, before, strict=True)]
    print(f"shares of forty connections: {shares}")
    assert min(shares) >= 5


def test_two_processes_relay_each_message_once(make_node: MakeNode) -> None:
    """What two processes on one spool acknowledge arrives at the next hop, all of it, and nothing twice."""
    with Peer() as peer:
        node = make_node(two_workers(RELAY.replace("{hop}", str(peer.port))))
        wait_until_ready(node)
        senders = Senders(node.port(), "ann@elsewhere.test", threads=8)
        with senders:
            until(lambda: len(senders.acknowledged) >= 600, 60, lambda: f"{len(senders.acknowledged)} acknowledged")
        peer.wait_for(len(senders.acknowledged), 60)
        node.stop()
        arrived = Counter(number_of(message.content) for message in peer.arrived)
        assert senders.acknowledged - arrived.keys() == set()
        assert [number for number, count in arrived.items() if count > 1] == []
        assert "ended after" not in node.log().replace("session on mx ended after", "")


def _let_some_through(senders: Senders) -> None:
    before = len(senders.acknowledged)
    until(lambda: len(senders.acknowledged) > before + 50, 30, "nothing is taken")


def test_a_killed_worker_loses_nothing_and_comes_back(make_node: MakeNode) -> None:
    """SIGKILL of a worker in the middle: what it had acknowledged is sent by its successor, and others go on meanwhile."""
    rounds = 4
    with Peer() as peer:
        node = make_node(two_workers(RELAY.replace("{hop}", str(peer.port))))
        pid = wait_until_ready(node)
        with Senders(node.port(), "ann@elsewhere.test", threads=8) as senders:
            for number in range(rounds):
                _let_some_through(senders)
                os.kill(pid, signal.SIGKILL)
                pid = wait_until_ready(node, number + 2)

        def missing() -> set[str]:
            return senders.acknowledged - {number_of(message.content) for message in list(peer.arrived)}

        until(lambda: not missing(), 30, lambda: f"missing: {sorted(missing())[:20]}; {node.log()[-3000:]}")
        twice = len(peer.arrived) - len({number_of(message.content) for message in peer.arrived})
        print(f"{rounds} kills: {len(senders.acknowledged)} acknowledged, {twice} once more than needed")
        assert twice <= 20 * rounds
        assert node.log().count("(SIGKILL) and is started again") == rounds


def test_somebody_answers_while_a_worker_is_away(node: Node) -> None:
    """The main process accepts in the place of a worker that is not there: no client waits for the next one."""
    os.kill(others(node)[0], signal.SIGKILL)
    until(lambda: "is started again" in node.log(), 10, node.log)
    with many_clients(node, 20):
        pass
    wait_until_ready(node, 2)


def test_all_stop_together(node: Node) -> None:
    """SIGTERM to the main process: sessions of both hear 421, and no process is left when it has ended."""
    pids = others(node)
    with many_clients(node, 20) as clients:
        node.signal(signal.SIGTERM)
        assert [client.hear().code for client in clients] == [421] * 20
    assert node.stop() in (0, -signal.SIGTERM)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert "Worker 1 has stopped" in node.log()


def test_a_worker_without_its_main_process_stops(node: Node) -> None:
    """When the main process is killed the pipe ends, and the worker stops in order; the folder is free again."""
    (pid,) = others(node)
    os.kill(node.pid, signal.SIGKILL)
    until(lambda: "Worker 1 has stopped" in node.log(), 20, node.log)
    until(lambda: not _runs(pid), 20, "the worker lives on")
    node.start()
    wait_until_ready(node, 2)


def _runs(pid: int) -> bool:
    try:
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except OSError:
        return False


def test_a_reload_reaches_all(make_node: MakeNode) -> None:
    """SIGHUP: new limits hold in both processes, and both write to the log's new file."""
    node = make_node(two_workers())
    node.stop()
    log = node.folder / "mail.log"
    text = two_workers(f'[log]\nfile = "{log}"\n')
    node.configure(text)
    node.start()
    until(lambda: "Worker 1 is ready" in log.read_text(), 20, "no second process")
    log.rename(node.folder / "mail.log.1")
    node.configure(f"{text}\n[session]\nmax_recipients = 107\n")
    node.signal(signal.SIGHUP)
    until(lambda: log.exists() and "was read again" in log.read_text(), 20, "no reload")

    def all_offer_it() -> bool:
        with many_clients(node, 20) as clients:
            return all("RCPTMAX=107" in str(client.say("EHLO client.example")) for client in clients)

    until(all_offer_it, 20, "some session offers the old limit")
    old = (node.folder / "mail.log.1").read_text()
    for number in range(20):
        assert send(node.port(), "bob@example.net", [f"a{number}@example.org"], letter(500)).code == 250
    until(lambda: log.read_text().count("accepted from=") == 20, 20, log.read_text)
    assert (node.folder / "mail.log.1").read_text() == old


def test_a_unix_socket_is_shared_and_keeps_its_mode(make_node: MakeNode) -> None:
    """A unix socket can be bound only once: both accept from it, and its mode stays as configured."""
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(_short_folder()))
        path = folder / "in.sock"
        listener = (
            f'\n[[listener]]\nname = "local"\nservice = "lmtp"\nendpoint = "unix:{path}:mode=600"\ntls = "none"\n'
        )
        node = make_node(two_workers(listener))
        pid = wait_until_ready(node)
        before = proc.open_files(pid)
        greetings: list[bytes] = []
        lock = threading.Lock()

        def connect() -> None:
            one = held.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(20)
            one.connect(str(path))
            greeting = one.recv(200)
            with lock:
                greetings.append(greeting)

        for _ in range(10):
            threads = [threading.Thread(target=connect) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert all(b"220 mx.example.org LMTP" in greeting for greeting in greetings)
        assert len(greetings) == 100
        print(f"the second process took {proc.open_files(pid) - before} of a hundred")
        assert proc.open_files(pid) > before
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@contextlib.contextmanager
def _short_folder() -> Iterator[str]:
    """Give a folder whose path leaves room for a unix socket's name."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield folder


def test_queue_commands_reach_what_all_keep(make_node: MakeNode) -> None:
    """Commands act on the shared spool: what either process has accepted is listed, held, released, and then sent."""
    with Peer({"CONNECT": "421 4.3.2 not now"}) as peer:
        text = RELAY.replace("{hop}", str(peer.port)).replace('"1s"', '"1h"')
        node = make_node(two_workers(text))
        wait_until_ready(node)
        for number in range(20):
            assert send(node.port(), "bob@example.net", [f"a{number}@elsewhere.test"], letter(500)).code == 250
        until(lambda: node.command("queue", "list", "--json").count("4.3.2") >= 1, 20, node.log)
        assert node.command("queue", "list", "--json").count("elsewhere.test") >= 20
        peer.script.pop("CONNECT")
        peer.script["CONNECT"] = "220 peer.example ESMTP"
        node.command("queue", "retry", "--all")
        assert len(peer.wait_for(20, 20)) == 20
