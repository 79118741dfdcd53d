"""Every form an address may have (RFC 5321 section 4.1.2, RFC 6531), over TCP: where it leads and what lies there."""

import smtplib
import socket
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from attrs import frozen

from tests.kit.client import Client, Heard
from tests.kit.contents import crlf, letter
from tests.kit.node import Node, settings
from tests.kit.peers import EHLO, Arrived, Peer
from tests.kit.programs import program
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

BUECHER = "xn--bcher-kva.example"


@frozen
class World:
    """A node, and the host that gets what is not the node's."""

    node: Node
    peer: Peer


def own_address() -> str:
    """Give an address of this machine that is not on the loopback; empty when it has none. Nothing is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.200", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return "" if address.startswith("127.") else address


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run a node for example.org and bücher.example; all else goes to a peer that has SMTPUTF8."""
    with Peer({"EHLO": EHLO.replace("250-8BITMIME", "250-8BITMIME\n250-SMTPUTF8")}) as peer:
        more = f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{peer.port}"\n'
        if own_address():
            more += f'\n[[listener]]\nname = "outer"\nservice = "smtp"\nendpoint = "tcp:0:interface={own_address()}"\n'
        domains = {"example.org": "any", "bücher.example": "any"}
        node = Node(tmp_path_factory.mktemp("addresses") / "node", settings(domains=domains, more=more))
        try:
            yield World(node.start(), peer)
        finally:
            node.kill()


def _talk(node: Node, mail: str, rcpt: str, octets: bytes = b"") -> list[Heard]:
    """Say MAIL and RCPT as they are, then send a letter if both are accepted; gives all replies."""
    with Client(node.port()) as client:
        client.greet()
        heard = [client.say(mail)]
        if heard[0].code == 250:
            heard.append(client.say(rcpt))
        if heard[-1].code == 250:
            heard.append(client.content(octets or letter(300)))
        return heard


def _codes(heard: list[Heard]) -> list[int]:
    return [reply.code for reply in heard]


def _newest(node: Node, user: str, before: int = 0) -> bytes:
    return crlf(node.wait_for(user, before + 1)[-1])


# --- ours -----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "4.1.2")
@pytest.mark.parametrize(
    ("rcpt", "folder", "delivered_to"),
    [
        ("<plain@example.org>", "plain", "plain@example.org"),
        ("<Mixed.Case@EXAMPLE.Org>", "mixed.case", "mixed.case@example.org"),
        ("<!#$%&'*=?^_`{|}~@example.org>", "!#$%&'*=?^_`{|}~", "!#$%&'*=?^_`{|}~@example.org"),
        ('<"quoted"@example.org>', "quoted", "quoted@example.org"),
        ('<"two words"@example.org>', "two words", '"two words"@example.org'),
        ('<"an@sign"@example.org>', "an@sign", '"an@sign"@example.org'),
        ('<"a>b"@example.org>', "a>b", '"a>b"@example.org'),
        ('<"say \\"hi\\""@example.org>', 'say "hi"', '"say \\"hi\\""@example.org'),
        ('<"\\p\\l\\ain2"@example.org>', "plain2", "plain2@example.org"),
        ('<"two..dots"@example.org>', "two..dots", '"two..dots"@example.org'),
        ("<@relay.example:routed@example.org>", "routed", "routed@example.org"),
        ("<@a.example,@[192.0.2.1],@b.example:far@example.org>", "far", "far@example.org"),
        ("<" + "x" * 64 + "@example.org>", "x" * 64, "x" * 64 + "@example.org"),
        ("<tagged+shop@example.org>", "tagged", "tagged@example.org"),
    ],
)
def test_it_leads_to_a_mailbox(world: World, rcpt: str, folder: str, delivered_to: str) -> None:
    """Dot-strings, quoted strings, source routes: one folder by its meaning, the trace fields quote it rightly."""
    heard = _talk(world.node, "MAIL FROM:<bob@example.net>", f"RCPT TO:{rcpt}")
    assert _codes(heard) == [250, 250, 250], heard
    [path] = (world.node.data / "mail" / "example.org" / folder / "new").iterdir()
    lines = path.read_bytes().split(b"\n")
    assert lines[0] == b"Return-Path: <bob@example.net>"
    assert lines[1] == b"Delivered-To: " + delivered_to.encode()
    typed = rcpt if not rcpt.startswith("<@") else "<" + rcpt.partition(":")[2]
    wanted = typed if '"' not in typed else f"<{delivered_to}>"
    assert any(line == b"\tfor " + wanted.encode() + b";" for line in lines[2:6]), lines[:7]


