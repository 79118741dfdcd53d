"""What the settings of this moment say of mail that arrives: who takes it in, and where it goes.

A router and a reception are values of their settings and little else, so they are not changed but made anew when the
configuration is read again; ``current`` lets everybody else hold on to them all the same.
"""

from collections.abc import Sequence
from ipaddress import ip_network

from attrs import evolve

from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.quantity import Seconds
from mailnode.roles.house import House
from mailnode.roles.reception import MailReception
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from mailnode.service.classic import terminals_for
from mailnode.service.couriers import LOCAL
from mailnode.service.folder import INCOMING
from mailnode.service.ground import Ground
from mailnode.service.settings import NodeSettings
from mailnode.service.works import Works


def _open_to_gateways(settings: NodeSettings) -> Sequence[DomainSettings]:
    """Let a gateway's domain take any local part: who is known there is known by its address book."""
    return [
        evolve(domain, accounts="any") if domain.courier in settings.gateway else domain for domain in settings.domain
    ]


def router_for(settings: NodeSettings, ground: Ground, directory: SqliteDirectory) -> TableRouter:
    """Make the router of these settings."""
    return TableRouter(
        hostname=ground.hostname,
        domains=_open_to_gateways(settings),
        routes=settings.route,
        directory=directory,
        own_addresses=ground.addresses,
    )


def reception_for(settings: NodeSettings, works: Works) -> MailReception:
    """Make the door of these settings."""

    def give_up(reverse_path: Mailbox) -> Seconds:
        return settings.queue.bounce_give_up if reverse_path == NULL else settings.queue.give_up

    house = House(
        hostname=works.ground.hostname,
        router=works.router,
        queue=works.queue,
        couriers={name: works.couriers[name] for name in LOCAL},
        disk=works.disk,
        clock=works.ground.reactor,
        random=works.ground.random,
        incoming=works.ground.folder / INCOMING,
        settings=settings.reception,
        give_up=give_up,
        report_expansion=works.relay.report_expansion,
        directory=works.directory,
        terminals=terminals_for(settings, works.ground.hostname, works.ground.reactor, works.disk),
    )
    works.limits.apply(settings.submission, settings.node.workers)
    return MailReception(
        house,
        tuple(map(ip_network, settings.node.trusted_networks)),
        submission=settings.submission,
        limits=works.limits,
        max_sizes={listener.name: listener.max_size for listener in settings.listener if listener.max_size},
    )
