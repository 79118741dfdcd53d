"""LMTP both ways: out to Dovecot and smtp-sink, in from swaks and smtp-source; each recipient has an answer of its own."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.client import Client, send
from tests.kit.contents import assert_carried, letter
from tests.kit.dovecot import Dovecot
from tests.kit.dsn import read_dsn
from tests.kit.node import Node, settings
from tests.kit.programs import program
from tests.kit.sinks import Sink, arguments, content
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

BOB = "bob@example.org"

QUICK = """
[queue]
retry = ["1s"]
jitter = 0.0
dead_after = 50
"""


def mailbox_server(next_hop: str) -> str:
    """Write a domain whose mail goes to a mailbox server."""
    return f'\n[[domain]]\nname = "boxes.test"\ncourier = "lmtp"\nnext_hop = "{next_hop}"\naccounts = "any"\n{QUICK}'


def lmtp_listener(endpoint: str) -> str:
    """Write a listener that speaks LMTP."""
    return f'\n[[listener]]\nname = "boxes"\nservice = "lmtp"\nendpoint = "{endpoint}"\n'


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """Run a Dovecot where ann and carl live, and where full's mailbox is full."""
    with Dovecot({"ann": 0, "carl": 0, "late": 0, "full": 1000}) as server:
        yield server


