"""Tests of the exchangeable router."""

from mailnode.accounts.memory import MemoryDirectory
from mailnode.mail.address import Mailbox
from mailnode.mail.route import Refusal, Route
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings, RouteSettings
from mailnode.service.current import REFUSE, CurrentRouter
from tests.kit.results import now


def router(*routes: RouteSettings, domain: str = "example.org") -> TableRouter:
    """Make a router for one domain of ours."""
    domains = [DomainSettings(name=domain, accounts="any")]
    return TableRouter(hostname="mx.example.org", domains=domains, routes=routes, directory=MemoryDirectory())


def test_a_route_to_refuse_is_a_refusal_with_its_reason() -> None:
    """Nothing is accepted that may not leave."""
    current = CurrentRouter(router(RouteSettings(match="*", courier=REFUSE)))
    routing = now(current.route(Mailbox("bob", "example.net")))
    assert isinstance(routing, Refusal)
    assert str(routing.reply).startswith("550 5.7.1")
    assert any("refuse" in reason for reason in routing.why)
    assert isinstance(now(current.route(Mailbox("bob", "example.org"))), Route)


def test_an_exchange_counts_for_the_next_question() -> None:
    """Whoever holds the current router sees the new tables."""
    current = CurrentRouter(router())
    assert not current.is_local(Mailbox("bob", "example.com"))
    current.current = router(domain="example.com")
    assert current.is_local(Mailbox("bob", "example.com"))
    assert now(current.expand_list(Mailbox("bob", "example.com"))) is None
