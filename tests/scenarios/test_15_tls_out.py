"""TLS and AUTH on the way out: what each level makes of each kind of next hop, smarthosts, and REQUIRETLS over two hops."""

import re
import signal
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import frozen

from tests.kit.client import send
from tests.kit.dsn import read_dsn
from tests.kit.node import Node
from tests.kit.peers import Peer
from tests.kit.pki import Authority, authority
from tests.kit.smtpd import Smtpd
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

LETTER = b"From: bob@example.org\r\nTo: ann@there.test\r\nSubject: x\r\n\r\nthe body of it\r\n"

KINDS = ("good", "expired", "wrong", "stranger", "clear", "broken")
LEVELS = ("none", "may", "encrypt", "verify")

BASE = """
[node]
hostname = "relay.test"
data = "{data}"

[[listener]]
name = "mx"
endpoint = "tcp:{port:mx}:interface=127.0.0.1"

[[domain]]
name = "example.org"
accounts = "any"

[resolver]
hosts = "FOLDER/hosts"

[smtp]
ca_file = "FOLDER/ca.pem"

[queue]
retry = ["5m"]
dead_after = 1000
"""

OFFER = "250-peer.example\n250-PIPELINING\n250-STARTTLS\n250 SIZE 104857600"


def route(match: str, host: str, port: int, *more: str) -> str:
    """Write a route."""
    lines = "\n".join(more)
    return f'\n[[route]]\nmatch = "{match}"\nnext_hop = "[{host}]:{port}"\n{lines}\n'


@frozen
class World:
    """A relay and its next hops."""

    relay: Node
    servers: dict[str, Smtpd]
    peers: dict[str, Peer]
    folder: Path

    def send(self, *recipients: str, content: bytes = LETTER, sender: str = "bob@example.org") -> None:
        """Hand the relay a letter for each."""
        for recipient in recipients:
            assert send(self.relay.port(), sender, [recipient], content).code == 250

    def attempt(self, recipient: str) -> str:
        """Wait for the line of the log that tells of an attempt."""
        pattern = re.compile(rf"to=<{re.escape(recipient)}> .*outcome=.*")
        until(lambda: pattern.search(self.relay.log()), 15, lambda: f"no attempt for {recipient}: {self.relay.log()}")
        found = pattern.search(self.relay.log())
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the servers and the relay."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "ca.pem").write_bytes(authority().identity.pem)
    (folder / "hosts").write_text(
        "127.0.0.1 good.test expired.test wrong.test stranger.test clear.test broken.test smart.test\n"
    )
    (folder / "right").write_text("secret one\n")
    (folder / "false").write_text("another\n")
    (folder / "right").chmod(0o600)
    identities = {
        "good": authority().sign("good.test"),
        "expired": authority().sign("expired.test", days=-3),
        "wrong": authority().sign("other.test", "*.wrong.test"),
        "stranger": Authority("Stranger").sign("stranger.test"),
    }
    passwords = {"bob": "secret one"}
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(Smtpd(identity, folder)) for kind, identity in identities.items()}
        smart = authority().sign("smart.test")
        servers["smart"] = stack.enter_context(Smtpd(smart, folder, passwords=passwords))
        servers["implicit"] = stack.enter_context(Smtpd(smart, folder, passwords=passwords, is_implicit=True))
        servers["login"] = stack.enter_context(Smtpd(smart, folder, passwords=passwords, mechanisms=("LOGIN",)))
        peers = {
            "clear": stack.enter_context(Peer()),
            "broken": stack.enter_context(Peer({"EHLO": OFFER, "STAR": "220 go on\nthis is no TLS"})),
        }
        routes = [
            route(f"{kind}-{level}.test", f"{kind}.test", (servers.get(kind) or peers[kind]).port, f'tls = "{level}"')
            for kind in KINDS
            for level in LEVELS
        ]
        right = ('username = "bob"', f'password_file = "{folder}/right"')
        false = ('username = "bob"', f'password_file = "{folder}/false"')
        routes += [
            route("smart.test", "smart.test", servers["smart"].port, *right),
            route("false.test", "smart.test", servers["smart"].port, *false),
            route("login.test", "smart.test", servers["login"].port, *right),
            route("implicit.test", "smart.test", servers["implicit"].port, 'tls = "implicit"', *right),
            route("nameless.test", "smart.test", servers["smart"].port),
            route("exposed.test", "clear.test", peers["clear"].port, 'tls = "may"', *right),
            route("named.test", "wrong.test", servers["wrong"].port, 'tls = "verify"', 'tls_names = ["mx.wrong.test"]'),
        ]
        relay = Node(folder / "relay", BASE.replace("FOLDER", str(folder)) + "".join(routes))
        try:
            yield World(relay.start(), servers, peers, folder)
        finally:
            relay.kill()


