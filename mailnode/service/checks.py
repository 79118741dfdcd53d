"""Faults that a single value does not show: what one setting means for another, for this system, for this version.

Each check takes the settings and yields faults; the table at the end is all of them. Nothing is changed on the
system: whether the data folder can be written is asked, not tried.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mailnode.mail.route import ON_DEMAND
from mailnode.routing.faults import faults as routing_faults
from mailnode.routing.names import to_a_labels
from mailnode.service.auth_checks import auth_faults
from mailnode.service.classic import terminal_faults
from mailnode.service.current import REFUSE
from mailnode.service.faults import Fault, suggestion
from mailnode.service.fronts import LOCAL_KINDS, kind_of
from mailnode.service.outgoing_faults import outgoing_faults
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.tls_faults import tls_faults

MOST_WORKERS = 64
"""Processes of one node at most: all write to one spool, one at a time."""


def faults_in(settings: NodeSettings) -> Iterator[Fault]:
    """Look at everything and give all faults."""
    for check in _CHECKS:
        yield from check(settings)


def _workers(settings: NodeSettings) -> Iterator[Fault]:
    workers = settings.node.workers
    if workers < 1:
        yield Fault(("node", "workers"), "there is at least 1")
    elif workers > MOST_WORKERS:
        yield Fault(
            ("node", "workers"), f"more than {MOST_WORKERS} processes gain nothing; one for each core is enough"
        )


def _hostname(settings: NodeSettings) -> Iterator[Fault]:
    name = settings.node.hostname
    if name and not _is_domain(name):
        yield Fault(("node", "hostname"), f'expected a domain name such as "mx.example.org", not "{name}"')


def _is_domain(name: str) -> bool:
    labels = name.split(".")
    plain = all(label.replace("-", "a").isalnum() and label[0] != "-" and label[-1] != "-" for label in labels if label)
    return plain and all(labels) and len(name) <= 255 and all(len(label) <= 63 for label in labels)


def _networks(settings: NodeSettings) -> Iterator[Fault]:
    for place, network in enumerate(settings.node.trusted_networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield Fault(("node", "trusted_networks", place), f'expected a network such as "192.0.2.0/24": {error}')


def _data_folder(settings: NodeSettings) -> Iterator[Fault]:
    steps = ("node", "data")
    folder = settings.node.folder
    if not settings.node.data:
        yield Fault(steps, "expected a folder")
        return
    nearest = next((place for place in (folder, *folder.parents) if _exists(place)), Path())
    if not nearest.is_dir():
        yield Fault(steps, f"{nearest} is not a folder")
    elif not os.access(nearest, os.W_OK | os.X_OK):
        verb = "be written" if nearest == folder else f"be made: {nearest} is not writable"
        yield Fault(steps, f"{folder} cannot {verb} for this user")


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        return False


def _listeners(settings: NodeSettings) -> Iterator[Fault]:
    names: dict[str, int] = {}
    places: dict[str, int] = {}
    for place, listener in enumerate(settings.listener):
        steps = ("listener", place)
        first = names.setdefault(listener.name, place)
        if first != place:
            yield Fault((*steps, "name"), f'"{listener.name}" is already the name of listener[{first}]')
        first = places.setdefault(listener.endpoint, place)
        if first != place:
            yield Fault((*steps, "endpoint"), f"listener[{first}] already listens there")
        problem = endpoint_problem(listener.endpoint)
        if problem:
            yield Fault((*steps, "endpoint"), problem)
        yield from _fronts(place, listener)


def _fronts(place: int, listener: ListenerSettings) -> Iterator[Fault]:
    steps = ("listener", place)
    for name in ("proxy_from", "xclient_from"):
        for number, network in enumerate(getattr(listener, name)):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                yield Fault((*steps, name, number), f'expected a network such as "192.0.2.0/24": {error}')
    kind = kind_of(listener.endpoint)
    if listener.proxy_from and kind == "unix":
        yield Fault((*steps, "proxy_from"), "a unix socket has no clients with addresses")
    if listener.allow_users and kind not in LOCAL_KINDS:
        yield Fault((*steps, "allow_users"), "only clients of a unix socket have a user; this endpoint has none such")
    if not re.fullmatch(r"0?[0-7]{3}", listener.mode):
        yield Fault((*steps, "mode"), f'expected three octal digits such as "660", not "{listener.mode}"')


def _routing(settings: NodeSettings) -> Iterator[Fault]:
    for steps, problem in routing_faults(domains=settings.domain, routes=settings.route, resolver=settings.resolver):
        yield Fault(steps, problem)


def _couriers(settings: NodeSettings) -> Iterator[Fault]:
    for heading, couriers in _KNOWN_COURIERS.items():
        known = (*couriers, *settings.gateway)
        for place, one in enumerate(getattr(settings, heading)):
            if one.courier not in known:
                problem = f'there is no courier "{one.courier}" here; {suggestion(one.courier, known)}'
                yield Fault((heading, place, "courier"), problem)


def _customers(settings: NodeSettings) -> Iterator[Fault]:
    waiting = {to_a_labels(one.name) for one in settings.domain if one.courier == ON_DEMAND and one.name.isascii()}
    accounts: dict[str, int] = {}
    for place, customer in enumerate(settings.customer):
        steps = ("customer", place)
        if not customer.account:
            yield Fault((*steps, "account"), "expected the name that the customer authenticates by")
        first = accounts.setdefault(customer.account.casefold(), place)
        if first != place:
            yield Fault((*steps, "account"), f"customer[{first}] has this account already; it may have several domains")
        for number, domain in enumerate(customer.domains):
            if domain.lower() not in waiting:
                problem = f'there is no [[domain]] "{domain}" with courier = "{ON_DEMAND}", whose mail would wait'
                yield Fault((*steps, "domains", number), problem)
    yield from _uncalled(settings)
    for number, domain in enumerate(settings.etrn.domains):
        if not _is_domain(domain):
            yield Fault(("etrn", "domains", number), f'expected a domain such as "example.org", not "{domain}"')


def _uncalled(settings: NodeSettings) -> Iterator[Fault]:
    """Find domains whose mail would wait for nobody, and go back to its senders in the end."""
    called = {domain.lower() for customer in settings.customer for domain in customer.domains}
    is_open = any(listener.service == ON_DEMAND for listener in settings.listener)
    for place, domain in enumerate(settings.domain):
        if domain.courier != ON_DEMAND or not domain.name.isascii():
            continue
        if domain.name.lower() not in called:
            yield Fault(("domain", place, "courier"), f'no [[customer]] calls for the mail of "{domain.name}"')
        elif not is_open:
            yield Fault(
                ("domain", place, "courier"), f'no [[listener]] has service = "{ON_DEMAND}", where to call for it'
            )


def _pickup(settings: NodeSettings) -> Iterator[Fault]:
    if not settings.originator.pickup_interval:
        yield Fault(
            ("originator", "pickup_interval"), 'the maildrop cannot be looked into all the time; expected such as "5s"'
        )


def _fetches(settings: NodeSettings) -> Iterator[Fault]:
    names: dict[str, int] = {}
    for place, fetch in enumerate(settings.fetch):
        steps = ("fetch", place)
        if not (_is_domain(fetch.host) or _is_address(fetch.host)):
            yield Fault((*steps, "host"), f'expected a host name or an address, not "{fetch.host}"')
        if not 0 < fetch.port < 65536:
            yield Fault((*steps, "port"), f"there is no port {fetch.port}")
        if fetch.method == "atrn" and not (fetch.username and fetch.password_file):
            yield Fault(
                (*steps, "username"), "a provider gives mail only to those it knows: username and password_file"
            )
        if fetch.method == "etrn" and not fetch.domains:
            yield Fault((*steps, "domains"), "expected the domains whose mail the provider is to send")
        for number, domain in enumerate(fetch.domains):
            if not _is_domain(domain.removeprefix("@") if fetch.method == "etrn" else domain):
                yield Fault((*steps, "domains", number), f'expected a domain such as "example.org", not "{domain}"')
        first = names.setdefault(fetch.title, place)
        if first != place:
            yield Fault((*steps, "name"), f'"{fetch.title}" is already the name of fetch[{first}]')


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _gateways(settings: NodeSettings) -> Iterator[Fault]:
    if settings.gateway:
        from mailnode.service.gateways import faults  # noqa: PLC0415 - it imports what they are made of

        yield from faults(settings)


_KNOWN_COURIERS = {"domain": ("maildir", "mbox", "lmtp", ON_DEMAND), "route": ("smtp", "lmtp", REFUSE)}


_FACELESS = ("haproxy", "stdio")
"""Endpoints that do not show the client's own address when it connects, while trust goes by that address."""


