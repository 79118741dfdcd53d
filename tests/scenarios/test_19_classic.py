"""The classic protocol with a real node: terminals that are pseudo-terminals, programs that ask, and the old dialogues.

The node runs as the user of the tests, and a utmp of its own says that this user is logged in at a terminal that the test
holds. Nothing of the machine's own terminals is touched.
"""

import signal
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.mail.account import AccountChange
from mailnode.mail.address import Mailbox
from tests.kit.classic import ACCOUNTS, settings_text
from tests.kit.client import Client
from tests.kit.dialogue import differences, read_dialogue
from tests.kit.node import Node
from tests.kit.peers import EHLO, Peer
from tests.kit.programs import program
from tests.kit.results import InlineDisk, now
from tests.kit.talk import Talk
from tests.kit.terminals import Terminal, login_name, write_utmp
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent.parent / "dialogues" / "classic"
CRISPIN = "crispin@foo.example"
HOSTILE = b"Subject: hi\r\n\r\nlook \x1b[2J\x1b]0;x\x07 \xc2\x9b here\r\n"


@frozen
class World:
    """foo.example, the terminal at which crispin sits, and the host that all other mail goes to."""

    node: Node
    terminal: Terminal
    utmp: Path
    peer: Peer


def make_accounts(node: Node) -> None:
    """Make the accounts before the node starts."""
    directory = SqliteDirectory(node.data / "accounts.db", InlineDisk())
    for mailbox in (*(Mailbox(name, "foo.example") for name in ACCOUNTS), Mailbox("kim", "bar.example")):
        now(directory.add(mailbox))
    now(directory.change(Mailbox("crispin", "foo.example"), AccountChange(name="Mark Crispin")))
    directory.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run foo.example; crispin is the user who runs the tests."""
    folder = tmp_path_factory.mktemp("classic")
    utmp = folder / "utmp"
    with Terminal() as terminal, Peer({"EHLO": EHLO}) as peer:
        write_utmp(utmp, [(login_name(), terminal.name)])
        node = Node(folder / "node", settings_text(login=login_name(), utmp=utmp, hop=peer.port))
        make_accounts(node)
        try:
            yield World(node.start(), terminal, utmp, peer)
        finally:
            node.kill()


@pytest.fixture(autouse=True)
def seat(world: World) -> None:
    """Let crispin sit at the terminal again, and forget what it has shown."""
    write_utmp(world.utmp, [(login_name(), world.terminal.name)])
    world.terminal.allow(True)
    world.terminal.read()


def send(client: Client, verb: str, recipient: str, content: bytes) -> list[str]:
    """Carry out a transaction that the verb opens; gives the codes and statuses of what was heard."""
    heard = [client.say(f"{verb} FROM:<eak@bar.example>"), client.say(f"RCPT TO:<{recipient}>")]
    if heard[-1].code == 250:
        heard.append(client.content(content))
    else:
        heard.append(client.say("RSET"))
    return [f"{one.code} {one.status}" for one in heard]


@pytest.mark.rfc("5321", "D")
@pytest.mark.rfc("821", "F")
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_classic_dialogue_goes_as_written(world: World, path: Path) -> None:
    """What a host in memory says, a node says over TCP."""
    with Talk(world.node.port()) as talk:
        for exchange in read_dialogue(path).exchanges:
            talk.write(exchange.sent)
            said = talk.lines(len(exchange.replies))
            assert not list(differences(exchange, said)), (exchange.sent[:200], said)


@pytest.mark.rfc("821", "3.4")
@pytest.mark.parametrize(("verb", "is_mailed"), [("SEND", False), ("SOML", False), ("SAML", True)])
def test_a_terminal_shows_the_message_and_nothing_harmful(world: World, verb: str, *, is_mailed: bool) -> None:
    """It arrives at a real pseudo-terminal without one escape sequence; only SAML puts it into the mailbox as well."""
    before = len(world.node.names(CRISPIN))
    with Client(world.node.port()) as client:
        greeting = client.greet().text
        assert all(f"250-{keyword}" in greeting or f"250 {keyword}" in greeting for keyword in ("SEND", "SOML", "SAML"))
        assert [line[:3] for line in send(client, verb, CRISPIN, HOSTILE)] == ["250"] * 3
    shown = world.terminal.read(10.0)
    assert b"Message from eak@bar.example by foo.example at " in shown
    assert b"look ?[2J?]0;x? ? here" in shown.replace(b"??", b"?")
    assert not any(octet in shown for octet in (0x1B, 0x07, 0x9B, 0x00))
    assert len(world.node.names(CRISPIN)) - before == is_mailed


@pytest.mark.rfc("821", "3.4")
@pytest.mark.parametrize("how", ["messages off", "not logged in", "another's terminal"])
def test_a_user_who_is_not_active_is_left_alone(world: World, how: str) -> None:
    """With messages off (mesg n), or nowhere logged in: 450 for SEND, the mailbox for SOML and SAML, nothing is shown."""
    if how == "messages off":
        world.terminal.allow(False)
    else:
        write_utmp(world.utmp, [("nobody", world.terminal.name)] if how == "another's terminal" else [])
    before = len(world.node.names(CRISPIN))
    with Client(world.node.port()) as client:
        client.greet()
        assert send(client, "SEND", CRISPIN, HOSTILE) == ["250 2.1.0", "450 4.2.1", "250 2.0.0"]
        assert send(client, "SOML", CRISPIN, HOSTILE)[-1] == "250 2.0.0"
        assert send(client, "SAML", CRISPIN, HOSTILE)[-1] == "250 2.0.0"
    assert len(world.node.names(CRISPIN)) - before == 2
    assert world.terminal.read(0.3) == b""


def test_a_stopped_terminal_does_not_hang_the_node(world: World) -> None:
    """A terminal whose output nobody reads fills up; SEND says 450 then, and others are served at once."""
    with Client(world.node.port()) as client:
        client.greet()
        codes = []
        for _ in range(200):
            codes.append(send(client, "SEND", CRISPIN, b"Subject: x\r\n\r\n" + b"x" * 5000 + b"\r\n")[-1])
            if codes[-1].startswith("450"):
                break
        assert codes[-1] == "450 4.2.1"
        assert client.say("NOOP").code == 250
    world.terminal.read()


def test_what_is_off_is_not_offered(tmp_path: Path) -> None:
    """By default: none of the sending verbs, no VERB; who is asked for stays unknown to strangers."""
    text = (
        '[node]\ndata = "{data}"\ntrusted_networks = []\n[[listener]]\nendpoint = "tcp:{port:mx}:interface=127.0.0.1"\n'
    )
    node = Node(tmp_path / "node", text + '[[domain]]\nname = "foo.example"\naccounts = "any"\n')
    try:
        with Client(node.start().port()) as client:
            said = client.greet().text
            assert "EXPN" in said
            assert not any(word in said for word in ("SEND", "SOML", "SAML", "VERB"))
            for verb in (
                "SEND FROM:<a@b.example>",
                "SOML FROM:<a@b.example>",
                "SAML FROM:<a@b.example>",
                "VERB",
                "TURN",
            ):
                assert client.say(verb).code == 502
            assert client.say("HELP SEND").code == 504
            assert client.say("VRFY ann@foo.example").code == client.say("EXPN ann@foo.example").code == 252
    finally:
        node.kill()


@pytest.mark.rfc("5321", "3.4")
def test_programs_meet_users_who_moved(world: World) -> None:
    """Python's smtplib goes on at 251, and the mail arrives at the new address; at 551 swaks gives up and shows why."""
    with smtplib.SMTP("127.0.0.1", world.node.port()) as client:
        assert client.sendmail("eak@bar.example", ["fred@foo.example"], "Subject: moved\r\n\r\nx\r\n") == {}
        assert client.mail("eak@bar.example")[0] == 250
        assert client.rcpt("paul@foo.example")[0] == 551
    until(lambda: any("fred@usc.example" in str(one) for one in world.peer.arrived), 20.0, world.node.log)
    swaks = [program("swaks"), "--server", f"127.0.0.1:{world.node.port()}", "--from", "eak@bar.example"]
    told = subprocess.run([*swaks, "--to", "paul@foo.example"], capture_output=True, timeout=60, check=False)
    assert b"551 5.1.6 User not local; please try <paul@usc.example>" in told.stdout
    assert told.returncode != 0


