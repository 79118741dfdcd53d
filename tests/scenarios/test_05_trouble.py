"""Disk full, spool read-only, DNS dead, next hops that hang: right replies, nothing lost, and the node recovers."""

import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.client import send
from tests.kit.contents import letter
from tests.kit.dns import NsdServer
from tests.kit.node import Node, settings
from tests.kit.peers import GOOD, Peer, Trouble
from tests.kit.ports import free_port
from tests.kit.programs import need_root, program
from tests.kit.senders import Senders, number_of
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

QUICK = """
[queue]
retry = ["1s"]
jitter = 0.0
dead_after = 5
rest_minimum = "1s"
rest_maximum = "1s"
"""

TIMES = "\n[smtp.times]\n" + "".join(
    f'{name} = "1s"\n' for name in ("connect", "greeting", "hello", "mail", "rcpt", "data", "block", "dot", "quit")
)


def route_to(port: int) -> str:
    """Write settings that retry quickly and relay everything to one port."""
    return f'{QUICK}\n[[route]]\nmatch = "*"\ncourier = "smtp"\nnext_hop = "[127.0.0.1]:{port}"\n'


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 60 MB where the node called ``node`` will keep its data."""
    need_root()
    folder = tmp_path / "node" / "data"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting is not allowed here, as in most containers")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _let_write(node: Node, limit: int) -> None:
    """Let every write of the node beyond ``limit`` octets of a file fail, even to files it has open (RLIMIT_FSIZE)."""
    resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def _fill(node: Node, to: str, size: int) -> int:
    """Send letters until one is refused, hold that the refusal says "disk full", and give how many were taken."""
    for taken in range(2000):
        heard = send(node.port(), "bob@example.net", [to], letter(size, seed=taken))
        if heard.code != 250:
            assert (heard.code, heard.status) == (452, "4.3.1"), heard
            return taken
    raise AssertionError("a disk of 60 MB took 2000 letters")


@pytest.mark.rfc("5321", "4.2.3")
@pytest.mark.parametrize("size", [60_000, 1_500_000], ids=["small", "large"])
def test_a_full_disk_is_an_answer_at_the_door(small_disk: Path, make_node: MakeNode, size: int) -> None:
    """A Maildir without room: 452 4.3.1, nothing half-written is left, and room makes it work again by itself."""
    node = make_node()
    taken = _fill(node, "ann@example.org", size)
    mailbox = node.maildir("ann@example.org")
    assert taken > 0
    assert len(node.names("ann@example.org")) == taken
    assert not list((mailbox / "tmp").iterdir())
    for name in node.names("ann@example.org")[: taken // 2]:
        (mailbox / "new" / name).unlink()
    heard = send(node.port(), "bob@example.net", ["ann@example.org"], letter(size))
    assert heard.code == 250, heard


@pytest.mark.parametrize("size", [60_000, 1_500_000], ids=["small", "large"])
def test_a_full_spool_refuses_and_keeps_what_it_has(small_disk: Path, make_node: MakeNode, size: int) -> None:
    """A spool without room: 452 4.3.1; when the next hop is back, all that was taken arrives, and there is room again."""
    port = free_port()
    node = make_node(settings(more=route_to(port) + '\n[spool]\nmin_free = "20 MiB"\n'))
    taken = _fill(node, "ann@elsewhere.test", size)
    assert taken > 0
    with Peer(port=port) as peer:
        peer.wait_for(taken, seconds=30)

        def is_taken() -> bool:
            return send(node.port(), "bob@example.net", ["ann@elsewhere.test"], letter(size)).code == 250

        until(is_taken, 20, "room on the disk does not help")
        peer.wait_for(taken + 1)


def test_a_disk_that_takes_nothing_is_trouble_that_passes(make_node: MakeNode) -> None:
    """Nothing can be written, not even the log: a temporary reply for mail of both kinds; once it can, everything works by itself."""
    with Peer() as peer:
        node = make_node(settings(more=route_to(peer.port)))
        both = ["ann@example.org", "ann@elsewhere.test"]
        assert send(node.port(), "bob@example.net", both, letter(1000)).code == 250
        _let_write(node, 0)
        for recipient in both:
            heard = send(node.port(), "bob@example.net", [recipient], letter(1000))
            assert heard.code in (451, 452), heard
            assert heard.status.startswith("4."), heard
        _let_write(node, resource.RLIM_INFINITY)
        for recipient in both:
            heard = send(node.port(), "bob@example.net", [recipient], letter(1000))
            assert heard.code == 250, heard
        node.wait_for("ann@example.org", 2)
        peer.wait_for(2)


@pytest.mark.rfc("3463", "3.5")
def test_a_dead_dns_delays_and_never_bounces(make_node: MakeNode) -> None:
    """No DNS server answers: mail is taken all the same and waits; when the server is back, it goes out."""
    program("nsd")
    with NsdServer() as dns, Peer() as peer:
        resolver = f'\n[resolver]\nservers = ["{dns.name}"]\ntimeout = "0.5s"\npatience = "2s"\n'
        resolver += f"\n[smtp]\nport = {peer.port}\n"
        node = make_node(settings(more=QUICK + resolver))
        assert send(node.port(), "bob@example.org", ["ann@here.test"], letter(1000)).code == 250
        until(lambda: "4.4.3" in node.log(), 20, lambda: f"the delay is not in the log: {node.log()}")
        assert not peer.arrived
        dns.serve({"here.test": f"@ MX 10 mx\nmx A {peer.address}"})
        peer.wait_for(1)
        assert not node.names("bob@example.org"), "a bounce was sent"


@pytest.mark.rfc("5321", "4.5.3.2")
@pytest.mark.parametrize("moment", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"])
@pytest.mark.parametrize("trouble", list(Trouble), ids=lambda trouble: trouble.name.lower())
def test_a_next_hop_in_trouble_delays_and_then_takes_it(make_node: MakeNode, moment: str, trouble: Trouble) -> None:
    """A next hop that hangs or hangs up at any moment: other mail flows, and once it behaves the message arrives."""
    with Peer({moment: trouble}) as bad, Peer() as good:
        routes = f'\n[[route]]\nmatch = "bad.test"\nnext_hop = "[127.0.0.1]:{bad.port}"\n'
        routes += f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{good.port}"\n'
        node = make_node(settings(more=QUICK + TIMES + routes))
        content = letter(1000)
        assert send(node.port(), "bob@example.org", ["ann@bad.test"], content).code == 250
        until(lambda: bad.sessions, 20, "nobody came")
        assert send(node.port(), "bob@example.org", ["ann@good.test"], content).code == 250
        good.wait_for(1)
        bad.script.update(GOOD)
        assert bad.wait_for(1)[0].sha256 == good.arrived[0].sha256
        assert not node.names("bob@example.org"), "a bounce was sent"


def test_a_polite_stop_finishes_what_it_has_taken(make_node: MakeNode) -> None:
    """SIGTERM under load: the node ends in time, and what it acknowledged is there."""
    node = make_node()
    with Senders(node.port(), "ann@example.org") as senders:
        until(lambda: len(senders.acknowledged) > 50, 20, "nothing is acknowledged")
        assert node.stop() == -signal.SIGTERM
    assert "Traceback" not in node.log()
    arrived = {number_of(content) for content in node.messages("ann@example.org")}
    assert senders.acknowledged - arrived == set()
