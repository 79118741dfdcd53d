"""The protocol of old in a node: what a listener offers of it, the terminals behind it, and the faults in its settings."""

from collections.abc import Iterable, Iterator, Mapping

from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Disk
from mailnode.mail.address import parse_mailbox
from mailnode.roles.house import Terminals
from mailnode.routing.names import domain_key, to_a_labels
from mailnode.service.faults import Fault
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.sessions.dialogue import AnswerVerb
from mailnode.sessions.verbose import answer_verb
from mailnode.smtp.classic import classic_extensions
from mailnode.smtp.extensions import Extension

VERBS: Mapping[str, AnswerVerb] = {"VERB": answer_verb}
"""What answers commands that come as events of extensions."""


def classic_for(listener: ListenerSettings, settings: NodeSettings) -> tuple[Extension, ...]:
    """Give what a listener offers; LMTP answers each recipient by itself and knows no verbs but its own (RFC 2033)."""
    is_lmtp = listener.service == "lmtp"
    return classic_extensions(
        expands=settings.reception.expand != "none",
        sends=settings.terminal.enabled and not is_lmtp,
        is_verbose=settings.reception.verbose and not is_lmtp,
    )


def terminals_for(settings: NodeSettings, hostname: str, clock: IReactorTime, disk: Disk) -> Terminals | None:
    """Make the terminal courier, where it is switched on."""
    if not settings.terminal.enabled:
        return None
    from mailnode.couriers.terminal import TerminalCourier  # noqa: PLC0415 - most nodes never need it

    return TerminalCourier(hostname=hostname, clock=clock, disk=disk, settings=settings.terminal)


def terminal_faults(settings: NodeSettings) -> Iterator[Fault]:
    """Look at the terminals: users are addresses of ours, and somebody is reached if they are switched on."""
    terminal = settings.terminal
    ours = set(_names(domain.name for domain in settings.domain))
    for address in terminal.users:
        try:
            if domain_key(parse_mailbox(address).domain) not in ours:
                yield Fault(("terminal", "users", address), "this domain is not ours: no [[domain]] has the name")
        except ValueError as error:
            yield Fault(("terminal", "users", address), f'expected an address such as "ann@example.org": {error}')
    for place, name in enumerate(terminal.domains):
        if not ours.intersection(_names([name])):
            yield Fault(("terminal", "domains", place), f'"{name}" is not ours: no [[domain]] has the name')
    if terminal.enabled and not (terminal.users or terminal.domains):
        yield Fault(("terminal", "enabled"), "nobody has a terminal: name users, or domains whose users log in here")


def _names(domains: Iterable[str]) -> Iterator[str]:
    for name in domains:
        try:
            yield to_a_labels(name)
        except ValueError:
            continue
