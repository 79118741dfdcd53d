"""Octets from hell over TCP: each gets its reply or is closed in time, memory stays bounded, nobody else notices."""

import os
import random
import socket
from collections.abc import Iterator

import pytest

from tests.kit.client import CLOSED, Client, send
from tests.kit.contents import assert_carried, letter
from tests.kit.node import Node, settings
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

GIGABYTE = 1 << 30
MEMORY = 64 << 20
"""How much more memory than at rest a node may hold while it is fed too much."""

SHORT = """
[session]
command_timeout = "2s"
data_timeout = "2s"
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a node with short time limits, in which some memory is warm."""
    made = Node(tmp_path_factory.mktemp("bad") / "node", settings(more=SHORT))
    try:
        made.start()
        send(made.port(), "bob@example.net", ["warm@example.org"], letter(200_000))
        yield made
    finally:
        made.kill()


@pytest.fixture(autouse=True)
def _others_do_not_notice(request: pytest.FixtureRequest, node: Node) -> Iterator[None]:
    """Hold, after each test, that a session works as ever and that nothing failed inside the node."""
    yield
    to = f"bystander.{abs(hash(request.node.name))}@example.org"
    sent = letter(3000)
    assert send(node.port(), "bob@example.net", [to], sent).code == 250
    assert_carried(node.messages(to)[0], sent)
    assert "Traceback" not in node.log()


def _drain(client: Client) -> bytes:
    """Read until the node closes the connection."""
    heard = b""
    while True:
        try:
            octets = client.socket.recv(65536)
        except ConnectionError:
            return heard
        if not octets:
            return heard
        heard += octets


@pytest.mark.parametrize("seed", range(5))
def test_garbage_is_answered_and_then_cut_off(node: Node, seed: int) -> None:
    """Random octets, 256 kB of them: replies of 5yz only, and in the end 421 or a closed connection."""
    chance = random.Random(seed)
    with Client(node.port()) as client:
        assert client.hear().code == 220
        try:
            client.write(chance.randbytes(256_000) + b"\r\n")
        except ConnectionError:
            return
        client.socket.shutdown(socket.SHUT_WR)
        for line in _drain(client).splitlines():
            assert line[:1] == b"5" or line[:3] in (b"421", b"221"), line


