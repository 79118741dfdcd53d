"""What is wrong with the settings of routing, all of it at once: where, and what would be right."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mailnode.routing.domains import read_member, read_moved
from mailnode.routing.names import to_a_labels, to_host_name
from mailnode.routing.next_hop import parse_next_hop
from mailnode.routing.patterns import parse_pattern
from mailnode.routing.settings import DomainSettings, ResolverSettings, RouteSettings
from mailnode.routing.system import parse_server

Steps = tuple[str | int, ...]
"""The way to a setting: ``("domain", 0, "aliases", "staff", 1)``."""
Fault = tuple[Steps, str]
"""Where, and a sentence."""

_GOES_SOMEWHERE = frozenset({"lmtp"})
"""Couriers that need a next hop."""
_HAS_TERMS = frozenset({"smtp", "lmtp"})
"""Couriers that speak TLS and authenticate."""


def faults(
    *,
    domains: Sequence[DomainSettings] = (),
    routes: Sequence[RouteSettings] = (),
    resolver: ResolverSettings | None = None,
) -> Sequence[Fault]:
    """Give all faults; nothing that passes makes the router or the resolver raise."""
    return [*_domains(domains), *_routes(routes), *_resolver(resolver or ResolverSettings())]


def _domains(domains: Sequence[DomainSettings]) -> Iterator[Fault]:
    names: dict[str, int] = {}
    for place, settings in enumerate(domains):
        steps = ("domain", place)
        try:
            name = to_a_labels(settings.name)
        except ValueError:
            yield (*steps, "name"), f'expected a domain such as "example.org", not "{settings.name}"'
            continue
        first = names.setdefault(name, place)
        if first != place:
            yield (*steps, "name"), f"domain[{first}] has the same name"
        yield from _domain(steps, settings, name)


def _domain(steps: Steps, settings: DomainSettings, name: str) -> Iterator[Fault]:
    yield from _next_hop(steps, settings.courier, settings.next_hop)
    yield from _aliases((*steps, "aliases"), settings, name)
    yield from _moved((*steps, "moved"), settings, name)
    if settings.catch_all:
        yield from _refused((*steps, "catch_all"), partial(read_member, settings.catch_all, name))
        if settings.accounts == "any":
            yield (*steps, "catch_all"), 'it leaves nothing to accounts = "any"; remove one of the two'
    if len(settings.separator) > 1 or settings.separator in {"@", "/", '"', " "}:
        yield (*steps, "separator"), f'expected one character such as "+" or "-", or "", not "{settings.separator}"'


def _aliases(steps: Steps, settings: DomainSettings, name: str) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for alias, members in settings.aliases.items():
        first = seen.setdefault(alias.casefold(), alias)
        if first != alias:
            yield (*steps, alias), f'"{first}" is the same alias; letters of either case are equal'
        if "@" in alias:
            yield (*steps, alias), f"expected a local part, without @ and domain: it is for {name} already"
        if not members:
            yield (*steps, alias), "expected at least one member"
        for place, member in enumerate(members):
            yield from _refused((*steps, alias, place), partial(read_member, member, name))


def _moved(steps: Steps, settings: DomainSettings, name: str) -> Iterator[Fault]:
    aliases = {alias.casefold() for alias in settings.aliases}
    seen: dict[str, str] = {}
    for user, entry in settings.moved.items():
        first = seen.setdefault(user.casefold(), user)
        if first != user:
            yield (*steps, user), f'"{first}" is the same user; letters of either case are equal'
        if "@" in user:
            yield (*steps, user), f"expected a local part, without @ and domain: it is for {name} already"
        if user.casefold() in aliases:
            yield (*steps, user), "an alias has this name as well; remove one of the two"
        yield from _refused((*steps, user), partial(_check_moved, user, entry, settings, name))


def _check_moved(user: str, entry: str, settings: DomainSettings, name: str) -> None:
    to = read_moved(entry, settings, name).to
    if to.local_part.casefold() == user.casefold() and to.domain.lower() == name:
        raise ValueError("this is the very address that was left")


def _routes(routes: Sequence[RouteSettings]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for place, settings in enumerate(routes):
        steps = ("route", place)
        yield from _refused((*steps, "match"), partial(parse_pattern, settings.match))
        yield from _next_hop(steps, settings.courier, settings.next_hop)
        yield from _terms(steps, settings)
        first = seen.setdefault(settings.match.lower(), place)
        if first != place:
            yield (*steps, "match"), f"route[{first}] matches the same and comes first"


def _terms(steps: Steps, settings: RouteSettings) -> Iterator[Fault]:
    terms = settings.terms
    if settings.courier not in _HAS_TERMS:
        for name in ("tls", "tls_names", "username", "password_file", "auth_without_tls"):
            if getattr(settings, name):
                yield (
                    (*steps, name),
                    f'the courier "{settings.courier}" knows no such terms; they are for smtp and lmtp',
                )
        return
    for place, name in enumerate(terms.tls_names):
        yield from _refused((*steps, "tls_names", place), partial(to_host_name, name))
    if terms.tls_names and terms.tls in ("none", "may", "encrypt"):
        yield (*steps, "tls_names"), f'no name is looked at where tls is "{terms.tls}"; write tls = "verify"'
    if terms.tls == "implicit" and not settings.next_hop:
        yield (*steps, "next_hop"), 'tls = "implicit" needs a next hop such as "[smtp.example.org]:465"'
    yield from _credentials(steps, settings)


def _credentials(steps: Steps, settings: RouteSettings) -> Iterator[Fault]:
    if bool(settings.username) != bool(settings.password_file):
        missing = "password_file" if settings.username else "username"
        yield (*steps, missing), "username and password_file belong together"
    if settings.username and not settings.next_hop:
        yield (*steps, "next_hop"), "without a next hop the password would go to every host that an MX record names"
    if settings.username and settings.tls == "none" and not settings.auth_without_tls:
        yield (*steps, "tls"), "the password would go in clear text; if that is meant, write auth_without_tls = true"
    if not settings.username.isprintable():
        yield (*steps, "username"), "expected a name without control characters"


def _next_hop(steps: Steps, courier: str, next_hop: str) -> Iterator[Fault]:
    if courier == "smtp" and next_hop:
        yield from _refused((*steps, "next_hop"), partial(parse_next_hop, next_hop))
    if courier in _GOES_SOMEWHERE and not next_hop:
        yield (*steps, "next_hop"), f'the courier "{courier}" needs a next hop such as "[127.0.0.1]:24"'


def _resolver(settings: ResolverSettings) -> Iterator[Fault]:
    for place, server in enumerate(settings.servers):
        yield from _refused(("resolver", "servers", place), partial(parse_server, server))
    for name, least in (
        ("timeout", 0.01),
        ("patience", 0.01),
        ("attempts", 1),
        ("concurrency", 1),
        ("cache_entries", 0),
    ):
        if getattr(settings, name) < least:
            yield ("resolver", name), f"expected at least {least:g}"


def _refused(steps: Steps, parse: Callable[[], object]) -> Iterator[Fault]:
    try:
        parse()
    except ValueError as error:
        yield steps, str(error)
