"""The hosts to try for a next hop, in order (RFC 5321 section 5.1, RFC 7505).

The order: MX records by preference, equal ones shuffled so that load spreads; without any MX the domain itself
(implicit MX). Where this very host is among them, it goes, and with it all that are not better: they would only
send the message back. Names that cannot be hosts (IP addresses, junk) are skipped; hosts without an address too.

What remains is nothing? Then the reply says which nothing it is:

=====================================  ===========  =======================================================
the domain does not exist              550 5.1.2    RFC 3463 section 3.2
null MX                                556 5.1.10   RFC 7505 section 4.2
only this host is left                 554 5.4.6    a loop
no host has an address, for certain    550 5.4.4    RFC 3463 section 3.5; a CNAME loop that we saw ourselves as well:
                                                    Postfix counts one as "not found" and bounces, since the
                                                    records say so and waiting for days tells the sender nothing more
some lookup gave no usable answer      451 4.4.3    RFC 3463 section 3.5; a loop the server noticed is a SERVFAIL
=====================================  ===========  =======================================================

Addresses of all hosts are asked for at once: behind a cache that costs little, and the courier then never waits
between two tries.
"""

from collections.abc import Collection, Iterable, Sequence
from random import Random
from typing import NoReturn

from attrs import evolve, frozen

from mailnode.interfaces import NoSuchDomain, Resolver, TryLater
from mailnode.mail.reply import Reply
from mailnode.routing.gathering import gather
from mailnode.routing.names import CnameLoop, is_host_name
from mailnode.routing.next_hop import NextHop, parse_next_hop

MAX_EXCHANGES = 20
"""The best this many MX hosts are looked at; the rest of an endless list is ignored."""
MAX_ADDRESSES = 10
"""Addresses kept for one host."""


@frozen
class Hop:
    """A host to try."""

    host: str
    """Its name in A-labels, or its IP address where no name is known."""
    port: int
    addresses: tuple[str, ...]
    """IPv6 first, as the DNS gave them; never empty."""
    is_vouched: bool = False
    """Its name was configured, or is the domain itself, or DNSSEC vouches for the MX record that names it."""


class NoHops(Exception):  # noqa: N818 - it is an answer, not an error
    """There is no host to try; ``reply`` says why, and its code whether to ask again later."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply

    @property
    def is_transient(self) -> bool:
        """Tell whether asking again later may help."""
        return self.reply.is_transient


@frozen
class Candidate:
    """An MX host, or the host that was named, and what became of its address lookup."""

    preference: int
    host: str
    addresses: tuple[str, ...] = ()
    is_delayed: bool = False
    """The lookup failed for now."""
    is_vouched: bool = False


async def hosts_for(
    next_hop: str,
    resolver: Resolver,
    *,
    random: Random,
    own_names: Collection[str] = (),
    own_addresses: Collection[str] = (),
    default_port: int = 25,
) -> Sequence[Hop]:
    """Give the hosts to try, best first; never an empty sequence: NoHops says why there is none.

    ``own_names`` (host names) and ``own_addresses`` tell this host apart. They count only where the port is
    ``default_port``: on another port of this machine another server listens.
    """
    try:
        wanted = parse_next_hop(next_hop)
    except ValueError as error:
        raise _no_hops(550, "5.1.2", str(error)) from None
    port = wanted.port or default_port
    is_guarded = port == default_port
    if wanted.is_address:
        if is_guarded and wanted.host in own_addresses:
            raise _loop(wanted.host)
        return (Hop(wanted.host, port, (wanted.host,), is_vouched=True),)
    names = {name.lower().removesuffix(".") for name in own_names} if is_guarded else set()
    own = set(own_addresses) if is_guarded else set()
    candidates = by_preference(await _candidates(wanted, resolver), random)
    candidates = better_than(candidates, [each for each in candidates if each.host in names])
    candidates = await gather(_locate(each, resolver) for each in candidates[:MAX_EXCHANGES])
    candidates = better_than(candidates, [each for each in candidates if not own.isdisjoint(each.addresses)])
    hops = tuple(
        Hop(each.host, port, each.addresses[:MAX_ADDRESSES], each.is_vouched) for each in candidates if each.addresses
    )
    return hops or _nothing(wanted.host, candidates)


def by_preference(candidates: Iterable[Candidate], random: Random) -> list[Candidate]:
    """Sort by preference, the lowest first, those of equal preference in random order (RFC 5321 section 5.1)."""
    shuffled = list(candidates)
    random.shuffle(shuffled)
    return sorted(shuffled, key=lambda each: each.preference)


def better_than(candidates: Sequence[Candidate], own: Iterable[Candidate]) -> list[Candidate]:
    """Keep only those preferred to all of ``own``: no mail goes sideways or backwards (RFC 5321 section 5.1)."""
    limit = min((each.preference for each in own), default=None)
    return [each for each in candidates if limit is None or each.preference < limit]


async def _candidates(wanted: NextHop, resolver: Resolver) -> Sequence[Candidate]:
    if not wanted.has_exchanges:
        return (Candidate(0, wanted.host, is_vouched=True),)
    try:
        answer = await resolver.exchanges(wanted.host)
    except CnameLoop:
        raise _no_hops(550, "5.4.4", f"{wanted.host} is an alias that never ends") from None
    except NoSuchDomain:
        raise _no_hops(550, "5.1.2", f"there is no domain {wanted.host}") from None
    except TryLater:
        raise _no_hops(451, "4.4.3", f"the DNS gives no answer about {wanted.host}") from None
    if not answer.values:
        return (Candidate(0, wanted.host, is_vouched=True),)
    return _usable(wanted.host, answer.values, is_secure=answer.is_secure)


def _usable(domain: str, records: Iterable[tuple[int, str]], *, is_secure: bool) -> Sequence[Candidate]:
    named = [(preference, name.lower().removesuffix(".")) for preference, name in records]
    # A root label beside other records is against RFC 7505 section 3 and then means nothing.
    if not any(name for _, name in named):
        raise _no_hops(556, "5.1.10", f"{domain} accepts no mail")
    usable = [
        Candidate(preference, name, is_vouched=is_secure or name == domain)
        for preference, name in named
        if is_host_name(name)
    ]
    if not usable:
        raise _no_hops(550, "5.4.4", f"the MX records of {domain} name no host")
    return usable


async def _locate(candidate: Candidate, resolver: Resolver) -> Candidate:
    try:
        answer = await resolver.addresses(candidate.host)
    except NoSuchDomain:
        return candidate
    except TryLater:
        return evolve(candidate, is_delayed=True)
    return evolve(candidate, addresses=tuple(address for _, address in answer.values))


def _nothing(domain: str, candidates: Sequence[Candidate]) -> NoReturn:
    if not candidates:
        raise _loop(domain)
    if any(each.is_delayed for each in candidates):
        raise _no_hops(451, "4.4.3", f"the DNS gives no address for the mail hosts of {domain}")
    raise _no_hops(550, "5.4.4", f"no mail host of {domain} has an address")


def _loop(domain: str) -> NoHops:
    return _no_hops(554, "5.4.6", f"mail for {domain} loops back to this host")


def _no_hops(code: int, status: str, text: str) -> NoHops:
    return NoHops(Reply.of(code, status, text))
