"""Who lives here: aliases, lists, subaddresses, forwards, accounts, quotas; and what Dovecot and mutt then read."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.client import Client, Heard, send
from tests.kit.contents import assert_carried, crlf, letter
from tests.kit.dsn import read_dsn
from tests.kit.node import Node, settings
from tests.kit.readers import doveadm, mutt
from tests.kit.sinks import Sink, arguments, content
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

BOB = "bob@example.net"

DOMAINS = """
[[domain]]
name = "example.org"
accounts = "known"
separator = "-"
[domain.aliases]
Info = ["ann"]
chief = ["info"]
staff = ["ann", "carl@example.org", "away@outside.test"]
crew = ["staff", "dora"]
owned = ["ann", "gone@outside.test"]
owner-owned = ["dora"]
ann-sales = ["carl"]
away = ["away@outside.test"]
round = ["robin"]
robin = ["round"]
self = ["self", "carl"]

[[domain]]
name = "plus.test"
accounts = "known"
catch_all = "dora@example.org"

[[domain]]
name = "old.test"
courier = "mbox"
accounts = "any"
"""


def world_settings(sink_port: int) -> str:
    """Write the settings: outside.test is the sink, but for one who is refused there."""
    route = f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{sink_port}"\n'
    return settings(domains={"bounces.test": "any"}, more=DOMAINS + route)


ACCOUNTS = ["ann@example.org", "carl@example.org", "Dora@Example.ORG", "self@example.org", "eve@plus.test"]


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    """Run smtp-sink as all the world outside."""
    with Sink(tmp_path_factory.mktemp("outside") / "sink") as outside:
        yield outside


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Node]:
    """Run a node with people, aliases and lists."""
    node = Node(tmp_path_factory.mktemp("mailboxes") / "node", world_settings(sink.port))
    try:
        node.start()
        node.command("account", "add", *ACCOUNTS)
        yield node
    finally:
        node.kill()


def _deliver(node: Node, to: str, seed: int, sender: str = BOB) -> bytes:
    sent = letter(1500, seed=seed, to=to)
    heard = send(node.port(), sender, [to], sent)
    assert heard.code == 250, heard
    return sent


def _has(messages: list[bytes], sent: bytes) -> list[bytes]:
    """Give those messages that are ``sent`` below what was put on top."""
    return [message for message in messages if crlf(message).endswith(sent)]


def _wait(node: Node, user: str, sent: bytes) -> bytes:
    """Wait for a letter, hold that it came once and unchanged, and give it as it lies there."""
    until(lambda: _has(node.messages(user), sent), 10, lambda: f"not with {user}; log:\n{node.log()[-3000:]}")
    [found] = _has(node.messages(user), sent)
    assert_carried(found, sent)
    return found


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "user"),
    [
        ("ann@example.org", "ann@example.org"),
        ("ANN@EXAMPLE.ORG", "ann@example.org"),
        ("dora@example.org", "dora@example.org"),
        ("info@example.org", "ann@example.org"),
        ("Chief@example.org", "ann@example.org"),
        ("carl-shop@example.org", "carl@example.org"),
        ("carl-shop-more@example.org", "carl@example.org"),
        ("ann-sales@example.org", "carl@example.org"),
        ("info-x@example.org", "ann@example.org"),
        ("eve+tag@plus.test", "eve@plus.test"),
        ("whoever@plus.test", "dora@example.org"),
        ("who-ever@plus.test", "dora@example.org"),
    ],
)
def test_a_name_leads_to_its_mailbox(node: Node, to: str, user: str) -> None:
    """Letters in any case, aliases of aliases, two separators, a catch-all: once, in the right Maildir."""
    sent = _deliver(node, to, seed=len(to))
    top = crlf(_wait(node, user, sent)).split(b"\r\n")[:2]
    assert top == [b"Return-Path: <bob@example.net>", b"Delivered-To: " + user.encode()]


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("nobody@example.org", "5.1.1"),
        ("carl+tag@example.org", "5.1.1"),
        ("-@example.org", "5.1.1"),
        ("round@example.org", "5.4.6"),
        ("owner-staff@example.org", "5.1.1"),
    ],
)
@pytest.mark.rfc("5321", "3.3")
def test_who_is_not_known_is_refused_at_once(node: Node, to: str, status: str) -> None:
    """Nobody of that name, the other domain's separator, aliases in a circle: refused at RCPT, the others go on."""
    with Client(node.port()) as client:
        client.greet()
        mail, bad, good = client.begin(BOB, [to, "ann@example.org"])
        assert (mail.code, good.code) == (250, 250)
        assert bad.code in (550, 554), bad
        assert bad.status == status