IN_TLS = {("good", level): "verified" for level in LEVELS[1:]} | {
    (kind, level): "unverified" for kind in ("expired", "wrong", "stranger") for level in ("may", "encrypt")
}
IN_CLEAR = [(kind, "none") for kind in KINDS] + [("clear", "may"), ("broken", "may")]
WAITS = {
    ("expired", "verify"): "451 4.7.5 expired.test cannot be verified: its certificate has expired",
    (
        "wrong",
        "verify",
    ): "451 4.7.5 wrong.test cannot be verified: its certificate is for other.test, *.wrong.test, not for wrong.test",
    (
        "stranger",
        "verify",
    ): "451 4.7.5 stranger.test cannot be verified: its certificate comes from an authority we do not know",
    ("clear", "encrypt"): "451 4.7.4 TLS is required, and clear.test does not offer it",
    ("clear", "verify"): "451 4.7.4 TLS is required, and clear.test does not offer it",
    ("broken", "encrypt"): "451 4.7.5 No TLS with broken.test",
    ("broken", "verify"): "451 4.7.5 No TLS with broken.test",
}


@pytest.mark.rfc("3207", "4")
@pytest.mark.parametrize(("kind", "level"), IN_TLS)
def test_it_goes_over_tls(world: World, kind: str, level: str) -> None:
    """A server with TLS gets the mail over TLS where the level wants no more of its certificate than there is."""
    recipient = f"ann@{kind}-{level}.test"
    world.send(recipient)
    assert world.servers[kind].wait_for(recipient).is_secured
    assert f" {IN_TLS[kind, level]} attempt=1" in world.attempt(recipient)
    assert re.search(r" tls=TLSv1\.3 TLS_\w+ ", world.attempt(recipient))


@pytest.mark.rfc("3207", "4.1")
@pytest.mark.parametrize(("kind", "level"), IN_CLEAR)
def test_it_goes_in_clear_text(world: World, kind: str, level: str) -> None:
    """Without TLS, or after a handshake that broke off, opportunistic mail still goes; so does what wants no TLS."""
    recipient = f"ann@{kind}-{level}.test"
    world.send(recipient)
    line = world.attempt(recipient)
    assert "outcome=relayed" in line
    assert " tls=" not in line
    if kind in world.servers:
        assert not world.servers[kind].wait_for(recipient).is_secured


@pytest.mark.rfc("9525", "6.1")
@pytest.mark.parametrize(("kind", "level"), WAITS)
def test_it_waits(world: World, kind: str, level: str) -> None:
    """What a level forbids is a delay that says why; not a word of mail was said."""
    recipient = f"ann@{kind}-{level}.test"
    world.send(recipient)
    line = world.attempt(recipient)
    assert "outcome=delayed" in line
    assert WAITS[kind, level] in line
    if kind in world.servers:
        assert not any(recipient in one.recipients for one in world.servers[kind].taken)
    else:
        assert not any(f"<{recipient}>" in one.recipients for one in world.peers[kind].arrived)


def test_the_fall_back_to_clear_text_is_logged(world: World) -> None:
    """Whoever watches the log learns that TLS broke off."""
    world.send("tom@broken-may.test")
    world.attempt("tom@broken-may.test")
    assert "broken.test: goes on in clear text: 451 4.7.5 No TLS with broken.test" in world.relay.log()


def test_names_of_a_route_take_the_place_of_the_next_hop_s(world: World) -> None:
    """tls_names says whose certificate is wanted; a wildcard in the certificate covers it."""
    world.send("ann@named.test")
    assert world.servers["wrong"].wait_for("ann@named.test").is_secured


@pytest.mark.rfc("8689", "4")
def test_a_message_may_lower_the_level_for_itself(world: World) -> None:
    """TLS-Required: No goes to a host whose certificate is false, and leaves no session behind for others."""
    world.send("relaxed@wrong-verify.test", content=b"TLS-Required: No\r\n" + LETTER)
    assert world.servers["wrong"].wait_for("relaxed@wrong-verify.test").is_secured
    world.send("strict@wrong-verify.test")
    assert "451 4.7.5" in world.attempt("strict@wrong-verify.test")