@pytest.fixture(scope="module", params=["unix", "tcp"])
def boxes(request: pytest.FixtureRequest, dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Run a node that hands boxes.test to Dovecot."""
    where = f"unix:{dovecot.socket}" if request.param == "unix" else f"127.0.0.1:{dovecot.port}"
    node = Node(tmp_path_factory.mktemp("boxes") / "node", settings(more=mailbox_server(where)))
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.mark.rfc("2033", "4.2")
@pytest.mark.parametrize("size", [2000, 300_000])
def test_dovecot_takes_what_we_hand_it(boxes: Node, dovecot: Dovecot, size: int) -> None:
    """Two mailboxes in one transaction: each has the octets that were sent, and its owner's subaddress got there."""
    before = len(dovecot.messages("ann"))
    sent = letter(size, seed=size + before)
    heard = send(boxes.port(), BOB, ["ann@boxes.test", "Carl@boxes.test"], sent)
    assert heard.code == 250, heard
    assert_carried(dovecot.wait_for("ann", before + 1)[-1], sent)
    assert_carried(dovecot.wait_for("carl", before + 1)[-1], sent)


@pytest.mark.rfc("2033", "4.2")
def test_each_recipient_has_a_fate_of_its_own(boxes: Node, dovecot: Dovecot) -> None:
    """One lives there, one does not, one's mailbox is full: one copy arrives, and one report tells of the other two."""
    before = len(dovecot.messages("ann"))
    sent = letter(3000, seed=before)
    people = ["nobody@boxes.test", "ann@boxes.test", "full@boxes.test"]
    assert send(boxes.port(), "three@example.org", people, sent).code == 250
    assert_carried(dovecot.wait_for("ann", before + 1)[-1], sent)
    [report] = boxes.wait_for("three@example.org")
    dsn = read_dsn(report)
    assert dsn.failed == {"nobody@boxes.test", "full@boxes.test"}
    fates = {fields["Final-Recipient"]: fields for fields in dsn.recipients}
    unknown, full = fates["rfc822; nobody@boxes.test"], fates["rfc822; full@boxes.test"]
    assert (unknown["Action"], unknown["Status"]) == ("failed", "5.1.1")
    assert "User doesn't exist" in unknown["Diagnostic-Code"]
    assert (full["Action"], full["Status"]) == ("failed", "5.2.2")
    assert "Quota exceeded" in full["Diagnostic-Code"]
    assert not dovecot.messages("full")


@pytest.mark.rfc("3461", "5.2.2")
def test_dovecot_s_mailbox_is_a_final_delivery(boxes: Node, dovecot: Dovecot) -> None:
    """NOTIFY=SUCCESS: what a mailbox server without DSN has taken is reported by us, and as delivered."""
    before = len(dovecot.messages("carl"))
    with Client(boxes.port()) as client:
        client.greet()
        client.say("MAIL FROM:<success@example.org> ENVID=lmtp+2B1")
        assert client.say("RCPT TO:<carl@boxes.test> NOTIFY=SUCCESS").code == 250
        assert client.content(letter(500)).code == 250
    dovecot.wait_for("carl", before + 1)
    dsn = read_dsn(boxes.wait_for("success@example.org")[0])
    assert dsn.about["Original-Envelope-Id"] == "lmtp+1"
    assert (dsn.only["Action"], dsn.only["Status"]) == ("delivered", "2.0.0")
    assert not dsn.failed


def test_a_mailbox_server_that_is_down_gets_it_later(make_node: MakeNode) -> None:
    """Accepted while nobody listens at the socket, tried again, delivered once; nobody is told of it."""
    with Dovecot({"late": 0}) as server:
        server.stop()
        node = make_node(settings(more=mailbox_server(f"unix:{server.socket}")))
        sent = letter(2000)
        assert send(node.port(), BOB, ["late@boxes.test"], sent).code == 250
        until(lambda: "outcome=delayed" in node.log(), 10, lambda: f"no attempt was made: {node.log()}")
        server.start()
        [arrived] = server.wait_for("late")
        assert_carried(arrived, sent)
        until(lambda: not node.command("queue", "list", "--json").strip(), 5, "it is still in the queue")
        assert not node.names(BOB)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_smtp_sink_takes_it_too(make_node: MakeNode, tmp_path: Path, kind: str) -> None:
    """Postfix's sink as the mailbox server: one LHLO transaction with both recipients, every octet there."""
    socket = tmp_path / "s"
    with Sink(tmp_path / "sink", "-L", socket=socket if kind == "unix" else None) as sink:
        node = make_node(
            settings(more=mailbox_server(f"unix:{socket}" if kind == "unix" else f"127.0.0.1:{sink.port}"))
        )
        sent = letter(20_000)
        assert send(node.port(), BOB, ["ann@boxes.test", "carl@boxes.test"], sent).code == 250
        [arrived] = sink.wait_for()
        assert b"X-Client-Proto: LMTP\n" in arrived
        assert arguments(arrived, "Rcpt") == ["<ann@boxes.test>", "<carl@boxes.test>"]
        assert_carried(content(arrived), sent)


# --- in -----------------------------------------------------------------------------------------------------------


def _swaks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program("swaks"), "--protocol", "LMTP", "--from", "bob@example.net", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _answers(dialogue: str) -> list[str]:
    """Give what was answered to the final dot: the replies up to QUIT, codes and statuses."""
    behind = dialogue.partition("\n -> .\n")[2].partition("\n -> QUIT")[0]
    return re.findall(r"^<[-~*]{1,2} +(\d{3} \d\.\d+\.\d+)", behind, re.MULTILINE)


@pytest.mark.rfc("2033", "4.2")
def test_swaks_hears_an_answer_for_each_recipient(make_node: MakeNode) -> None:
    """By LMTP over TCP: the unknown is refused at RCPT, the full mailbox at the end, the others are served."""
    node = make_node(
        settings(
            domains={"example.org": "known"},
            more=lmtp_listener("tcp:{port:lmtp}:interface=127.0.0.1") + '\n[maildir]\nquota = "20 KiB"\n',
        )
    )
    node.command("account", "add", "ann@example.org", "carl@example.org", "full@example.org")
    assert send(node.port(), "", ["full@example.org"], letter(19_000)).code == 250
    people = "ann@example.org,nobody@example.org,full@example.org,carl@example.org"
    done = _swaks("--server", "127.0.0.1", "--port", str(node.port("lmtp")), "--to", people, "--body", "x" * 3000)
    assert "<** 550 5.1.1" in done.stdout
    assert _answers(done.stdout) == ["250 2.0.0", "552 5.2.2", "250 2.0.0"]
    for user in ("ann", "carl"):
        [arrived] = node.wait_for(f"{user}@example.org")
        assert b"x" * 3000 + b"\n" in arrived
        assert re.search(rb"^Received: .*\n\tby mx\.example\.org with LMTP id ", arrived, re.MULTILINE)
    assert len(node.names("full@example.org")) == 1
    assert not node.names("bob@example.net")


def test_swaks_comes_by_unix_socket(make_node: MakeNode, tmp_path: Path) -> None:
    """The same over a Unix socket; whoever reaches the socket is one of ours and may send on."""
    socket = tmp_path / "lmtp"
    node = make_node(settings(more=lmtp_listener(f"unix:{socket}")))
    done = _swaks("--socket", str(socket), "--to", "ann@example.org,carl@example.org", "--body", "by socket")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _answers(done.stdout) == ["250 2.0.0", "250 2.0.0"]
    for user in ("ann", "carl"):
        [arrived] = node.wait_for(f"{user}@example.org")
        assert b"\nby socket\n" in arrived


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_postfix_hands_over_with_smtp_source(make_node: MakeNode, tmp_path: Path, kind: str) -> None:
    """Postfix's source speaks LMTP in ten sessions, five recipients a message: every copy arrives."""
    socket = tmp_path / "lmtp"
    endpoint = f"unix:{socket}" if kind == "unix" else "tcp:{port:lmtp}:interface=127.0.0.1"
    node = make_node(settings(more=lmtp_listener(endpoint)))
    sent = letter(5000)
    file = tmp_path / "letter.eml"
    file.write_bytes(sent.replace(b"\r\n", b"\n"))
    where = f"unix:{socket}" if kind == "unix" else f"inet:127.0.0.1:{node.port('lmtp')}"
    command = [program("smtp-source"), "-L", "-s", "10", "-m", "40", "-r", "5", "-t", "user@example.org"]
    subprocess.run([*command, "-f", "bob@example.net", "-F", str(file), where], timeout=60, check=True)
    for name in ("user", "2user", "3user", "4user", "5user"):
        arrived = node.wait_for(f"{name}@example.org", 40)
        assert len(arrived) == 40
        for one in arrived:
            assert_carried(one, sent + b"\r\n")


@pytest.mark.rfc("2033", "4.1")
def test_an_lmtp_listener_knows_no_ehlo(make_node: MakeNode) -> None:
    """LHLO takes the place of HELO and EHLO, which an LMTP server must refuse."""
    node = make_node(settings(more=lmtp_listener("tcp:{port:lmtp}:interface=127.0.0.1")))
    with Client(node.port("lmtp")) as client:
        assert client.hear().code == 220
        assert client.say("EHLO client.example").code == 500
        assert client.say("HELO client.example").code == 500
        offer = client.say("LHLO client.example")
        assert offer.code == 250
        assert {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME"} <= set(re.findall(r"[A-Z0-9]{4,}", offer.text))


@pytest.mark.rfc("2033", "3")
def test_one_node_hands_to_another(make_node: MakeNode, tmp_path: Path) -> None:
    """Two nodes, LMTP between them over a Unix socket: the recipient has it once, the sender one report of success."""
    socket = tmp_path / "lmtp"
    keeper = make_node(settings(domains={"boxes.test": "any"}, more=lmtp_listener(f"unix:{socket}")), "keeper")
    front = make_node(settings(hostname="front.test", more=mailbox_server(f"unix:{socket}")), "front")
    keeper.stop()
    keeper.configure(
        settings(
            domains={"boxes.test": "any"},
            more=lmtp_listener(f"unix:{socket}")
            + f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{front.port()}"\n',
        )
    )
    keeper.start()
    sent = letter(4000)
    with Client(front.port()) as client:
        client.greet()
        client.say("MAIL FROM:<bob@example.org>")
        client.say("RCPT TO:<ann@boxes.test> NOTIFY=SUCCESS")
        assert client.content(sent).code == 250
    [arrived] = keeper.wait_for("ann@boxes.test")
    assert_carried(arrived, sent)
    dsn = read_dsn(front.wait_for("bob@example.org")[0])
    # The keeper offers DSN, so NOTIFY went along and success is its to report (RFC 3461 section 5.2.3).
    assert dsn.about["Reporting-MTA"] == "dns; mx.example.org"
    assert dsn.only["Action"] == "delivered"
    until(lambda: not keeper.command("queue", "list", "--json").strip(), 10, "the keeper's queue is not empty")
    until(lambda: not front.command("queue", "list", "--json").strip(), 10, "the front's queue is not empty")
    assert len(front.names("bob@example.org")) == 1
