"""Opens a session with one host: races its addresses, waits for the greeting, greets."""

import functools
from collections.abc import Callable
from typing import Any, cast

from attrs import frozen
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectionRefusedError, TimeoutError  # noqa: A004 - Twisted's own
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory

from mailnode.couriers.smtp_racing import NoneReached, alternate, race
from mailnode.couriers.smtp_session import SmtpSession, Unavailable
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Disk
from mailnode.mail.reply import Reply
from mailnode.routing.exchanges import Hop
from mailnode.smtp.client import ClientConnection


@frozen
class Reaching:
    """Opens sessions; ``watch`` hears of each connection as it is made."""

    reactor: Any
    """IReactorTCP, IReactorUNIX for sockets in the file system, and IReactorTime."""
    hostname: str
    settings: SmtpCourierSettings
    disk: Disk
    is_lmtp: bool
    watch: Callable[[SmtpSession], None]

    async def open(self, hop: Hop) -> SmtpSession:
        """Open a session with the host; raises Unavailable. Cancelling drops all connections begun."""
        times = self.settings.times
        endpoints = [self._endpoint(address, hop.port) for address in alternate(hop.addresses)]
        return await self._reach(endpoints, hop.host, times.stagger)

    async def open_socket(self, path: str) -> SmtpSession:
        """Open a session over a socket in the file system; raises Unavailable.

        The server there is a part of this host, and goes by its name: outcomes reach senders, who need no paths of ours.
        """
        endpoint = UNIXClientEndpoint(self.reactor, path, timeout=self.settings.times.connect)
        return await self._reach([endpoint], self.hostname, 0.0)

    def _endpoint(self, address: str, port: int) -> IStreamClientEndpoint:
        timeout = self.settings.times.connect
        if ":" in address:
            bind = (self.settings.bind_ipv6, 0) if self.settings.bind_ipv6 else None
            return TCP6ClientEndpoint(self.reactor, address, port, timeout, bind)
        bind = (self.settings.bind_ipv4, 0) if self.settings.bind_ipv4 else None
        return TCP4ClientEndpoint(self.reactor, address, port, timeout, bind)

    async def _reach(self, endpoints: list[IStreamClientEndpoint], host: str, stagger: float) -> SmtpSession:
        factory = Factory.forProtocol(lambda: self._session(host))
        factory.noisy = False
        starts = [functools.partial(endpoint.connect, factory) for endpoint in endpoints]
        try:
            session = cast("SmtpSession", await race(starts, self.reactor, stagger))
        except NoneReached as none:
            raise Unavailable(_unreached(host, none), is_ours=True, is_reached=False) from none
        await session.open()
        return session

    def _session(self, host: str) -> SmtpSession:
        connection = ClientConnection(self.hostname, is_lmtp=self.is_lmtp)
        session = SmtpSession(connection, host, times=self.settings.times, clock=self.reactor, disk=self.disk)
        self.watch(session)
        return session


def _unreached(host: str, none: NoneReached) -> Reply:
    if all(failure.check(ConnectionRefusedError) for failure in none.failures):
        return Reply.of(451, "4.4.1", f"{host} refused the connection")
    if all(failure.check(TimeoutError) for failure in none.failures):
        return Reply.of(451, "4.4.1", f"{host} did not answer in time")
    return Reply.of(451, "4.4.1", f"{host} cannot be reached")