@pytest.mark.rfc("4954", "4")
@pytest.mark.parametrize("name", ["smart", "login", "implicit"])
def test_a_smarthost_wants_a_password(world: World, name: str) -> None:
    """By PLAIN and by LOGIN, after STARTTLS and on a TLS port: aiosmtpd lets us in and takes the mail."""
    world.send(f"ann@{name}.test")
    taken = world.servers[name].wait_for(f"ann@{name}.test")
    assert taken.is_secured
    assert taken.is_authenticated


@pytest.mark.rfc("4954", "6")
def test_a_false_password_is_a_delay(world: World) -> None:
    """535 is told and waited out; the route without credentials fails, for sessions are not shared between terms."""
    world.send("ann@false.test")
    line = world.attempt("ann@false.test")
    assert "outcome=delayed" in line
    assert "451 4.7.8 smart.test does not let us in as bob: 535 5.7.8" in line
    world.send("ann@smart.test")
    world.servers["smart"].wait_for("ann@smart.test")
    world.send("ann@nameless.test")
    assert "outcome=failed (530 5.7.0" in world.attempt("ann@nameless.test")


def test_a_password_never_goes_in_clear_text(world: World) -> None:
    """A smarthost that has lost its TLS does not get it."""
    world.send("ann@exposed.test")
    assert "451 4.7.4 The password goes over TLS only, and there is none with clear.test" in world.attempt(
        "ann@exposed.test"
    )
    assert not any(line.upper().startswith("AUTH") for line in world.peers["clear"].commands)


def test_the_log_and_explain(world: World) -> None:
    """Explain shows the terms; a file that others can read is warned of; no password is in the log."""
    said = world.relay.command("explain", "ann@smart.test")
    assert "TLS with a verified certificate, AUTH as bob" in " ".join(said.split())
    world.send("ann@false.test")
    world.attempt("ann@false.test")
    assert f"{world.folder}/false can be read by others" in world.relay.log()
    assert "secret one" not in world.relay.log()
    assert "another" not in world.relay.log()


# --- REQUIRETLS -----------------------------------------------------------------------------------------------------

HOP = """
[node]
hostname = "{name}"
data = "{data}"

[[certificate]]
certificate = "FOLDER/NAME.pem"
private_key = "FOLDER/NAME.key"

[[listener]]
name = "mx"
endpoint = "tcp:{port:mx}:interface=127.0.0.1"
tls = "starttls"

[[domain]]
name = "NAME"
accounts = "any"

[resolver]
hosts = "FOLDER/hosts"

[smtp]
ca_file = "FOLDER/ca.pem"
"""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node, Node]]:
    """Start three nodes in a row, each with a certificate, and a server without REQUIRETLS behind the second."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "ca.pem").write_bytes(authority().identity.pem)
    names = ("one.test", "two.test", "three.test")
    (folder / "hosts").write_text(f"127.0.0.1 {' '.join(names)} modest.test clear.test\n")
    nodes = []
    with ExitStack() as stack:
        modest = stack.enter_context(Smtpd(authority().sign("modest.test"), folder))
        clear = stack.enter_context(Peer())
        for name in names:
            authority().sign(name).write(folder, name)
            nodes.append(
                Node(folder / name, HOP.replace("FOLDER", str(folder)).replace("NAME", name).replace("{name}", name))
            )
            stack.callback(nodes[-1].kill)
        one, two, three = nodes
        text = {node: node.configuration.read_text() for node in nodes}
        one.configure(text[one] + route("*", "two.test", two.port()))
        two.configure(
            text[two]
            + route("three.test", "three.test", three.port())
            + route("modest.test", "modest.test", modest.port)
            + route("clear.test", "clear.test", clear.port)
            + route("one.test", "one.test", one.port())
        )
        yield one.start(), two.start(), three.start()


def _submit(node: Node, recipient: str, *, is_secured: bool = True) -> tuple[int, bytes]:
    with smtplib.SMTP("127.0.0.1", node.port(), timeout=20) as client:
        if is_secured:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            client.starttls(context=context)
        client.ehlo()
        code, said = client.mail("bob@one.test", ["REQUIRETLS"])
        if code != 250:
            return code, said
        client.rcpt(recipient)
        return client.data(LETTER)


@pytest.mark.rfc("8689", "4.2.1")
def test_requiretls_over_two_hops(chain: tuple[Node, Node, Node]) -> None:
    """The parameter goes from hop to hop, all of them over TLS with verified certificates."""
    one, two, three = chain
    assert _submit(one, "ann@three.test")[0] == 250
    [arrived] = three.wait_for("ann@three.test")
    assert len(re.findall(rb"with ESMTPS\b", arrived)) == 3
    for node in (one, two):
        assert re.search(r"to=<ann@three\.test> .* tls=TLSv1\.3 \w+ verified .*outcome=relayed", node.log())


@pytest.mark.rfc("8689", "2")
def test_requiretls_is_offered_within_tls_only(chain: tuple[Node, Node, Node]) -> None:
    """In clear text the parameter is not known."""
    assert _submit(chain[0], "ann@three.test", is_secured=False)[0] == 555


@pytest.mark.rfc("8689", "5")
@pytest.mark.parametrize(("host", "status"), [("modest.test", "5.7.30"), ("clear.test", "5.7.10")])
def test_a_hop_that_does_not_keep_it(chain: tuple[Node, Node, Node], host: str, status: str) -> None:
    """The message comes back, its header alone, over a way that is as safe as the one it could not go."""
    one, two, _ = chain
    before = len(one.names("bob@one.test"))
    assert _submit(one, f"ann@{host}")[0] == 250
    dsn = read_dsn(one.wait_for("bob@one.test", before + 1)[-1])
    assert (dsn.only["Action"], dsn.only["Status"]) == ("failed", status)
    assert dsn.returned_type == "text/rfc822-headers"
    assert b"the body of it" not in dsn.returned
    assert re.search(r"to=<bob@one\.test> .* tls=TLSv1\.3 \w+ verified .*outcome=relayed", two.log())


# --- two nodes ------------------------------------------------------------------------------------------------------

SMART = """
[node]
hostname = "smart.test"
data = "{data}"
trusted_networks = []

