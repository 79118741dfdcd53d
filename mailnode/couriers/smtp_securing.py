"""Makes a session as safe as the terms of its lane say, before any mail goes over it: TLS, then AUTH.

=========================================  ====================================  ===================================
what happens                               under ``may``                         under ``encrypt`` and beyond
=========================================  ====================================  ===================================
STARTTLS is not offered, or refused        clear text                            4.7.4, the next host
the handshake breaks off                   a new connection, in clear text       4.7.5, the next host
the certificate is not good                no matter                             ``encrypt``: no matter; 4.7.5
=========================================  ====================================  ===================================
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from mailnode.couriers.smtp_auth import Authentication
from mailnode.couriers.smtp_password import PasswordFile
from mailnode.couriers.smtp_security import Security, Unavailable
from mailnode.couriers.smtp_session import CoverTls, SmtpSession
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Disk
from mailnode.mail.reply import Reply
from mailnode.routing.exchanges import Hop
from mailnode.routing.next_hop import parse_next_hop
from mailnode.routing.terms import STRICT, VERIFIED, Level, Terms
from mailnode.smtp.clientevents import Stage

if TYPE_CHECKING:
    from mailnode.certificates.outgoing import OutgoingTls


class LateTls:
    """What all outgoing TLS shares, made on a disk thread when it is first needed: it loads OpenSSL and the authorities."""

    def __init__(self, ca_file: str, disk: Disk, clock: IReactorTime) -> None:
        self._ca_file = ca_file
        self._disk = disk
        self._clock = clock
        self._made: OutgoingTls | None = None

    async def get(self) -> "OutgoingTls":
        """Give it; whatever is wrong with the file of authorities is raised."""
        if self._made is None:
            self._made = await self._disk.run(self._make)
        return self._made

    def _make(self) -> "OutgoingTls":
        from mailnode.certificates.outgoing import OutgoingTls  # noqa: PLC0415 - most messages need it, no start does

        return OutgoingTls(self._ca_file, self._clock)


@frozen
class Securing:
    """Secures the sessions of one courier."""

    level: Level
    """How much TLS there must be."""
    tls: LateTls
    authentication: Authentication | None = None

    async def cover_at_once(self, host: str, level: Level) -> CoverTls | None:
        """Give what lays TLS over a new connection, where it begins with the first octet."""
        return await self._cover(host) if level == "implicit" else None

    async def _cover(self, host: str) -> CoverTls:
        tls = await self.tls.get()
        return lambda session, wire: tls.lay_over(session, wire, host)

    async def secure(self, session: SmtpSession, references: Collection[str], level: Level, *, is_clear: bool) -> None:
        """Do what the terms say; raises Unavailable (NoTls for a handshake that broke off), and then the session is left.

        ``level`` is ours, or a lower one for a message that wishes it. ``references`` are the names of which the certificate
        must have one. ``is_clear``: leave TLS out, a handshake has broken off before.
        """
        refusal = ""
        if level not in ("none", "implicit") and not is_clear and session.offer.starttls:
            refusal = await self._start_tls(session)
        if session.tls is not None:
            session.security = _found(session, references)
        if level != self.level:
            session.security = evolve(session.security, is_own=False)
        objection = _objection(session, level, refusal)
        if objection is None and self.authentication is not None:
            objection = await self.authentication.perform(session)
        if objection is not None:
            session.leave()
            raise Unavailable(objection, is_ours=True, is_reached=True)

    async def _start_tls(self, session: SmtpSession) -> str:
        """Say STARTTLS and shake hands (RFC 3207 section 4); gives the words of a peer that takes its offer back."""
        cover = await self._cover(session.host)
        reply = await session.ask(Stage.STARTTLS, b"STARTTLS\r\n")
        if reply.code != 220:
            return str(reply)
        await session.begin_tls(cover)
        return ""


def securing(terms: Terms, settings: SmtpCourierSettings, tls: LateTls, disk: Disk) -> Securing:
    """Make what secures the sessions of a courier with these terms."""
    password = PasswordFile(terms.password_file, disk)
    authentication = Authentication(terms.username, password, terms.auth_without_tls, disk) if terms.username else None
    return Securing(terms.tls or settings.tls, tls, authentication)


def references(hop: Hop, next_hop: str, terms: Terms) -> tuple[str, ...]:
    """Give the names of which the certificate of a host must have one (see routing.terms); the next hop is well formed."""
    if terms.tls_names:
        return terms.tls_names
    own = parse_next_hop(next_hop).host
    return (hop.host, own) if hop.is_vouched and hop.host != own else (own,)


def _found(session: SmtpSession, references: Collection[str]) -> Security:
    from mailnode.certificates.outgoing import secured  # noqa: PLC0415 - loaded by now

    found = secured(session.tls, references)
    return Security(found.text, found.trouble, binding=found.binding)


def _objection(session: SmtpSession, level: Level, refusal: str) -> Reply | None:
    security = session.security
    if level in STRICT and not security.text:
        why = f"refuses it: {refusal}" if refusal else "does not offer it"
        return Reply.of(451, "4.7.4", f"TLS is required, and {session.host} {why}")
    if level in VERIFIED and security.trouble:
        return Reply.of(451, "4.7.5", f"{session.host} cannot be verified: {security.trouble}")
    return None
