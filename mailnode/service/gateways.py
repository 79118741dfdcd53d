"""The gateways of a node: found by their kind, checked, given their settings, started, and stopped.

A kind is the name of an entry point in the group ``mailnode.gateways``, or ``package.module:Class``, or
``path/file.py:Class``. Only kinds that the configuration names are imported. What is wrong with one, or with its settings,
is a fault of the configuration like any other, with its path.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import cast

import attrs

from mailnode.gateways.addresses import AddressBook, parse_map
from mailnode.gateways.gateway import Gateway, delivers, problems_of
from mailnode.gateways.settings import GatewaySettings
from mailnode.mail.address import parse_mailbox
from mailnode.service.faults import Fault, faults_of, suggestion
from mailnode.service.settings import NodeSettings
from mailnode.service.structuring import converter

GROUP = "mailnode.gateways"

TAKEN = ("smtp", "lmtp", "maildir", "mbox", "pipe", "refuse", "unrouted", "returned")
"""Names of couriers, which no gateway can have."""


class BadKind(Exception):  # noqa: N818 - the fault is the operator's
    """A kind that is no gateway; says why."""


def find_kind(kind: str) -> type[Gateway]:
    """Import the class that ``kind`` names; raises BadKind, with every reason."""
    if not kind:
        raise BadKind(f"expected a kind: {_installed()}")
    found = _imported(kind)
    problems = list(problems_of(found))
    if problems or not isinstance(found, type):
        raise BadKind("; ".join(problems))
    return found


def _imported(kind: str) -> object:
    module_name, colon, name = kind.rpartition(":")
    try:
        if not colon:
            return _entry_point(kind)
        module = _file(Path(module_name)) if module_name.endswith(".py") else import_module(module_name)
    except BadKind:
        raise
    except Exception as error:
        raise BadKind(f"{kind} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        classes = [one for one, value in vars(module).items() if isinstance(value, type) and issubclass(value, Gateway)]
        raise BadKind(f"{module_name} has no {name}; {suggestion(name, set(classes) - {'Gateway'})}")
    found: object = getattr(module, name)
    return found


def _entry_point(kind: str) -> object:
    found = [*entry_points(group=GROUP, name=kind)]
    if not found and kind.endswith(".py"):
        raise BadKind(f'expected the class in that file too: "{kind}:Class"')
    if not found:
        raise BadKind(f'no kind "{kind}" is installed; {_installed(kind)}')
    loaded: object = found[0].load()
    return loaded


def _installed(kind: str = "") -> str:
    return suggestion(kind, sorted({one.name for one in entry_points(group=GROUP)}))


def _file(path: Path) -> ModuleType:
    """Import a file that belongs to no package; once, however many gateways are made of it."""
    name = f"mailnode_gateway_{path.stem}_{abs(hash(str(path))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadKind(f"there is no file {path}")
    module = module_from_spec(spec)
    sys.modules[name] = module  # attrs looks there for the annotations of its classes
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def make(settings: GatewaySettings) -> Gateway:
    """Make the gateway of these settings; raises BadKind, or what cattrs raises, which ``faults_of`` reads."""
    found = find_kind(settings.kind)
    if not attrs.has(found):
        if settings.own:
            names = ", ".join(sorted(settings.own))
            raise BadKind(f"{found.__name__} has no settings (attrs.define is missing), but {names} is given")
        return found()
    with attrs.validators.disabled():  # ``structuring`` runs them, one by one, so that each has its path
        return cast("Gateway", converter().structure(dict(settings.own), found))


def book_of(name: str, gateway: Gateway, settings: NodeSettings) -> AddressBook:
    """Make a gateway's address book, without its key; ValueError for a bad template or address."""
    own = settings.gateway[name].addresses
    served = [domain.name for domain in settings.domain if domain.courier == name]
    return AddressBook(
        templates=parse_map(own.map or gateway.default_map),
        aliases=own.aliases,
        gateway=name,
        reply_domain=own.reply_domain or (served[0] if served else ""),
    )


# --- faults -----------------------------------------------------------------------------------------------------


def faults(settings: NodeSettings) -> Iterator[Fault]:
    """Look at all gateways, import what they name, and give what is wrong."""
    for name, one in settings.gateway.items():
        yield from _faults_of(name, one, settings)


def _faults_of(name: str, one: GatewaySettings, settings: NodeSettings) -> Iterator[Fault]:
    steps = ("gateway", name)
    if name in TAKEN or not name.replace("-", "a").replace("_", "a").isalnum():
        yield Fault(steps, "this name belongs to a courier" if name in TAKEN else "expected letters, digits, - and _")
    yield from _address_faults(name, one)
    try:
        gateway = make(one)
    except BadKind as bad:
        yield Fault((*steps, "kind"), str(bad))
        return
    except Exception as error:  # noqa: BLE001 - cattrs raises groups of whatever went wrong inside
        yield from faults_of(error, steps)
        return
    kind = type(gateway)
    if kind.one_process and settings.node.workers > 1:
        yield Fault(steps, f"{kind.__name__} cannot run in several processes: workers of [node] must be 1")
    for heading in ("domain", "route"):
        for place, user in enumerate(getattr(settings, heading)):
            if user.courier == name and not delivers(kind):
                yield Fault((heading, place, "courier"), f"{name} only brings mail in: {kind.__name__} has no deliver")


def _address_faults(name: str, one: GatewaySettings) -> Iterator[Fault]:
    steps = ("gateway", name, "addresses")
    for place, text in enumerate(one.addresses.map):
        try:
            parse_map([text])
        except ValueError as error:
            yield Fault((*steps, "map", place), str(error))
    for address in one.addresses.aliases:
        try:
            parse_mailbox(address)
        except ValueError as error:
            yield Fault((*steps, "aliases", address), str(error))