[[certificate]]
certificate = "FOLDER/smart.pem"
private_key = "FOLDER/smart.key"

[[listener]]
name = "mx"
service = "submission"
endpoint = "tcp:{port:mx}:interface=127.0.0.1"
tls = "starttls"

[[domain]]
name = "smart.test"
accounts = "any"

[submission]
sender_check = "none"
"""


@pytest.mark.rfc("7677", "3")
@pytest.mark.rfc("9266", "4.2")
def test_one_node_authenticates_at_another(make_node: MakeNode, tmp_path: Path) -> None:
    """SCRAM-SHA-256-PLUS over TLS 1.3; terms that change while mail waits lead it along the new way."""
    (tmp_path / "ca.pem").write_bytes(authority().identity.pem)
    (tmp_path / "hosts").write_text("127.0.0.1 smart.test clear.test\n")
    (tmp_path / "secret").write_text("open sesame 7\n")
    (tmp_path / "secret").chmod(0o600)
    authority().sign("smart.test").write(tmp_path, "smart")
    smart = make_node(SMART.replace("FOLDER", str(tmp_path)), "smart")
    smart.command("account", "add", "bob@smart.test", stdin=b"open sesame 7\n")
    base = BASE.replace("FOLDER", str(tmp_path))
    with Peer() as clear:
        relay = make_node(base + route("smart.test", "clear.test", clear.port, 'tls = "encrypt"'), "relay")
        assert send(relay.port(), "bob@example.org", ["ann@smart.test"], LETTER).code == 250
        until(lambda: "451 4.7.4" in relay.log(), 10, relay.log)
        credentials = ('username = "bob@smart.test"', f'password_file = "{tmp_path}/secret"')
        relay.configure(base + route("smart.test", "smart.test", smart.port(), *credentials))
        relay.signal(signal.SIGHUP)
        until(lambda: "The configuration was read again" in relay.log(), 10, relay.log)
        relay.command("queue", "retry", "--all")
        [arrived] = smart.wait_for("ann@smart.test")
    assert b"with ESMTPSA" in arrived
    assert "SCRAM-SHA-256-PLUS" in smart.log()
    assert "Its way is known now" in relay.log()
    assert re.search(r"lane=smtp\+verify\+[0-9a-f]{8}:\[smart\.test\]:\d+ tls=TLSv1\.3 \w+ verified ", relay.log())
