"""The resolver: asks recursive DNS servers, and remembers what they said.

One lookup: the cache; else one walk for all who ask the same (``sharing``). A walk follows aliases across answers; each
step goes through the servers (``servers``), all within the lookup's patience. Only NXDOMAIN and absence that is vouched
for are certain and remembered as long as their SOA allows; everything else is TryLater and is not remembered.
"""

from random import Random
from typing import Any

import dns.rdatatype
import dns.reversename
from attrs import evolve
from dns.rdatatype import RdataType
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Answer, NoSuchDomain, TryLater
from mailnode.routing.cache import TimedCache
from mailnode.routing.gathering import gather
from mailnode.routing.names import CnameLoop, parse_address, to_a_labels
from mailnode.routing.servers import Servers
from mailnode.routing.settings import ResolverSettings
from mailnode.routing.sharing import Sharing
from mailnode.routing.system import read_hosts
from mailnode.routing.transport import SocketWire, Wire
from mailnode.routing.wire import MAX_ALIASES, Found, Missing, Moved, Question

_FIXED_TTL = 3600.0
"""What the hosts file and address literals say stays true for long."""

_LARGE = 8192
"""Answers with more characters are not kept, so that the cache is bounded in octets too."""


class DnsResolver:
    """Implements interfaces.Resolver, and ``names`` for reverse lookups."""

    def __init__(
        self,
        reactor: Any,
        settings: ResolverSettings,
        *,
        random: Random,
        clock: IReactorTime,
        wire: Wire | None = None,
    ) -> None:
        """Take a reactor (TCP, watched sockets); reads resolv.conf and hosts now. ``random`` should be random.SystemRandom.

        ``wire`` stands for the sockets in tests.
        """
        self._settings = settings
        self._clock = clock
        self._servers = Servers(settings, wire or SocketWire(reactor, clock), random=random, clock=clock)
        self._hosts = read_hosts(settings.hosts)
        self._cache: TimedCache[Question, Found | Missing] = TimedCache(settings.cache_entries, clock.seconds)
        self._sharing: Sharing[Question, Found | Missing] = Sharing()

    async def exchanges(self, domain: str) -> Answer:
        """Ask for MX; CNAMEs have been followed."""
        return await self._ask(domain, dns.rdatatype.MX)

    async def texts(self, name: str) -> Answer:
        """Ask for TXT; the strings of one record are joined."""
        return await self._ask(name, dns.rdatatype.TXT)

    async def addresses(self, host: str) -> Answer:
        """Ask for AAAA and A together; AAAA first. The hosts file and address literals come before the DNS.

        Where one of the two cannot be had now, the other alone is the answer if it has anything.
        """
        fixed = self._fixed(host)
        if fixed:
            return Answer(tuple((0, address) for address in fixed), _FIXED_TTL)
        six, four = await gather(self._try(host, kind) for kind in (dns.rdatatype.AAAA, dns.rdatatype.A))
        answers = [each for each in (six, four) if isinstance(each, Answer)]
        values = tuple(value for each in answers for value in each.values)
        if not values:
            for each in (six, four):
                if isinstance(each, Exception):
                    raise each
        return Answer(values, min(each.ttl for each in answers), all(each.is_secure for each in answers))

    async def names(self, address: str) -> Answer:
        """Ask for the names of an IP address (PTR); ValueError when it is none."""
        name = dns.reversename.from_address(str(parse_address(address)))
        return await self._ask(name.to_text(omit_final_dot=True), dns.rdatatype.PTR)

    def close(self) -> None:
        """Give up all lookups under way; those who wait for them get CancelledError."""
        self._sharing.cancel()

    def _fixed(self, host: str) -> tuple[str, ...]:
        try:
            return (str(parse_address(host)),)
        except ValueError:
            return self._hosts.get(host.lower().removesuffix("."), ())

    async def _try(self, host: str, kind: RdataType) -> Answer | NoSuchDomain | TryLater:
        try:
            return await self._ask(host, kind)
        except (NoSuchDomain, TryLater) as error:
            return error

    async def _ask(self, name: str, kind: RdataType) -> Answer:
        try:
            question = Question(to_a_labels(name), kind)
        except ValueError as error:
            raise NoSuchDomain(str(error)) from None
        cached = self._cache.get(question)
        if cached is not None:
            return _answer(question, *cached)
        reading = await self._sharing.share(question, lambda: self._walk(question))
        return _answer(question, reading, reading.ttl)

    async def _walk(self, question: Question) -> Found | Missing:
        """Ask, follow aliases to other servers' names, and remember what was found at their end."""
        until = self._clock.seconds() + self._settings.patience
        reading = await self._servers.ask(question, until)
        seen, ttl, is_secure = {question.name}, reading.ttl, reading.is_secure
        while isinstance(reading, Moved):
            if not seen.isdisjoint(reading.names) or len(seen) > MAX_ALIASES:
                raise CnameLoop(question.name)
            seen.update(reading.names)
            reading = await self._servers.ask(Question(reading.names[-1], question.kind), until)
            ttl, is_secure = min(ttl, reading.ttl), is_secure and reading.is_secure
        limit = self._settings.max_ttl if isinstance(reading, Found) else self._settings.max_negative_ttl
        reading = evolve(reading, ttl=int(min(ttl, limit)), is_secure=is_secure)
        if not isinstance(reading, Found) or sum(len(text) for _, text in reading.values) <= _LARGE:
            self._cache.put(question, reading, reading.ttl)
        return reading


def _answer(question: Question, reading: Found | Missing, ttl: float) -> Answer:
    if isinstance(reading, Found):
        return Answer(reading.values, ttl, reading.is_secure)
    if not reading.is_domain:
        raise NoSuchDomain(question.name)
    return Answer((), ttl, reading.is_secure)