def test_an_endless_command_line_costs_no_memory(node: Node) -> None:
    """A line of 1 GB is let go as it comes: 500 (or the end) when it ends, and the memory stays where it was."""
    block = b"x" * (1 << 20)
    rest = node.memory()
    most = 0
    with Client(node.port(), seconds=60) as client:
        client.greet()
        try:
            for number in range(GIGABYTE // len(block)):
                client.write(block)
                if number % 64 == 0:
                    most = max(most, node.memory())
            client.write(b"\r\n")
        except ConnectionError:
            assert most < rest + MEMORY
            return
        assert client.hear().code in (500, 421)
    assert most < rest + MEMORY


@pytest.mark.rfc("1870", "6.1")
def test_an_endless_content_line_costs_no_memory(node: Node) -> None:
    """A content of 1 GB in one line: 552 at its end, in bounded memory, and nothing of it stays on the disk."""
    block = b"x" * (1 << 20)
    rest = node.memory()
    most = 0
    with Client(node.port(), seconds=60) as client:
        client.greet()
        client.begin("bob@example.net", ["big@example.org"])
        assert client.say("DATA").code == 354
        for number in range(GIGABYTE // len(block)):
            client.write(block)
            if number % 64 == 0:
                most = max(most, node.memory())
        client.write(b"\r\n.\r\n")
        heard = client.hear()
        assert (heard.code, heard.status) == (552, "5.3.4")
        assert client.say("NOOP").code == 250
    assert most < rest + MEMORY
    assert not any(path.is_file() for path in (node.data / "incoming").rglob("*"))


def test_nul_in_commands_and_content(node: Node) -> None:
    """NUL in a command is a syntax error; in content it is refused or carried, and the session goes on."""
    with Client(node.port()) as client:
        client.greet()
        assert client.say(b"MAIL FROM:<a\0b@example.net>").code // 100 == 5
        assert client.say(b"NO\0OP").code // 100 == 5
        heard = client.send("bob@example.net", ["nul@example.org"], b"Subject: x\r\n\r\na\0b\r\n")
        assert heard.code in (250, 550, 554), heard
        if heard.code == 250:
            assert b"a\0b" in node.messages("nul@example.org")[0]
        assert client.say("NOOP").code == 250


@pytest.mark.rfc("5321", "4.5.3.2.7")
@pytest.mark.parametrize("drip", [b"", b"N"], ids=["silent", "dripping"])
def test_a_slow_client_is_told_and_closed(node: Node, drip: bytes) -> None:
    """Nothing at all, or an octet now and then that never makes a command: 421, and the connection is closed."""
    with Client(node.port(), seconds=15) as client:
        client.greet()
        client.socket.settimeout(0.5)
        heard = b""
        for _ in range(20):
            try:
                client.write(drip)
                octets = client.socket.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not octets:
                break
            heard += octets
        else:
            pytest.fail("ten seconds later the connection is still open")
    assert heard[:3] in (b"421", b"")


@pytest.mark.rfc("5321", "4.5.3.2.5")
def test_a_slow_content_is_closed(node: Node) -> None:
    """Content of an octet now and then runs out of its time, and nothing of it is delivered."""
    with Client(node.port(), seconds=15) as client:
        client.greet()
        client.begin("bob@example.net", ["slow@example.org"])
        client.say("DATA")

        def is_closed() -> bool:
            try:
                client.write(b"x")
                client.socket.settimeout(0.3)
                return client.hear().code in (0, 421)
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        until(is_closed, 12, "the connection is still open")
    assert not node.names("slow@example.org")


def test_a_half_closed_socket_gets_its_replies(node: Node) -> None:
    """A client that has said all and shuts its half down still hears the replies, and then the end."""
    with Client(node.port()) as client:
        client.greet()
        client.write(b"MAIL FROM:<bob@example.net>\r\nRCPT TO:<half@example.org>\r\nDATA\r\n")
        assert [client.hear().code for _ in range(3)] == [250, 250, 354]
        client.write(b"Subject: half\r\n\r\nx\r\n.\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.hear().code in (250, 0)
        assert client.hear() == CLOSED


def test_a_client_that_vanishes_leaves_nothing(node: Node) -> None:
    """A connection that ends in the middle of content delivers nothing and leaves no file."""
    with Client(node.port()) as client:
        client.greet()
        client.begin("bob@example.net", ["vanished@example.org"])
        client.say("DATA")
        client.write(b"Subject: x\r\n\r\n" + b"line\r\n" * 50_000)
    until(lambda: not any(path.is_file() for path in (node.data / "incoming").rglob("*")), 10, "a file is left")
    assert not node.names("vanished@example.org")


@pytest.mark.rfc("5321", "4.5.3.1.8")
def test_ten_thousand_recipients(node: Node) -> None:
    """At least 100 are taken, those beyond the limit hear 452 4.5.3, and the taken ones get the message."""
    recipients = [f"many{number}@example.org" for number in range(10_000)]
    with Client(node.port(), seconds=60) as client:
        client.greet()
        replies = client.begin("bob@example.net", recipients)[1:]
        taken = [recipient for recipient, reply in zip(recipients, replies, strict=True) if reply.code == 250]
        assert len(taken) >= 100
        assert {(reply.code, reply.status) for reply in replies} <= {(250, "2.1.5"), (452, "4.5.3")}
        assert client.content(letter(500)).code == 250
    assert all(len(node.names(recipient)) == 1 for recipient in random.Random(0).sample(taken, 20))


@pytest.mark.parametrize(
    "line",
    [
        "MAIL FROM:<bob@example.net> SIZE=99999999999999999999999",
        "MAIL FROM:<bob@example.net> SIZE=-1",
        "MAIL FROM:<bob@example.net> BODY=9BIT",
        "MAIL FROM:<bob@example.net> NONSENSE",
        "MAIL FROM:<bob@example.net> " + "X" * 1500,
        "MAIL FROM:<bob@example.net> RET=FULL RET=HDRS",
        "MAIL FROM:<bob@example.net> =",
        "MAIL FROM:<" + "b" * 300 + "@example.net>",
        "MAIL FROM:<bob@" + "a." * 300 + "net>",
        "MAIL FROM:<<>>",
        "MAIL FROM:<bob@example.net",
        "MAIL",
        "RCPT TO:<ann@example.org> NOTIFY=NEVER,FAILURE",
        "RCPT TO:<ann@example.org> ORCPT=rfc822;+4Z",
        "RCPT TO:<../../../etc/passwd@example.org>\0",
        "RCPT TO:<@a,@b:ann@example.org",
        "EHLO",
        "DATA now",
    ],
)
def test_bogus_parameters_are_refused(node: Node, line: str) -> None:
    """Each bogus command hears 5yz (or a temporary 452), and the session goes on."""
    with Client(node.port()) as client:
        client.greet()
        if line.startswith(("RCPT", "DATA")):
            assert client.say("MAIL FROM:<bob@example.net>").code == 250
        assert client.say(line).code in range(500, 560), line[:80]
        assert client.say("NOOP").code == 250


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../up", "a\\\\b", "-rf", "~", "%00", "con", "a" * 64])
def test_names_that_are_dangerous_to_files_stay_inside(node: Node, name: str) -> None:
    """A local part that a file system would misread is refused or lies inside the mail folder."""
    before = _files_outside(node)
    heard = send(node.port(), "bob@example.net", [f'"{name}"@example.org'], letter(500))
    assert heard.code in (250, 550, 553, 501), heard
    assert _files_outside(node) == before


def _files_outside(node: Node) -> set[str]:
    mail = node.data / "mail" / "example.org"
    outside = {
        str(path) for path in node.folder.rglob("*") if mail not in path.parents and path.suffix not in (".db", ".log")
    }
    return {path for path in outside if "spool" not in path and "history" not in path and "incoming/" not in path}


@pytest.mark.rfc("2920", "3.1")
def test_pipelined_nonsense_keeps_its_order(node: Node) -> None:
    """Good and bad commands in one write are answered one by one, in order."""
    lines = [
        b"NOOP",
        b"FNORD",
        b"RCPT TO:<x@example.org>",
        b"RSET",
        b"DATA",
        b"MAIL FROM:<a@example.net>",
        b"NOOP",
        b"QUIT",
    ]
    with Client(node.port()) as client:
        client.greet()
        client.write(b"".join(line + b"\r\n" for line in lines))
        heard = [client.hear().code for _ in lines]
        assert client.hear() == CLOSED
    assert heard == [250, 500, 503, 250, 503, 250, 250, 221]


def test_a_client_that_never_reads_holds_no_memory(node: Node) -> None:
    """Commands without end from a client that reads no reply: the node stops reading, and its memory stays bounded."""
    rest = node.memory()
    with Client(node.port()) as client:
        client.greet()
        client.socket.settimeout(1)
        try:
            for _ in range(400):
                client.write(b"HELP\r\n" * 20_000)
        except OSError:
            pass
        assert node.memory() < rest + MEMORY


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
@pytest.mark.rfc("5321", "2.3.8")
def test_no_other_line_end_ends_the_content(node: Node, ending: bytes) -> None:
    """Smuggling: a second message hidden behind anything but CRLF.CRLF never becomes one."""
    to, hidden = f"smuggle.{ending.hex()}@example.org", f"hidden.{ending.hex()}@example.org"
    inner = f"MAIL FROM:<evil@example.net>\r\nRCPT TO:<{hidden}>\r\nDATA\r\nSubject: hidden\r\n\r\nx\r\n".encode()
    with Client(node.port()) as client:
        client.greet()
        client.begin("bob@example.net", [to])
        client.say("DATA")
        client.write(b"Subject: smuggle\r\n\r\ntext" + ending + inner + b".\r\n")
        client.hear()
        client.write(b"QUIT\r\n")
        _drain(client)
    assert not node.names(hidden)


def test_many_connections_that_say_nothing(node: Node) -> None:
    """Three hundred connections that come and go at once are nothing to it."""
    before = len(os.listdir(f"/proc/{node.pid}/fd"))
    clients = [Client(node.port()) for _ in range(300)]
    for client in clients:
        client.close()
    until(lambda: len(os.listdir(f"/proc/{node.pid}/fd")) <= before + 5, 15, "descriptors are left")