@pytest.mark.rfc("5321", "3.5.2")
def test_expn_shows_the_members(node: Node) -> None:
    """A trusted client sees whom a list stands for; what is no list is said to be none."""
    with Client(node.port()) as client:
        client.greet()
        heard = client.say("EXPN staff@example.org")
        assert heard.text.split("\r\n") == [
            "250-2.1.5 <ann@example.org>",
            "250-2.1.5 <carl@example.org>",
            "250 2.1.5 <away@outside.test>",
        ]
        assert client.say("EXPN <Staff@EXAMPLE.org>").code == 250
        assert client.say("EXPN nothing@example.org").code == 550
        assert client.say("VRFY ann@example.org").text.endswith("<ann@example.org>")


def test_expn_shows_nothing_to_strangers(make_node: MakeNode) -> None:
    """Where nobody is trusted, nobody sees a list, and nobody sends out."""
    text = world_settings(9).replace("[node]", "[node]\ntrusted_networks = []")
    with Client(make_node(text).port()) as client:
        client.greet()
        assert client.say("EXPN staff@example.org").code == 252
        assert client.say("VRFY ann@example.org").code == 252
        assert [heard.code for heard in client.begin(BOB, ["x@outside.test", "away@example.org"])] == [250, 550, 250]


@pytest.mark.rfc("5321", "3.9.2")
def test_a_list_reaches_each_member_once(node: Node, sink: Sink) -> None:
    """A list in a list, its members here and outside, one of them named twice: one copy each."""
    sent = letter(1500, seed=71, to="crew@example.org")
    assert send(node.port(), BOB, ["crew@example.org", "ann@example.org"], sent).code == 250
    for user in ("ann", "carl", "dora"):
        _wait(node, f"{user}@example.org", sent)
    until(lambda: [one for one in sink.wait_for() if content(one).endswith(sent.replace(b"\r\n", b"\n"))], 10, "none")
    [outside] = [one for one in sink.wait_for() if content(one).endswith(sent.replace(b"\r\n", b"\n"))]
    assert arguments(outside, "Rcpt") == ["<away@outside.test>"]
    assert arguments(outside, "Mail")[0].startswith("<bob@example.net>")
    assert_carried(content(outside), sent)


@pytest.mark.rfc("5321", "3.9.2")
def test_a_list_with_an_owner_travels_in_the_owner_s_name(node: Node, sink: Sink) -> None:
    """``owner-LIST`` exists: all copies have it as their reverse-path, in Return-Path and outside."""
    sent = _deliver(node, "owned@example.org", seed=72)
    assert crlf(_wait(node, "ann@example.org", sent)).startswith(b"Return-Path: <owner-owned@example.org>\r\n")
    plain = sent.replace(b"\r\n", b"\n")
    until(lambda: [one for one in sink.wait_for() if content(one).endswith(plain)], 10, "none")
    [outside] = [one for one in sink.wait_for() if content(one).endswith(plain)]
    assert arguments(outside, "Mail")[0].startswith("<owner-owned@example.org>")


def test_an_alias_may_keep_a_copy(node: Node) -> None:
    """``self`` among its own members: its mailbox and the other member's have the message, once each."""
    sent = _deliver(node, "self@example.org", seed=73)
    _wait(node, "self@example.org", sent)
    _wait(node, "carl@example.org", sent)


def test_a_forward_leaves_the_house(node: Node, sink: Sink) -> None:
    """An alias to an address elsewhere: relayed with the sender's own reverse-path."""
    sent = _deliver(node, "away@example.org", seed=74)
    plain = sent.replace(b"\r\n", b"\n")
    until(lambda: [one for one in sink.wait_for() if content(one).endswith(plain)], 10, "nothing outside")
    [outside] = [one for one in sink.wait_for() if content(one).endswith(plain)]
    assert arguments(outside, "Mail")[0].startswith("<bob@example.net>")
    assert arguments(outside, "Rcpt") == ["<away@outside.test>"]


