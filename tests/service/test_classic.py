"""What a listener offers of the protocol of old, and the faults of its settings."""

import pytest
from twisted.internet.task import Clock

from mailnode.couriers.terminal import TerminalCourier
from mailnode.couriers.terminal_settings import TerminalSettings
from mailnode.roles.house import ReceptionSettings
from mailnode.routing.settings import DomainSettings
from mailnode.service.classic import classic_for, terminal_faults, terminals_for
from mailnode.service.settings import ListenerSettings, NodeSettings
from tests.kit.results import InlineDisk

ON = NodeSettings(
    domain=(DomainSettings("example.org"),),
    reception=ReceptionSettings(verbose=True),
    terminal=TerminalSettings(enabled=True, domains=("example.org",)),
)


def offered(settings: NodeSettings, service: str = "smtp") -> list[str]:
    """Give the keywords."""
    listener = ListenerSettings(service=service)  # type: ignore[arg-type]
    return [extension.keyword for extension in classic_for(listener, settings)]


def test_it_is_offered_when_switched_on() -> None:
    """By default only HELP and EXPN; LMTP never has the verbs of SMTP."""
    assert offered(NodeSettings()) == ["HELP", "EXPN"]
    assert offered(NodeSettings(reception=ReceptionSettings(expand="none"))) == ["HELP"]
    assert offered(ON) == offered(ON, "submission") == ["HELP", "EXPN", "SEND", "SOML", "SAML", "VERB"]
    assert offered(ON, "lmtp") == ["HELP", "EXPN"]


def test_terminals_are_made_when_switched_on() -> None:
    """And only then."""
    assert terminals_for(NodeSettings(), "mx.example", Clock(), InlineDisk()) is None
    assert isinstance(terminals_for(ON, "mx.example", Clock(), InlineDisk()), TerminalCourier)
    assert list(terminal_faults(ON)) == []


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (TerminalSettings(enabled=True), ("terminal", "enabled")),
        (TerminalSettings(users={"ann": "ann"}), ("terminal", "users", "ann")),
        (TerminalSettings(users={"ann@other.example": "ann"}), ("terminal", "users", "ann@other.example")),
        (TerminalSettings(domains=("example.org", "other.example")), ("terminal", "domains", 1)),
        (TerminalSettings(domains=("no domain",)), ("terminal", "domains", 0)),
    ],
)
def test_faults_of_terminals(settings: TerminalSettings, place: tuple[str | int, ...]) -> None:
    """Users and domains are ours, and somebody has a terminal."""
    found = NodeSettings(domain=(DomainSettings("example.org"), DomainSettings("no domain")), terminal=settings)
    assert [fault.steps for fault in terminal_faults(found)] == [place]