@pytest.mark.rfc("5321", "4.5.1")
@pytest.mark.parametrize(
    "rcpt", ["<Postmaster>", "<postmaster>", "<POSTMASTER@example.org>", "<postmaster@MX.example.org>"]
)
def test_the_postmaster_is_always_there(world: World, rcpt: str) -> None:
    """With and without a domain, in any case, at the host's own name: one mailbox."""
    before = len(world.node.names("postmaster@example.org"))
    assert _codes(_talk(world.node, "MAIL FROM:<>", f"RCPT TO:{rcpt}")) == [250, 250, 250]
    assert _newest(world.node, "postmaster@example.org", before).startswith(b"Return-Path: <>\r\n")


def test_the_postmaster_of_a_node_that_knows_nobody(make_node: MakeNode) -> None:
    """No account at all, nobody trusted: everyone is refused but the postmaster."""
    text = settings(domains={"example.org": "known"}).replace("[node]", "[node]\ntrusted_networks = []")
    node = make_node(text)
    with Client(node.port()) as client:
        client.greet()
        tries = ["ann@example.org", "x@elsewhere.test", "postmaster@example.org", "Postmaster", "postmaster@else.test"]
        assert _codes(client.begin("bob@example.net", tries)) == [250, 550, 550, 250, 250, 550]


@pytest.mark.rfc("5321", "4.1.3")
def test_our_own_address_as_a_literal(world: World) -> None:
    """``ann@[IP]`` with an address that one of our listeners has: a mailbox of ours."""
    if not own_address():
        pytest.skip("this machine has no address but the loopback's")
    heard = _talk(world.node, "MAIL FROM:<bob@example.net>", f"RCPT TO:<literal@[{own_address()}]>")
    assert _codes(heard) == [250, 250, 250], heard
    assert b"Delivered-To: literal@example.org" in _newest(world.node, "literal@example.org")


# --- others' --------------------------------------------------------------------------------------------------------


def _relayed(world: World, mail: str, rcpt: str, octets: bytes = b"") -> Arrived:
    before = len(world.peer.arrived)
    heard = _talk(world.node, f"MAIL FROM:{mail}", f"RCPT TO:{rcpt}", octets)
    assert _codes(heard) == [250, 250, 250], heard
    return world.peer.wait_for(before + 1)[-1]


@pytest.mark.rfc("5321", "4.1.2")
@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("<Ann@Else.test>", "<Ann@Else.test>"),
        ('<"two words"@else.test>', '<"two words"@else.test>'),
        ('<"ann"@else.test>', "<ann@else.test>"),
        ('<"a\\"b\\\\c"@else.test>', '<"a\\"b\\\\c"@else.test>'),
        ('<"x\\@y"@else.test>', '<"x@y"@else.test>'),
        ('<""@else.test>', '<""@else.test>'),
        ("<@hop.test,@hop2.test:ann@else.test>", "<ann@else.test>"),
        ("<ann@[198.51.100.7]>", "<ann@[198.51.100.7]>"),
        ("<ann@[IPv6:2001:db8::7]>", "<ann@[IPv6:2001:db8::7]>"),
        ("<ann+tag@else.test>", "<ann+tag@else.test>"),
        ("<a/b=c@else.test>", "<a/b=c@else.test>"),
    ],
)
def test_it_travels_on_as_it_means(world: World, typed: str, sent: str) -> None:
    """Sender and recipient reach the next hop with their meaning unchanged, quoted where the grammar needs it."""
    arrived = _relayed(world, typed, typed)
    assert arrived.sender.removeprefix(sent).startswith(" ")
    assert arrived.sender.startswith(sent)
    assert arrived.recipients == (sent,)


@pytest.mark.rfc("5321", "4.5.5")
def test_the_null_reverse_path_travels_on(world: World) -> None:
    """``MAIL FROM:<>`` stays ``<>`` at the next hop and in Return-Path here."""
    assert _relayed(world, "<>", "<ann@else.test>").sender.split()[0] == "<>"
    assert _codes(_talk(world.node, "MAIL FROM:<>", "RCPT TO:<null@example.org>")) == [250, 250, 250]
    assert _newest(world.node, "null@example.org").startswith(b"Return-Path: <>\r\n")


