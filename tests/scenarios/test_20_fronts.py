"""Trusted fronts: haproxy and swaks tell for whom they speak; a unix socket tells who its user is."""

import pwd
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.kit.client import Client
from tests.kit.haproxy import Haproxy
from tests.kit.node import Node, settings
from tests.kit.programs import need_root, program
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

TRUSTED = "127.0.0.9"
"""The one client that may send to anywhere."""

FRONTS = """
[[listener]]
name = "behind"
endpoint = "tcp:{port:behind}:interface=127.0.0.1"
proxy_from = ["127.0.0.1/32"]

[[listener]]
name = "covered"
endpoint = "tcp:{port:covered}:interface=127.0.0.1"
tls = "implicit"
proxy_from = ["127.0.0.1/32"]

[[listener]]
name = "xclient"
endpoint = "tcp:{port:xclient}:interface=127.0.0.1"
xclient_from = ["127.0.0.1/32"]

[[listener]]
name = "boxes"
service = "lmtp"
endpoint = "unix:{data}.lmtp.sock"

[[listener]]
name = "private"
service = "lmtp"
endpoint = "unix:{data}.private.sock"
allow_users = ["daemon"]
mode = "666"

[[route]]
match = "*"
next_hop = "[127.0.0.1]:9"
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Run a node with all kinds of fronts."""
    text = settings(more=FRONTS).replace("[node]", f'[node]\ntrusted_networks = ["{TRUSTED}/32"]')
    node = Node(tmp_path_factory.mktemp("fronts") / "node", text)
    try:
        yield node.start(wait_for=["mx", "xclient"])
    finally:
        node.kill()


def may_relay(port: int, source: str) -> bool:
    """Tell whether a client with this address may send to elsewhere."""
    with Client(port, source=source) as client:
        client.hear()
        for command in ("EHLO client.example", "MAIL FROM:<a@a.example>"):
            client.write(f"{command}\r\n".encode())
            assert client.hear().code == 250
        client.write(b"RCPT TO:<b@elsewhere.example>\r\n")
        return client.hear().code == 250


@pytest.mark.parametrize("version", [1, 2])
def test_behind_haproxy_the_client_counts(node: Node, tmp_path: Path, version: Literal[1, 2]) -> None:
    """Trust and trace fields go by the client's address and not by haproxy's, which is the node's neighbour."""
    with Haproxy(tmp_path / "haproxy", node.port("behind"), version) as front:
        assert may_relay(front.port, TRUSTED)
        assert not may_relay(front.port, "127.0.0.1")
        count = len(node.names("ann@example.org"))
        subprocess.run(
            [
                program("swaks"), "--server", f"127.0.0.1:{front.port}", "--local-interface", "127.0.0.8",
                "--from", "a@a.example", "--to", "ann@example.org", "--hide-all",
            ],
            check=True, timeout=60,
        )  # fmt: skip
        message = node.wait_for("ann@example.org", count + 1)[-1]
    assert b"([127.0.0.8])" in message.split(b"\r\n\r\n")[0].split(b"\n\n")[0]
    assert "Traceback" not in node.log()


@pytest.mark.parametrize("version", ["1", "2"])
def test_swaks_speaks_proxy(node: Node, version: str) -> None:
    """A client of IPv6 behind a front of IPv4 is who the header says."""
    count = len(node.names("bob@example.org"))
    subprocess.run(
        [
            program("swaks"), "--server", f"127.0.0.1:{node.port('behind')}", "--from", "a@a.example",
            "--to", "bob@example.org", "--proxy-version", version, "--proxy-family", "AF_INET6" if version == "2" else "TCP6",
            *(["--proxy-protocol", "STREAM"] if version == "2" else []), "--proxy-source", "2001:db8::9",
            "--proxy-source-port", "4000", "--proxy-dest", "2001:db8::1", "--proxy-dest-port", "25", "--hide-all",
        ],
        check=True, timeout=60,
    )  # fmt: skip
    assert b"([IPv6:2001:db8::9])" in node.wait_for("bob@example.org", count + 1)[-1]


@pytest.mark.parametrize("is_together", [True, False])
def test_the_header_stands_before_tls(node: Node, *, is_together: bool) -> None:
    """The client's handshake begins right behind the header, in the same packet or a later one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    header = b"PROXY TCP4 203.0.113.9 198.51.100.1 40000 465\r\n"
    with socket.create_connection(("127.0.0.1", node.port("covered")), timeout=20) as connection:
        if not is_together:
            connection.sendall(header)
            header = b""
        greeting = b""
        while not greeting:
            try:
                greeting = tls.read(512)
            except ssl.SSLWantReadError:
                connection.sendall(header + outgoing.read())
                header = b""
                incoming.write(connection.recv(65536))
    assert greeting.startswith(b"220 ")


def test_a_front_without_its_header_is_closed_and_others_are_clients(node: Node) -> None:
    """Who is listed must introduce somebody; who is not is received as itself, and its PROXY line is none."""
    with Client(node.port("behind")) as client:
        client.write(b"EHLO front.example\r\n")
        assert client.hear().code == 0
    until(lambda: "PROXY header is faulty" in node.log(), 5, "no line in the log")
    with Client(node.port("behind"), source="127.0.0.7") as client:
        assert client.hear().code == 220
        client.write(b"PROXY TCP4 127.0.0.9 127.0.0.1 4000 25\r\n")
        assert client.hear().code == 500
    assert not may_relay(node.port("behind"), "127.0.0.7")


def test_swaks_speaks_xclient(node: Node) -> None:
    """The front names client, hello and login; the message bears them."""
    count = len(node.names("carl@example.org"))
    subprocess.run(
        [
            program("swaks"), "--server", f"127.0.0.1:{node.port('xclient')}", "--from", "a@a.example",
            "--to", "carl@example.org", "--xclient-addr", "203.0.113.9", "--xclient-name", "client.example",
            "--xclient-login", "ann@example.org", "--helo", "front.example", "--hide-all",
        ],
        check=True, timeout=60,
    )  # fmt: skip
    message = node.wait_for("carl@example.org", count + 1)[-1]
    assert b"([203.0.113.9])" in message
    assert b"with ESMTPA" in message


def test_who_may_not_use_xclient(node: Node) -> None:
    """Others are told 550 and their address stays."""
    with Client(node.port("xclient"), source="127.0.0.7") as client:
        client.hear()
        client.write(b"EHLO client.example\r\n")
        assert "XCLIENT" not in client.hear().text
        client.write(b"XCLIENT ADDR=127.0.0.9\r\n")
        assert (heard := client.hear()).code == 550, heard


def test_a_socket_file_is_not_for_everyone(node: Node) -> None:
    """Only its owner and group may open it, unless the settings say otherwise."""
    assert (node.folder / "data.lmtp.sock").stat().st_mode & 0o777 == 0o660
    assert (node.folder / "data.private.sock").stat().st_mode & 0o777 == 0o666


_GREETING = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99).decode())"


def test_only_its_users_are_received(node: Node) -> None:
    """Another user of this machine, even root, is greeted with 554; the one who may is welcome."""
    need_root()
    assert pwd.getpwnam("daemon")
    with socket.socket(socket.AF_UNIX) as root:
        root.connect(str(node.folder / "data.private.sock"))
        assert root.recv(512).startswith(b"554 ")
    for folder in (node.folder, *node.folder.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
    done = subprocess.run(
        ["python3", "-c", _GREETING, str(node.folder / "data.private.sock")],
        user="daemon", group="daemon", extra_groups=[], capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(b"220"), done.stderr
