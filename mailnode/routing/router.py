"""The router: from an address to its next step, by the tables of the settings and the Directory.

An address of ours is looked up in this order; the first that knows it decides:

1. a user of that name who has moved
2. an alias of that name (a list, when it has more than one member)
3. an account of exactly that name
4. the same three without the tag of a subaddress
5. the domain's catch-all
6. a mailbox that comes into being by itself, where ``accounts = "any"``
7. Postmaster, who is never unknown (RFC 5321 section 4.5.1): the node's first domain keeps that mailbox if need be
8. nobody: 550 5.1.1

All other addresses go by the first ``[[route]]`` that matches, and else by the MX of their domain.

Local parts of ours are the same in every case of their letters, and mailboxes are named in lower case (RFC 5321
section 2.4 lets the host decide); those of others travel as they came. An alias may name itself among its members:
then its own mailbox gets a copy.
"""

from collections.abc import Collection, Sequence

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailnode.interfaces import Directory
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Lane, Refusal, Route, Routing
from mailnode.routing.domains import POSTMASTER, LocalDomain, Moved, is_safe_folder, read_domain
from mailnode.routing.names import domain_key, to_a_labels
from mailnode.routing.next_hop import literal_hop, parse_literal
from mailnode.routing.patterns import parse_pattern
from mailnode.routing.settings import DomainSettings, RouteSettings

_UNKNOWN = Reply.of(550, "5.1.1", "no such mailbox here")
_UNSAFE = Reply.of(553, "5.1.3", "no mailbox can have this name")
_BAD_DOMAIN = Reply.of(553, "5.1.2", "this is no domain mail can go to")
_TROUBLE = Reply.of(451, "4.3.0", "the address cannot be looked up now")


