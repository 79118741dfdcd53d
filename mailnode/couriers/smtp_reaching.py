"""Opens a session with one host: races its addresses, waits for the greeting, greets, and secures it."""

import functools
from collections.abc import Callable, Collection
from typing import Any, cast

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectionRefusedError, TimeoutError  # noqa: A004 - Twisted's own
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from mailnode.couriers.smtp_racing import NoneReached, alternate, race
from mailnode.couriers.smtp_securing import Securing
from mailnode.couriers.smtp_security import NoTls, Security, Unavailable
from mailnode.couriers.smtp_session import CoverTls, SmtpSession
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Disk
from mailnode.mail.reply import Reply
from mailnode.routing.exchanges import Hop
from mailnode.routing.terms import Level
from mailnode.smtp.client import ClientConnection


@frozen
class Reaching:
    """Opens sessions; ``watch`` hears of each connection as it is made."""

    log = Logger()

    reactor: Any
    """IReactorTCP, IReactorUNIX for sockets in the file system, and IReactorTime."""
    hostname: str
    settings: SmtpCourierSettings
    disk: Disk
    is_lmtp: bool
    watch: Callable[[SmtpSession], None]
    securing: Securing

    async def open(self, hop: Hop, references: Collection[str] = (), level: Level | None = None) -> SmtpSession:
        """Open a session with the host and secure it; raises Unavailable. Cancelling drops all connections begun.

        Under ``may`` a handshake that breaks off is made good by a new connection in clear text.
        """
        level = level or self.securing.level
        try:
            return await self._open(hop, references, level)
        except NoTls as trouble:
            if level != "may":
                raise
            self.log.warn(  # noqa: G010 - Twisted's name
                "{host}: goes on in clear text: {reply}", event="clear-text", host=hop.host, reply=str(trouble.reply)
            )
        return await self._open(hop, references, level, is_clear=True)

    async def _open(
        self, hop: Hop, references: Collection[str], level: Level, *, is_clear: bool = False
    ) -> SmtpSession:
        endpoints = [self._endpoint(address, hop.port) for address in alternate(hop.addresses)]
        cover = await self.securing.cover_at_once(hop.host, level)
        session = await self._reach(endpoints, hop.host, self.settings.times.stagger, cover)
        try:
            await self.securing.secure(session, references, level, is_clear=is_clear)
        except CancelledError:
            session.abort()
            raise
        return session

    async def open_socket(self, path: str) -> SmtpSession:
        """Open a session over a socket in the file system; raises Unavailable.

        The server there is a part of this host, and goes by its name: outcomes reach senders, who need no paths of ours.
        """
        endpoint = UNIXClientEndpoint(self.reactor, path, timeout=self.settings.times.connect)
        session = await self._reach([endpoint], self.hostname, 0.0)
        session.security = Security(trouble="", is_local=True)
        return session

    def _endpoint(self, address: str, port: int) -> IStreamClientEndpoint:
        timeout = self.settings.times.connect
        if ":" in address:
            bind = (self.settings.bind_ipv6, 0) if self.settings.bind_ipv6 else None
            return TCP6ClientEndpoint(self.reactor, address, port, timeout, bind)
        bind = (self.settings.bind_ipv4, 0) if self.settings.bind_ipv4 else None
        return TCP4ClientEndpoint(self.reactor, address, port, timeout, bind)

    async def _reach(
        self, endpoints: list[IStreamClientEndpoint], host: str, stagger: float, cover: CoverTls | None = None
    ) -> SmtpSession:
        factory = Factory.forProtocol(lambda: self._session(host, cover))
        factory.noisy = False
        starts = [functools.partial(endpoint.connect, factory) for endpoint in endpoints]
        try:
            session = cast("SmtpSession", await race(starts, self.reactor, stagger))
        except NoneReached as none:
            raise Unavailable(_unreached(host, none), is_ours=True, is_reached=False) from none
        await session.open()
        return session

    def _session(self, host: str, cover: CoverTls | None) -> SmtpSession:
        connection = ClientConnection(self.hostname, is_lmtp=self.is_lmtp)
        session = SmtpSession(
            connection, host, times=self.settings.times, clock=self.reactor, disk=self.disk, cover=cover
        )
        self.watch(session)
        return session


def _unreached(host: str, none: NoneReached) -> Reply:
    if all(failure.check(ConnectionRefusedError) for failure in none.failures):
        return Reply.of(451, "4.4.1", f"{host} refused the connection")
    if all(failure.check(TimeoutError) for failure in none.failures):
        return Reply.of(451, "4.4.1", f"{host} did not answer in time")
    return Reply.of(451, "4.4.1", f"{host} cannot be reached")