# --- UTF-8 ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("6531", "3.3")
@pytest.mark.parametrize(
    ("rcpt", "folder", "user"),
    [
        ("用户@example.org", "example.org", "用户"),
        ("Ñandú@example.org", "example.org", "ñandú"),
        ("ann@bücher.example", BUECHER, "ann"),
        ("ann@BÜCHER.example", BUECHER, "ann"),
        ("grüße@bücher.example", BUECHER, "grüße"),
        ('"zwei wörter"@example.org', "example.org", "zwei wörter"),
    ],
)
def test_utf8_leads_to_a_mailbox(world: World, rcpt: str, folder: str, user: str) -> None:
    """Local parts in any script, U-labels in any case: a folder with that name, under the domain's A-labels."""
    place = world.node.data / "mail" / folder / user / "new"
    before = len(list(place.iterdir())) if place.is_dir() else 0
    octets = f"From: <jörg@example.net>\r\nTo: <{rcpt}>\r\nSubject: Grüße\r\n\r\nälter\r\n".encode()
    heard = _talk(world.node, "MAIL FROM:<jörg@example.net> SMTPUTF8 BODY=8BITMIME", f"RCPT TO:<{rcpt}>", octets)
    assert _codes(heard) == [250, 250, 250], heard
    files = sorted(place.iterdir(), key=lambda path: path.stat().st_ctime_ns)
    assert len(files) == before + 1
    arrived = files[-1].read_bytes()
    assert arrived.startswith("Return-Path: <jörg@example.net>\n".encode())
    assert b" with UTF8SMTP id " in arrived
    assert f"\tfor <{rcpt}>;".encode() in arrived
    assert crlf(arrived).endswith(octets)


@pytest.mark.rfc("5890", "2.3.2.1")
def test_a_label_and_u_label_are_one_domain(world: World) -> None:
    """The A-label needs no SMTPUTF8 and leads to the same mailbox."""
    before = len(world.node.names(f"same@{BUECHER}"))
    assert _codes(_talk(world.node, "MAIL FROM:<bob@example.net>", f"RCPT TO:<same@{BUECHER.upper()}>")) == [250] * 3
    assert (
        _codes(_talk(world.node, "MAIL FROM:<bob@example.net> SMTPUTF8", "RCPT TO:<same@bücher.example>")) == [250] * 3
    )
    assert len(world.node.wait_for(f"same@{BUECHER}", before + 2)) == before + 2


@pytest.mark.rfc("6531", "3.4")
def test_utf8_travels_on(world: World) -> None:
    """To a peer with SMTPUTF8 addresses go as they are."""
    arrived = _relayed(world, "<jörg@example.net> SMTPUTF8", "<用户@例え.test>")
    assert arrived.sender.split()[0] == "<jörg@example.net>"
    assert "SMTPUTF8" in arrived.sender.split()
    assert arrived.recipients == ("<用户@例え.test>",)