class TableRouter:
    """Implements interfaces.Router from settings."""

    _log = Logger()

    def __init__(
        self,
        *,
        hostname: str,
        domains: Sequence[DomainSettings],
        routes: Sequence[RouteSettings],
        directory: Directory,
        own_addresses: Collection[str] = (),
    ) -> None:
        """Read the tables; ValueError for what ``faults`` would have shown.

        ``own_addresses`` are the IP addresses that ``user@[192.0.2.7]`` may name this node by.
        """
        self._directory = directory
        self._hostname = to_a_labels(hostname)
        read = [read_domain(settings) for settings in domains]
        self._domains = {domain.name: domain for domain in read}
        first = read[0] if read else LocalDomain(self._hostname)
        self._home = self._domains.get(self._hostname, first)
        self._own_addresses = frozenset(own_addresses)
        self._routes = [(parse_pattern(settings.match), settings) for settings in routes]

    @property
    def home(self) -> str:
        """Give the domain that an address literal of ours stands for."""
        return self._home.name

    async def route(self, forward_path: Mailbox) -> Routing:
        """Route one address by one step."""
        try:
            return await self._route(forward_path)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - trouble of ours is temporary and never the sender's bounce
            self._log.failure("routing {forward_path} failed", forward_path=forward_path)
            return Refusal(_TROUBLE, ("looking the address up failed; the log says why",))

    async def expand_list(self, mailbox: Mailbox) -> Expansion | None:
        """Give what an alias or list of ours stands for (EXPN); None for every other address."""
        domain = self._domain_of(mailbox)
        if domain is None or not domain.members(mailbox.local_part):
            return None
        return await self._expansion(domain, mailbox.local_part, ())

    @property
    def domains(self) -> Sequence[str]:
        """Give the names of our domains, in their order."""
        return tuple(self._domains)

    def is_local_domain(self, domain: str) -> bool:
        """Tell whether mail for this domain is ours; the empty domain is that of a bare ``<Postmaster>``."""
        return not domain or self._local(domain) is not None

    def is_local(self, mailbox: Mailbox) -> bool:
        """Tell whether mail for this address is ours: ``is_local_domain``, and the postmaster of the host name."""
        return self._domain_of(mailbox) is not None

    def _local(self, domain: str) -> LocalDomain | None:
        try:
            if domain.startswith("["):
                return self._home if parse_literal(domain) in self._own_addresses else None
            return self._domains.get(domain_key(domain))
        except ValueError:
            return None

    def _domain_of(self, mailbox: Mailbox) -> LocalDomain | None:
        if mailbox.local_part.casefold() == POSTMASTER and mailbox.domain.lower() in ("", self._hostname):
            return self._home
        return self._local(mailbox.domain)

    async def _route(self, mailbox: Mailbox) -> Routing:
        domain = self._domain_of(mailbox)
        if domain is None:
            return self._elsewhere(mailbox)
        return await self._at(domain, mailbox.local_part, (f"{mailbox.domain or 'the node itself'} is ours",))

    async def _at(self, domain: LocalDomain, local_part: str, why: tuple[str, ...]) -> Routing:
        readings = domain.readings(local_part)
        for reading in readings:
            if reading != local_part:
                why = (*why, f'"{local_part}" is "{reading}" with a tag')
            if domain.moved and (moved := domain.moved.get(reading.casefold())):
                return _moved(moved, (*why, f"{reading} has moved to {_text(moved.to)}"))
            if domain.members(reading):
                return await self._expansion(domain, reading, why)
            route = await self._account(domain, reading, local_part, why)
            if route is not None:
                return route
        return await self._rest(domain, local_part, readings[-1], why)

    async def _rest(self, domain: LocalDomain, local_part: str, user: str, why: tuple[str, ...]) -> Routing:
        """Route what neither alias nor account knows; ``user`` is the local part without its tag."""
        nobody = (*why, f"{domain.name} has no alias and no account of that name")
        if domain.catch_all != NULL and not domain.is_own(domain.catch_all, user):
            return Expansion((domain.catch_all,), (*nobody, f"its catch-all is {_text(domain.catch_all)}"))
        if domain.takes_any:
            return _any(domain, user, local_part, nobody)
        if user.casefold() != POSTMASTER:
            return Refusal(_UNKNOWN, nobody)
        if domain is not self._home:
            return await self._at(self._home, POSTMASTER, (*nobody, f"its postmaster is that of {self._home.name}"))
        return _mailbox(domain, user, local_part, (*nobody, "but a postmaster always has a mailbox"))

    async def _account(self, domain: LocalDomain, user: str, local_part: str, why: tuple[str, ...]) -> Route | None:
        for name in dict.fromkeys((user.lower(), user)):
            if await self._directory.find(Mailbox(name, domain.name)):
                return _mailbox(domain, name, local_part, (*why, f"there is an account {name}@{domain.name}"))
        return None

    async def _expansion(self, domain: LocalDomain, name: str, why: tuple[str, ...]) -> Expansion:
        members = domain.members(name)
        others = tuple(member for member in members if not domain.is_own(member, name))
        is_list = len(members) > 1
        kind = f"a list of {len(members)}" if is_list else f"an alias of {_text(members[0])}"
        own = await self._own_mailbox(domain, name) if len(others) < len(members) else None
        return Expansion(
            members=others if own else members,
            why=(*why, f"{name}@{domain.name} is {kind}"),
            is_list=is_list,
            owner=await self._owner(domain, name) if is_list else NULL,
            own=own,
        )

    async def _own_mailbox(self, domain: LocalDomain, name: str) -> Route | None:
        route = await self._account(domain, name, name, ("it keeps a copy itself",))
        if route is None and (domain.takes_any or name.casefold() == POSTMASTER):
            made = _any(domain, name, name, ("it keeps a copy itself",))
            return made if isinstance(made, Route) else None
        return route

    async def _owner(self, domain: LocalDomain, name: str) -> Mailbox:
        """Give ``owner-NAME``, if there is such an alias or account: bounces of a list go to it (RFC 5321 3.9.2)."""
        owner = f"owner-{name.lower()}"
        if domain.members(owner) or await self._account(domain, owner, owner, ()):
            return Mailbox(owner, domain.name)
        return NULL

    def _elsewhere(self, mailbox: Mailbox) -> Routing:
        try:
            key = domain_key(mailbox.domain)
            own_hop = literal_hop(parse_literal(key)) if key.startswith("[") else key
        except ValueError:
            return Refusal(_BAD_DOMAIN, (f'"{mailbox.domain}" is no domain',))
        why = (f"{key} is not ours",)
        for pattern, settings in self._routes:
            if pattern.matches(mailbox.local_part, key):
                lane = Lane(settings.carried_by, settings.next_hop or own_hop)
                terms = f" ({settings.terms})" if str(settings.terms) else ""
                step = f'the route "{settings.match}" says {settings.courier} to {lane.next_hop}{terms}'
                return Route(lane, mailbox, (*why, step))
        step = "no route matches, so its own address counts" if own_hop != key else "no route matches, so its MX count"
        return Route(Lane("smtp", own_hop), mailbox, (*why, step))


def _moved(moved: Moved, why: tuple[str, ...]) -> Expansion | Refusal:
    if moved.is_told:
        return Refusal(Reply.of(551, "5.1.6", f"User not local; please try <{moved.to}>"), why)
    return Expansion((moved.to,), why, has_moved=True)


def _any(domain: LocalDomain, user: str, local_part: str, why: tuple[str, ...]) -> Route | Refusal:
    if domain.has_folders and not is_safe_folder(user):
        return Refusal(_UNSAFE, (*why, f'"{user}" cannot name a folder'))
    what = "has a mailbox" if domain.has_folders else "is taken"
    return _mailbox(domain, user.lower(), local_part, (*why, f"every address at {domain.name} {what}"))


def _mailbox(domain: LocalDomain, user: str, local_part: str, why: tuple[str, ...]) -> Route:
    # Another server has its own idea of tags and letters: it gets the local part as it came.
    name = user if domain.has_folders else local_part
    where = f" at {domain.next_hop}" if domain.next_hop else ""
    return Route(domain.lane, Mailbox(name, domain.name), (*why, f"{domain.courier}{where} takes it"))


def _text(mailbox: Mailbox) -> str:
    return f"{mailbox.local_part}@{mailbox.domain}"