# --- circles --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "6.3")
def test_a_message_that_comes_back_is_refused(node: Node) -> None:
    """It bears our own Delivered-To: 554 5.4.6 at the door when that is all, and nothing is delivered."""
    before = node.names("ann@example.org")
    sent = b"Delivered-To: ann@example.org\r\n" + letter(500)
    heard = send(node.port(), BOB, ["ann@example.org"], sent)
    assert (heard.code, heard.status) == (554, "5.4.6")
    assert node.names("ann@example.org") == before


def _queue(node: Node) -> str:
    return node.command("queue", "list", "--json").strip()


def _lists(domain: str, members: str, port: int) -> str:
    """Write the settings of a node where x is an alias or a list, and that sends to another node."""
    return (
        settings(domains={"example.org": "any", domain: "any"}, hostname=f"mx.{domain}")
        + f'[domain.aliases]\n{members}\n\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{port}"\n'
    )


@pytest.mark.rfc("5321", "6.3")
@pytest.mark.parametrize(
    ("here_members", "there_members"),
    [
        ('x = ["x", "x@there.test"]', 'x = ["x@here.test"]'),
        ('x = ["a@there.test", "b@there.test"]', 'a = ["x@here.test"]\nb = ["x@here.test"]'),
        ('x = ["x", "a@there.test", "b@there.test"]', 'a = ["a", "x@here.test"]\nb = ["b", "x@here.test"]'),
    ],
    ids=["forward", "doubling", "doubling-with-copies"],
)
def test_a_circle_of_two_nodes_ends_in_a_report(make_node: MakeNode, here_members: str, there_members: str) -> None:
    """Each sends on to the other, even twice: every mailbox has one copy, and the sender is told of the circle."""
    here, there = make_node(name="here"), make_node(name="there")
    for node, text in (
        (here, _lists("here.test", here_members, there.port())),
        (there, _lists("there.test", there_members, here.port())),
    ):
        node.stop()
        node.configure(text)
        node.start()
    sent = letter(800, seed=75)
    assert send(here.port(), "bob@example.org", ["x@here.test"], sent).code == 250
    reports: list[bytes] = []

    def is_over() -> bool:
        reports[:] = here.messages("bob@example.org") + there.messages("bob@example.org")
        return bool(reports) and not (_queue(here) or _queue(there))

    until(is_over, 10, "it still goes round")
    assert {read_dsn(report).recipients[0]["Status"] for report in reports} == {"5.4.6"}
    assert len(reports) <= 2
    for user in ("x@here.test", "a@there.test", "b@there.test"):
        node = here if user.endswith("here.test") else there
        assert len(node.messages(user)) <= 1


# --- accounts -------------------------------------------------------------------------------------------------------


def _rcpt(node: Node, to: str) -> Heard:
    with Client(node.port()) as client:
        client.greet()
        return client.begin(BOB, [to])[1]


def test_accounts_come_and_go_while_the_node_runs(node: Node) -> None:
    """``account add`` and ``remove`` count at once; what a removed mailbox holds stays."""
    assert _rcpt(node, "new@example.org").code == 550
    node.command("account", "add", "New@example.org")
    until(lambda: _rcpt(node, "new@example.org").code == 250, 1, "a new account is not known within a second")
    sent = _deliver(node, "new@example.org", seed=76)
    _wait(node, "new@example.org", sent)
    assert "new@example.org" in node.command("account", "list", "example.org").split()
    node.command("account", "remove", "new@example.org")
    until(lambda: _rcpt(node, "new@example.org").code == 550, 1, "a removed account is known a second later")
    assert "new@example.org" not in node.command("account", "list").split()
    assert _has(node.messages("new@example.org"), sent)


def test_an_account_command_says_what_is_wrong(node: Node) -> None:
    """What is there already, is not there, is no address or not ours ends with an error, not with silence."""
    for arguments_ in (
        ["add", "ann@example.org"],
        ["remove", "nobody@example.org"],
        ["add", "no address"],
        ["add", "../x@example.org"],
    ):
        with pytest.raises(AssertionError, match="exit"):
            node.command("account", *arguments_)