_WITH_PORT = ("tcp", "tcp6", "ssl")


def endpoint_problem(description: str) -> str:
    """Say why Twisted would not take this endpoint; empty when it would."""
    from twisted.internet.endpoints import serverFromString  # noqa: PLC0415 - only a check needs it this early

    kind, colon, _ = description.partition(":")
    if kind.lower() in _FACELESS:
        return f"behind {kind} every client would seem to be on this machine, and might send anywhere"
    if kind == "systemd" and colon:
        return ""  # its sockets exist only when systemd starts us
    try:
        serverFromString(object(), description)  # the parser only keeps the reactor
    except Exception as error:  # noqa: BLE001 - each kind of endpoint raises what its parser happens to raise
        return f'expected a Twisted server endpoint such as "tcp:25:interface=192.0.2.1", not "{description}": {error}'
    port = _port(description)
    if port is not None and not 0 <= port < 65536:
        return f"there is no port {port}: they go up to 65535"
    return ""


def _port(description: str) -> int | None:
    """Find the port of an endpoint that has one: an argument named so, else the first without a name."""
    kind, *arguments = description.replace(r"\:", "").split(":")
    if kind.lower() not in _WITH_PORT:
        return None
    named = [argument.removeprefix("port=") for argument in arguments if argument.startswith("port=")]
    written = [*named, *(argument for argument in arguments if "=" not in argument)]
    return int(written[0]) if written else None


Check = Callable[[NodeSettings], Iterable[Fault]]

_CHECKS: tuple[Check, ...] = (
    _workers,
    _hostname,
    _networks,
    _data_folder,
    _listeners,
    tls_faults,
    outgoing_faults,
    auth_faults,
    _routing,
    _couriers,
    _customers,
    _pickup,
    _fetches,
    _gateways,
    terminal_faults,
)