@pytest.mark.rfc("5321", "3.5")
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("VRFY crispin", "<crispin@foo.example>"),
        ("EXPN example-people", "<smith@xyz.example>"),
        ("HELP", "VRFY"),
        ("HELP MAIL", "MAIL FROM:<reverse-path>"),
    ],
)
def test_curl_asks(world: World, question: str, answer: str) -> None:
    """The program curl asks the server what people ask it, and shows what it hears."""
    asked = subprocess.run(
        [program("curl"), "--silent", "--show-error", "--request", question, f"smtp://127.0.0.1:{world.node.port()}"],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert answer in asked.stdout.decode()


def test_terminals_are_switched_off_under_way(world: World) -> None:
    """After SIGHUP new sessions are not offered the sending verbs, and after another one they are again."""
    text = world.node.configuration.read_text()
    try:
        world.node.configuration.write_text(text.replace("[terminal]\nenabled = true", "[terminal]\nenabled = false"))
        world.node.signal(signal.SIGHUP)
        until(lambda: not _offers_send(world.node), 10.0, world.node.log)
    finally:
        world.node.configuration.write_text(text)
        world.node.signal(signal.SIGHUP)
        until(lambda: _offers_send(world.node), 10.0, world.node.log)


def _offers_send(node: Node) -> bool:
    with Client(node.port()) as client:
        return "SEND" in client.greet().text


@pytest.mark.rfc("5321", "3.4")
def test_the_next_hop_tells_of_users_who_moved(world: World) -> None:
    """As a client the node takes 251 for success, and returns a message that met 551 with the words of the next hop."""
    before = len(world.peer.arrived)
    try:
        with smtplib.SMTP("127.0.0.1", world.node.port()) as client:
            world.peer.script["RCPT"] = "251 User not local; will forward to <you@there.example>"
            client.sendmail("kim@bar.example", ["you@xyz.example"], "Subject: on\r\n\r\nx\r\n")
            world.peer.wait_for(before + 1)
            world.peer.script["RCPT"] = "551 5.1.6 User not local; please try <me@there.example>"
            client.sendmail("kim@bar.example", ["me@xyz.example"], "Subject: back\r\n\r\nx\r\n")
        (returned,) = world.node.wait_for("kim@bar.example")
    finally:
        del world.peer.script["RCPT"]
    assert b"please try <me@there.example>" in returned
    assert b"Status: 5.1.6" in returned