# --- quota ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "4.2.3")
def test_over_quota_is_an_answer_at_the_door(make_node: MakeNode) -> None:
    """552 5.2.2 with nothing left behind; when the owner makes room mail comes in again; no report is sent."""
    node = make_node(settings(more='\n[maildir]\nquota = "30 KiB"\n'))
    assert send(node.port(), "bob@example.org", ["ann@example.org"], letter(20_000, seed=1)).code == 250
    heard = send(node.port(), "bob@example.org", ["ann@example.org"], letter(15_000, seed=2))
    assert (heard.code, heard.status) == (552, "5.2.2")
    assert send(node.port(), "bob@example.org", ["ann@example.org"], letter(5000, seed=3)).code == 250
    mailbox = node.maildir("ann@example.org")
    assert len(node.names("ann@example.org")) == 2
    assert not list((mailbox / "tmp").iterdir())
    assert (mailbox / "maildirsize").read_text().splitlines()[0] == "30720S"
    for name in node.names("ann@example.org"):
        (mailbox / "new" / name).unlink()
    assert send(node.port(), "bob@example.org", ["ann@example.org"], letter(15_000, seed=4)).code == 250
    assert not node.names("bob@example.org")
    assert not _queue(node)


@pytest.mark.rfc("5321", "6.1")
def test_one_full_mailbox_of_two_is_reported(make_node: MakeNode) -> None:
    """SMTP has one answer for two: the message is taken, one has it, and of the other a report tells."""
    node = make_node(settings(more='\n[maildir]\nquota = "30 KiB"\n'))
    assert send(node.port(), "", ["full@example.org"], letter(28_000)).code == 250
    sent = letter(10_000, seed=5)
    assert send(node.port(), "bob@example.org", ["full@example.org", "ann@example.org"], sent).code == 250
    _wait(node, "ann@example.org", sent)
    dsn = read_dsn(node.wait_for("bob@example.org")[0])
    assert (dsn.only["Final-Recipient"], dsn.only["Status"]) == ("rfc822; full@example.org", "5.2.2")
    assert dsn.returned.replace(b"\r\n", b"\n").endswith(sent.replace(b"\r\n", b"\n"))


# --- other programs read it -------------------------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that other users may enter."""
    made = Path(tempfile.mkdtemp(prefix="reading-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


TRICKY = (
    b"From here on\r\n.\r\n..dots\r\n>From quoted\r\n\r\nFrom again\r\n" + "Grüße\r\n".encode() + b"x" * 900 + b"\r\n"
)


def _tricky(node: Node, to: str, count: int) -> None:
    with Client(node.port()) as client:
        client.greet()
        for number in range(count):
            header = f"Subject: message {number}\r\nFrom: {BOB}\r\nTo: {to}\r\n\r\n".encode()
            assert client.send(BOB, [to], header + TRICKY, " BODY=8BITMIME").code == 250


def test_dovecot_and_mutt_read_the_maildir(node: Node, place: Path) -> None:
    """Three letters full of dots and From lines: both programs show every line as it was sent."""
    _tricky(node, "carl@example.org", 3)
    shutil.copytree(node.maildir("carl@example.org"), place / "carl")
    text = TRICKY.replace(b"\r\n", b"\n")
    assert mutt(place, place / "carl").count(text) == 3
    assert doveadm(place, place / "carl", "text").encode().count(text) == 3


def test_mutt_reads_the_mbox(node: Node, place: Path) -> None:
    """By the mbox courier: one file, three messages, From lines quoted and nothing else changed."""
    _tricky(node, "Ann@old.test", 3)
    mbox = node.data / "mail" / "old.test" / "ann.mbox"
    octets = mbox.read_bytes()
    assert octets.count(b"\n\nFrom bob@example.net ") == 2
    assert octets.startswith(b"From bob@example.net ")
    assert octets.count(b"\nReturn-Path: <bob@example.net>\nDelivered-To: ann@old.test\nReceived: ") == 3
    shutil.copy(mbox, place / "ann.mbox")
    read = mutt(place, place / "ann.mbox")
    quoted = TRICKY.replace(b"\r\n", b"\n").replace(b">From", b">>From").replace(b"From here", b">From here")
    assert read.count(quoted.replace(b"\nFrom again", b"\n>From again")) == 3
    assert [read.count(b"Subject: message %d\n" % number) for number in range(3)] == [1, 1, 1]