def test_smtplib_sends_in_utf8(world: World) -> None:
    """Python's own client, with a message and addresses in UTF-8."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jörg@example.net", "münze@example.org", "Größe"
    message.set_content("Zwölf Boxkämpfer\n", cte="8bit")
    with smtplib.SMTP("127.0.0.1", world.node.port(), timeout=20) as client:
        client.send_message(message)
    arrived = _newest(world.node, "münze@example.org")
    assert "\r\nSubject: Größe\r\n".encode() in arrived
    assert arrived.endswith("\r\nZwölf Boxkämpfer\r\n".encode())


@pytest.mark.rfc("6531", "3.5")
def test_utf8_without_smtputf8_is_refused(world: World) -> None:
    """Both commands say so with 5.6.7; the session goes on."""
    [heard] = _talk(world.node, "MAIL FROM:<jörg@example.net>", "")
    assert (heard.code, heard.status) == (553, "5.6.7")
    heard = _talk(world.node, "MAIL FROM:<bob@example.net>", "RCPT TO:<用户@example.org>")[1]
    assert (heard.code, heard.status) == (550, "5.6.7")


# --- no addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "4.1.2")
@pytest.mark.parametrize(
    "path",
    [
        "<>", "<@example.org>", "<ann@>", "<ann>", "<ann@@example.org>", "<ann..x@example.org>", "<.ann@example.org>",
        "<ann.@example.org>", "<two words@example.org>", '<"open@example.org>', '<"a"b@example.org>',
        "<ann@exa_mple.org>", "<ann@-x.org>", "<ann@x..org>", "<ann@[300.1.1.1]>", "<ann@[IPv6:zz::]>", "<ann@[1.2.3.4>",
        "<@hop:>", "<@hop ann@example.org>", "<ann@example.org", "ann@example.org>", "<<ann@example.org>>",
        "<" + "x" * 65 + "@example.org>", "<ann@" + "x" * 64 + ".org>", "<ann@" + "x." * 130 + "org>", "<a,b@example.org>",
        "<ann@example.org>x", "<ann@exam ple.org>", "<mailto:ann@example.org>",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(world: World, path: str) -> None:
    """501 or 553 to RCPT, with a 5.1.z or 5.5.z status, and the transaction goes on."""
    with Client(world.node.port()) as client:
        client.greet()
        client.say("MAIL FROM:<bob@example.net>")
        heard = client.say(f"RCPT TO:{path}")
        assert heard.code in (501, 553), heard
        assert heard.status[:4] in ("5.1.", "5.5."), heard
        assert client.say("RCPT TO:<ann@example.org>").code == 250


# --- typed by hand ----------------------------------------------------------------------------------------------------

BY_HAND = [
    ("MAIL FROM: <bob@example.net>", "RCPT TO: <hand@example.org>"),
    ("MAIL FROM:bob@example.net", "RCPT TO:hand@example.org"),
    ("MAIL FROM: bob@example.net", "RCPT TO: hand@example.org"),
    ("mail from: bob@example.net SIZE=300", "rcpt to: hand@example.org NOTIFY=NEVER"),
    ("MAIL  FROM:<bob@example.net>", "RCPT  TO:<hand@example.org>"),
]

TRAILING = ("Mail From:<bob@example.net>  ", "Rcpt To:<hand@example.org>  ")
"""Blanks at the end of a line, which every server tolerates (RFC 5321 section 4.1.1)."""


@pytest.mark.parametrize(("mail", "rcpt"), [*BY_HAND, TRAILING])
def test_what_people_type_is_understood(world: World, mail: str, rcpt: str) -> None:
    """Blanks after the colon and at the end, no brackets, any case."""
    before = len(world.node.names("hand@example.org"))
    heard = _talk(world.node, mail, rcpt)
    assert _codes(heard) == [250, 250, 250], heard
    assert _newest(world.node, "hand@example.org", before).startswith(b"Return-Path: <bob@example.net>\r\n")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Run a node that takes the grammar at its word."""
    more = "\n[session]\nstrict_syntax = true\nmax_errors = 100\n"
    node = Node(tmp_path_factory.mktemp("strict") / "node", settings(more=more))
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.mark.parametrize(("mail", "rcpt"), BY_HAND)
def test_strict_syntax_refuses_it(strict: Node, mail: str, rcpt: str) -> None:
    """Each of these is 501 with strict_syntax on, MAIL as well as RCPT; the right form is still taken."""
    with Client(strict.port()) as client:
        client.greet()
        assert client.say(mail).code == 501
        assert client.say("MAIL FROM:<bob@example.net>").code == 250
        assert client.say(rcpt).code == 501
        assert client.say("rcpt to:<ann@example.org> NOTIFY=NEVER").code == 250
        assert [client.say(line).code for line in ("RSET  ", *TRAILING)] == [250] * 3


def test_strict_syntax_still_takes_real_clients(strict: Node) -> None:
    """Swaks and smtplib speak by the grammar."""
    command = [program("swaks"), "--server", "127.0.0.1", "--port", str(strict.port()), "--from", "bob@example.net"]
    done = subprocess.run([*command, "--to", "swaks@example.org"], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout
    with smtplib.SMTP("127.0.0.1", strict.port(), timeout=20) as client:
        client.sendmail("bob@example.net", ["python@example.org"], letter(300))
    strict.wait_for("swaks@example.org")
    strict.wait_for("python@example.org")
