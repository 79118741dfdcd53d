"""The resolver: cache, aliases, servers in turn; and the whole of it against a real DNS server."""

from collections.abc import Callable
from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, TestCase

from mailnode.interfaces import NoSuchDomain, TryLater
from mailnode.mail.quantity import Seconds
from mailnode.routing.exchanges import NoHops, hosts_for
from mailnode.routing.names import CnameLoop
from mailnode.routing.resolver import DnsResolver
from mailnode.routing.settings import ResolverSettings
from mailnode.routing.system import NameServer
from mailnode.routing.transport import Read, Unanswered
from mailnode.routing.wire import Reading
from tests.kit.dns import NsdServer
from tests.kit.results import now

Answers = Callable[[dns.message.QueryMessage], dns.message.Message | None]


class TableWire:
    """A Wire to servers that are functions; one that returns None is silent."""

    def __init__(self, **servers: Answers) -> None:
        self.servers = {name.replace("_", "."): answer for name, answer in servers.items()}
        self.asked: list[str] = []
        self.gate: Deferred[None] | None = None

    async def datagram(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask the function of the server's address."""
        return await self._ask("udp", server, octets, read)

    async def stream(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask the same function."""
        return await self._ask("tcp", server, octets, read)

    async def _ask(self, way: str, server: NameServer, octets: bytes, read: Read) -> Reading:
        query = dns.message.from_wire(octets)
        assert isinstance(query, dns.message.QueryMessage)
        self.asked.append(f"{way} {server.address} {query.question[0].to_text()}")
        if self.gate is not None:
            await self.gate
        answer = self.servers[f"s{server.address}"](query)
        reading = None if answer is None else read(answer.to_wire())
        if reading is None:
            raise Unanswered("silence")
        return reading


def zone(*records: str, rcode: str = "NOERROR", soa: int | None = 30, flags: int = dns.flags.RA) -> Answers:
    """Answer each question with these records (``name ttl IN type data``) that belong to it by name or CNAME."""

    def answer(query: dns.message.QueryMessage) -> dns.message.Message | None:
        response = dns.message.make_response(query)
        response.flags |= flags
        response.set_rcode(dns.rcode.from_text(rcode))
        for record in records:
            name, ttl, kind, *data = record.split(" ", 3)
            response.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, *data))
        if not records and soa is not None:
            response.authority.append(
                dns.rrset.from_text("example.org.", 3600, "IN", "SOA", f"ns. host. 1 2 3 4 {soa}")
            )
        return response

    return answer


def resolver(wire: TableWire, clock: Clock | None = None, **settings: object) -> DnsResolver:
    """Make a resolver that asks the servers of the wire, in their order."""
    servers = tuple(name[1:] for name in wire.servers)
    made = ResolverSettings(servers=servers, hosts="", **settings)  # type: ignore[arg-type]
    return DnsResolver(None, made, random=Random(1), clock=clock or Clock(), wire=wire)


def test_answers_are_kept_for_their_ttl() -> None:
    """Within the TTL nobody is asked again, and the answer tells what is left of it."""
    clock = Clock()
    wire = TableWire(s127_0_0_1=zone("example.org. 60 MX 10 A.example.org."))
    dns_of = resolver(wire, clock)
    assert now(dns_of.exchanges("Example.org.")).values == ((10, "a.example.org"),)
    clock.advance(40)
    assert now(dns_of.exchanges("example.org")).ttl == 20
    clock.advance(21)
    now(dns_of.exchanges("example.org"))
    assert len(wire.asked) == 2


@pytest.mark.rfc("2308", "5")
def test_absence_is_kept_as_long_as_the_soa_allows() -> None:
    """NXDOMAIN and no data are remembered by the SOA minimum, and not at all without a SOA."""
    clock = Clock()
    for rcode, soa, asked in (("NXDOMAIN", 30, 2), ("NXDOMAIN", None, 3), ("NOERROR", 30, 2), ("NOERROR", None, 3)):
        wire = TableWire(s127_0_0_1=zone(rcode=rcode, soa=soa))
        dns_of = resolver(wire, clock)
        for wait in (20, 20, 0):
            if rcode == "NXDOMAIN":
                with pytest.raises(NoSuchDomain):
                    now(dns_of.texts("a.example.org"))
            else:
                assert now(dns_of.texts("a.example.org")).values == ()
            clock.advance(wait)
        assert len(wire.asked) == asked, (rcode, soa)


def test_settings_bound_what_is_kept() -> None:
    """Neither a huge TTL nor many names are kept beyond the settings."""
    clock = Clock()
    wire = TableWire(s127_0_0_1=zone("example.org. 999999 TXT x"))
    dns_of = resolver(wire, clock, max_ttl=Seconds(100), cache_entries=1)
    assert now(dns_of.texts("example.org")).ttl == 100
    assert len(wire.asked) == 1
    now(dns_of.texts("example.org"))
    assert len(wire.asked) == 1


@pytest.mark.rfc("6840", "5.8")
def test_only_trusted_servers_vouch() -> None:
    """The AD bit counts from loopback by default, from all or none by setting."""
    secure = zone("example.org. 60 TXT x", flags=dns.flags.RA | dns.flags.AD)
    for trust, address, counts in (
        ("loopback", "s127_0_0_1", True),
        ("loopback", "s192_0_2_1", False),
        ("always", "s192_0_2_1", True),
        ("never", "s127_0_0_1", False),
    ):
        dns_of = resolver(TableWire(**{address: secure}), trust_ad=trust)
        assert now(dns_of.texts("example.org")).is_secure is counts
        assert now(dns_of.texts("example.org")).is_secure is counts


def test_a_silent_server_is_asked_last_from_then_on() -> None:
    """The second server answers, and is the first to be asked next time."""
    wire = TableWire(s192_0_2_1=lambda _: None, s192_0_2_2=zone("example.org. 0 TXT x"))
    dns_of = resolver(wire)
    now(dns_of.texts("example.org"))
    now(dns_of.texts("example.org"))
    assert [line.split()[1] for line in wire.asked] == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_a_server_that_cannot_tell_is_passed_over(rcode: str) -> None:
    """Trouble of one server is no answer; of all, it is TryLater and not remembered."""
    bad = zone(rcode=rcode, soa=None)
    assert now(resolver(TableWire(s192_0_2_1=bad, s192_0_2_2=zone("example.org. 9 TXT x"))).texts("example.org")).values
    wire = TableWire(s192_0_2_1=bad, s192_0_2_2=bad)
    dns_of = resolver(wire, attempts=2)
    for _ in range(2):
        with pytest.raises(TryLater):
            now(dns_of.texts("example.org"))
    assert len(wire.asked) == 8


def test_a_referral_is_no_answer() -> None:
    """A server that only points elsewhere does not say that there is nothing."""

    def refer(query: dns.message.QueryMessage) -> dns.message.Message | None:
        response = dns.message.make_response(query)
        response.authority.append(dns.rrset.from_text("org.", 60, "IN", "NS", "ns.example."))
        return response

    with pytest.raises(TryLater):
        now(resolver(TableWire(s192_0_2_1=refer)).exchanges("example.org"))


def test_old_servers_are_asked_without_edns() -> None:
    """FORMERR to an EDNS question is followed by a plain one."""

    def old(query: dns.message.QueryMessage) -> dns.message.Message | None:
        return (zone(rcode="FORMERR", soa=None) if query.edns >= 0 else zone("example.org. 9 TXT x"))(query)

    assert now(resolver(TableWire(s192_0_2_1=old)).texts("example.org")).values == ((0, "x"),)


def test_aliases_are_followed_across_answers() -> None:
    """Where a chain leaves the answer, the name at its end is asked for; the TTL is the least of all."""

    def answer(query: dns.message.QueryMessage) -> dns.message.Message | None:
        if query.question[0].name.to_text() == "a.example.org.":
            return zone("a.example.org. 20 CNAME b.example.net.")(query)
        return zone("b.example.net. 60 MX 5 m.example.net.")(query)

    found = now(resolver(TableWire(s192_0_2_1=answer)).exchanges("a.example.org"))
    assert found.values == ((5, "m.example.net"),)
    assert found.ttl == 20


def test_a_loop_of_aliases_is_seen() -> None:
    """Within one answer and across answers a circle is a CnameLoop, and so is an endless chain."""

    def across(query: dns.message.QueryMessage) -> dns.message.Message | None:
        here = query.question[0].name.to_text()
        there = {"a.example.": "b.example.", "b.example.": "a.example."}[here]
        return zone(f"{here} 60 CNAME {there}")(query)

    def endless(query: dns.message.QueryMessage) -> dns.message.Message | None:
        here = query.question[0].name.to_text()
        return zone(f"{here} 60 CNAME x{here}")(query)

    within = zone("a.example. 60 CNAME b.example.", "b.example. 60 CNAME a.example.")
    for server in (within, across, endless):
        with pytest.raises(CnameLoop):
            now(resolver(TableWire(s192_0_2_1=server)).exchanges("a.example"))


def test_equal_questions_share_one_query() -> None:
    """Two who ask at once cause one query; one who leaves does not disturb the other, the last one ends it."""
    wire = TableWire(s192_0_2_1=zone("example.org. 60 TXT x"))
    wire.gate = Deferred()
    dns_of = resolver(wire)
    first = Deferred.fromCoroutine(dns_of.texts("example.org")).addErrback(lambda _: None)
    second = Deferred.fromCoroutine(dns_of.texts("EXAMPLE.org"))
    assert len(wire.asked) == 1
    first.cancel()
    wire.gate.callback(None)
    assert second.result.values == ((0, "x"),)  # type: ignore[attr-defined]


def test_closing_ends_all_lookups() -> None:
    """Those who wait when the node stops hear that it was cancelled."""
    wire = TableWire(s192_0_2_1=zone("example.org. 60 TXT x"))
    wire.gate = Deferred()
    dns_of = resolver(wire)
    kinds: list[object] = []
    Deferred.fromCoroutine(dns_of.texts("example.org")).addErrback(lambda failure: kinds.append(failure.type))
    dns_of.close()
    assert kinds == [CancelledError]


def test_addresses_join_both_families() -> None:
    """AAAA comes first; one family that cannot be had now does not hide the other."""
    both = zone("h.example. 60 A 192.0.2.1", "h.example. 30 AAAA 2001:db8::1")
    found = now(resolver(TableWire(s192_0_2_1=both)).addresses("h.example"))
    assert found.values == ((0, "2001:db8::1"), (0, "192.0.2.1"))
    assert found.ttl == 30

    def only_a(query: dns.message.QueryMessage) -> dns.message.Message | None:
        is_a = query.question[0].rdtype == 1
        return (zone("h.example. 60 A 192.0.2.1") if is_a else zone(rcode="SERVFAIL", soa=None))(query)

    assert now(resolver(TableWire(s192_0_2_1=only_a)).addresses("h.example")).values == ((0, "192.0.2.1"),)
    with pytest.raises(TryLater):
        now(resolver(TableWire(s192_0_2_1=zone(rcode="SERVFAIL", soa=None))).addresses("h.example"))


def test_literals_localhost_and_junk_ask_nobody() -> None:
    """An IP address is its own address, localhost is here, and what is no name does not exist."""
    dns_of = resolver(TableWire())
    assert now(dns_of.addresses("192.0.2.1")).values == ((0, "192.0.2.1"),)
    assert now(dns_of.addresses("LocalHost")).values == ((0, "::1"), (0, "127.0.0.1"))
    with pytest.raises(NoSuchDomain):
        now(dns_of.exchanges("no name"))


def test_names_of_an_address() -> None:
    """A reverse lookup asks for PTR beneath in-addr.arpa."""
    wire = TableWire(s192_0_2_1=zone("7.2.0.192.in-addr.arpa. 60 PTR Mail.example.org."))
    assert now(resolver(wire).names("192.0.2.7")).values == ((0, "mail.example.org"),)


def test_patience_ends_a_lookup() -> None:
    """When the time of the whole lookup is over, no further server is tried."""
    clock = Clock()

    def slow(query: dns.message.QueryMessage) -> None:
        clock.advance(4)

    wire = TableWire(s192_0_2_1=slow, s192_0_2_2=slow)
    with pytest.raises(TryLater):
        now(resolver(wire, clock, attempts=10, patience=Seconds(10)).texts("example.org"))
    assert len(wire.asked) == 3


ZONES = {
    "example.org": """
@ MX 20 b
@ MX 10 a
a A 127.0.0.2
a AAAA ::1
b A 127.0.0.3
alias CNAME far.example.net.
loop CNAME pool
pool CNAME loop
null MX 0 .
bare A 127.0.0.4
big 60 TXT "start"
txt TXT "v=spf1 " "-all"
"""
    + "\n".join(f'big TXT "{"x" * 200} {number}"' for number in range(100)),
    "example.net": "far MX 5 mx\nmx A 127.0.0.9",
    "127.in-addr.arpa": "2.0.0 PTR a.example.org.",
}


@pytest.mark.scenario
class RealServerTests(TestCase):
    """Against nsd, over real sockets."""

    timeout = 20
    server: NsdServer

    @classmethod
    def setUpClass(cls) -> None:
        """Start one server for all tests."""
        if not NsdServer.is_installed():
            raise SkipTest("nsd is not installed")
        cls.server = NsdServer(negative_ttl=7).serve(ZONES)

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop it."""
        cls.server.close()

    def setUp(self) -> None:
        """Make a fresh resolver."""
        self.dns = self.resolver(self.server.name)

    def resolver(self, *servers: str) -> DnsResolver:
        """Make a resolver that asks these servers."""
        settings = ResolverSettings(servers=servers, hosts="", timeout=Seconds(2), patience=Seconds(6))
        return DnsResolver(reactor, settings, random=Random(5), clock=reactor)

    async def refusal(self, domain: str) -> str:
        """Give code and status of why there are no hops."""
        try:
            found = await hosts_for(domain, self.dns, random=Random(1))
        except NoHops as none:
            return f"{none.reply.code} {none.reply.status}"
        raise AssertionError(found)

    async def test_exchanges(self) -> None:
        """MX sets, their addresses, aliases into other zones and implicit MX become hops."""
        found = await hosts_for("example.org", self.dns, random=Random(1))
        self.assertEqual(
            [(hop.host, hop.addresses) for hop in found],
            [("a.example.org", ("::1", "127.0.0.2")), ("b.example.org", ("127.0.0.3",))],
        )
        far = await hosts_for("alias.example.org", self.dns, random=Random(1))
        self.assertEqual([hop.addresses for hop in far], [("127.0.0.9",)])
        bare = await hosts_for("bare.example.org", self.dns, random=Random(1))
        self.assertEqual([hop.host for hop in bare], ["bare.example.org"])

    async def test_what_is_not_there(self) -> None:
        """Null MX, no such domain, a loop, a domain without address and a server that does not know are told apart."""
        self.assertEqual(await self.refusal("null.example.org"), "556 5.1.10")
        self.assertEqual(await self.refusal("no.example.org"), "550 5.1.2")
        self.assertEqual(await self.refusal("loop.example.org"), "550 5.4.4")
        self.assertEqual(await self.refusal("txt.example.org"), "550 5.4.4")
        self.assertEqual(await self.refusal("elsewhere.example.com"), "451 4.4.3")

    async def test_negative_ttl(self) -> None:
        """Absence has the TTL of the zone's SOA."""
        answer = await self.dns.exchanges("bare.example.org")
        self.assertEqual(answer.values, ())
        self.assertLessEqual(answer.ttl, 7)

    async def test_a_large_answer_comes_over_tcp(self) -> None:
        """What does not fit a datagram is fetched whole."""
        answer = await self.dns.texts("big.example.org")
        self.assertEqual(len(answer.values), 101)

    async def test_texts_and_names(self) -> None:
        """Strings are joined; reverse lookups work."""
        self.assertEqual((await self.dns.texts("txt.example.org")).values, ((0, "v=spf1 -all"),))
        self.assertEqual((await self.dns.names("127.0.0.2")).values, ((0, "a.example.org"),))

    async def test_a_dead_server_is_passed_over(self) -> None:
        """A closed port costs no timeout when another server answers, and alone is TryLater."""
        dead = NsdServer()
        self.addCleanup(dead.close)
        answer = await self.resolver(dead.name, self.server.name).exchanges("example.org")
        self.assertEqual(len(answer.values), 2)
        with self.assertRaises(TryLater):
            await self.resolver(dead.name).exchanges("example.org")

    async def test_many_at_once(self) -> None:
        """Hundreds of lookups at once are all answered."""
        waiting = [Deferred.fromCoroutine(self.dns.addresses(f"n{number}.example.org")) for number in range(300)]
        for each in waiting:
            with self.assertRaises(NoSuchDomain):
                await each
