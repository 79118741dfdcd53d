"""Two nodes and a real DNS server: whatever the MX records lead to, each message ends as the RFCs say.

The first node relays; the second keeps mail. Scripted next hops play the hosts that are busy or that refuse. All
listen on one port of different loopback addresses, and the relay is told that it stands for port 25.
"""

import os
from collections.abc import Iterator

import pytest
from attrs import frozen

from tests.kit.client import send
from tests.kit.contents import assert_carried, letter
from tests.kit.dns import NsdServer
from tests.kit.node import Node, settings
from tests.kit.peers import Peer
from tests.kit.ports import free_port
from tests.kit.programs import program
from tests.kit.reports import ReadReport, read_report
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

NET = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
"""A loopback network that other runs on this machine are not likely to use."""

KEEPER, BUSY, REFUSING, DEAD, FULL = (f"{NET}.{number}" for number in range(1, 6))

ZONE = f"""
keeper A {KEEPER}
busy A {BUSY}
refusing A {REFUSING}
dead A {DEAD}
full A {FULL}
plain MX 10 keeper
dead-first MX 10 dead
dead-first MX 20 keeper
busy-first MX 10 busy
busy-first MX 20 keeper
full-first MX 10 full
full-first MX 20 keeper
refusing-first MX 10 refusing
refusing-first MX 20 keeper
equal MX 10 dead
equal MX 10 keeper
null MX 0 .
implicit A {KEEPER}
alias CNAME plain
chain CNAME alias
loop CNAME loop-back
loop-back CNAME loop
hostless MX 10 no-such-host
all-busy MX 10 busy
all-dead MX 10 dead
quiet TXT "no address, no MX"
"""

MORE = """
[resolver]
servers = ["{dns}"]

[smtp]
port = {port}

[queue]
retry = ["1s"]
jitter = 0.0
warn_after = "3s"
give_up = "8s"
rest_minimum = "1s"
rest_maximum = "1s"
"""

KEPT = ("plain", "dead-first", "busy-first", "full-first", "equal", "implicit", "alias", "chain")
"""The domains of the zone whose mail the second node must get in the end."""


@frozen
class World:
    """All that takes part."""

    relay: Node
    keeper: Node
    refusing: Peer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the DNS, the hosts and both nodes."""
    program("nsd")
    port = free_port(KEEPER)
    folder = tmp_path_factory.mktemp("world")
    more = (
        f'\n[[listener]]\nname = "public"\nservice = "smtp"\nendpoint = "tcp:{port}:interface={KEEPER}"\ntls = "none"\n'
    )
    keeper = Node(
        folder / "keeper", settings(hostname="keeper.test", domains={f"{name}.test": "any" for name in KEPT}, more=more)
    )
    busy = Peer({"CONNECT": "421 4.3.2 not now"}, address=BUSY, port=port)
    full = Peer({"RCPT": "452 4.2.2 no room"}, address=FULL, port=port)
    refusing = Peer({"RCPT": "550 5.1.1 nobody of this name"}, address=REFUSING, port=port)
    with NsdServer() as dns, busy, full, refusing:
        dns.serve({"test": ZONE})
        relay = Node(
            folder / "relay",
            settings(hostname="relay.test", more=MORE.replace("{dns}", dns.name).replace("{port}", str(port))),
        )
        try:
            yield World(relay.start(), keeper.start(), refusing)
        finally:
            relay.kill()
            keeper.kill()


def _send(world: World, domain: str) -> bytes:
    """Hand the relay a letter for ``ann`` at the domain, from a mailbox of the domain's name at the relay."""
    content = letter(2000, seed=len(domain), to=f"ann@{domain}.test", sender=f"{domain}@example.org")
    heard = send(world.relay.port(), f"{domain}@example.org", [f"ann@{domain}.test"], content)
    assert heard.code == 250, heard
    return content


def _report(world: World, domain: str, number: int = 1) -> ReadReport:
    """Wait for the sender's report, the ``number``-th, and read it."""
    report = read_report(world.relay.wait_for(f"{domain}@example.org", number)[number - 1])
    assert report.recipient == f"ann@{domain}.test"
    return report


@pytest.mark.rfc("5321", "5.1")
@pytest.mark.parametrize("domain", KEPT)
def test_it_reaches_the_host_that_takes_it(world: World, domain: str) -> None:
    """A dead or busy better MX, equal ones, no MX at all, an alias: the mail gets to the host that keeps it."""
    content = _send(world, domain)
    # Whoever is behind an alias is known to the keeper by the name that stood in the address (RFC 5321 section 5.1).
    [arrived] = world.keeper.wait_for(f"ann@{domain}.test")
    assert_carried(arrived, content)


@pytest.mark.rfc("5321", "4.2.1")
def test_a_permanent_refusal_is_final(world: World) -> None:
    """After 5xx no other MX is asked, and the sender hears the words of the host that refused."""
    _send(world, "refusing-first")
    report = _report(world, "refusing-first")
    assert (report.action, report.status) == ("failed", "5.1.1")
    assert report.bounced == {"ann@refusing-first.test"}
    assert "nobody of this name" in report.diagnostic
    assert report.remote
    assert not world.keeper.names("ann@refusing-first.test")
    assert not any(message.content for message in world.refusing.arrived)


@pytest.mark.rfc("7505", "4.1")
@pytest.mark.rfc("3464", "2")
@pytest.mark.parametrize(
    ("domain", "status"),
    [("null", "5.1.10"), ("nowhere", "5.1.2"), ("loop", "5.4.4"), ("hostless", "5.4.4"), ("quiet", "5.4.4")],
)
def test_what_the_dns_rules_out_bounces_at_once(world: World, domain: str, status: str) -> None:
    """Null MX, no such domain, an endless alias, an MX that is no host, no address: one report, with the code for it."""
    _send(world, domain)
    report = _report(world, domain)
    assert (report.action, report.status) == ("failed", status)
    assert report.bounced == {f"ann@{domain}.test"}


@pytest.mark.rfc("5321", "4.5.4.1")
@pytest.mark.parametrize("domain", ["all-busy", "all-dead"])
def test_a_delay_is_reported_and_then_ends(world: World, domain: str) -> None:
    """Hosts that never take it: one warning, then one failure report, then silence."""
    _send(world, domain)
    warning = _report(world, domain)
    assert warning.action == "delayed"
    assert warning.status.startswith("4.")
    assert not warning.bounced
    failure = _report(world, domain, 2)
    assert failure.action == "failed"
    assert failure.bounced == {f"ann@{domain}.test"}


@pytest.mark.rfc("5321", "4.5.5")
def test_a_notification_is_never_answered(world: World) -> None:
    """A failing message with the null reverse-path leaves the queue, and nothing comes of it."""
    before = world.relay.log().count("failure notification")
    heard = send(world.relay.port(), "", ["ann@nowhere.test"], letter(500))
    assert heard.code == 250
    queue_id = heard.text.split()[-1]
    until(lambda: f"{queue_id}: removed" in world.relay.log(), 20, "it is still in the queue")
    assert world.relay.log().count("failure notification") == before
    assert world.relay.command("queue", "list", "--json").strip() in ("", "[]")
