"""Calling a provider for mail that waits there: the customer's side of On-Demand Mail Relay and of ETRN (RFC 2645, RFC 1985).

A ``Caller`` reaches the provider as the SMTP courier reaches any next hop, with the same TLS and the same time limits,
and proves who we are: by CRAM-MD5 where the provider offers it, which is what RFC 2645 section 5.1.2 has both sides
know, else by what else there is. After the 250 to ATRN the connection is given to a protocol of the caller's choice.
"""

import hmac
from typing import Any

from mailnode.couriers.smtp import SmtpCourier
from mailnode.couriers.smtp_auth import Authentication
from mailnode.couriers.smtp_password import PasswordFile
from mailnode.couriers.smtp_securing import LateTls, Securing, references
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.mail.reply import Reply
from mailnode.routing.exchanges import NoHops
from mailnode.routing.terms import Terms
from mailnode.smtp.clientevents import Stage

CRAM_MD5 = "CRAM-MD5"


class CramMd5:
    """CRAM-MD5: the keyed digest of what the server asks (RFC 2195)."""

    name = CRAM_MD5
    is_satisfied = True

    def __init__(self, username: str, password: str) -> None:
        self._username = username.encode()
        self._password = password.encode()

    def first(self) -> bytes | None:
        """Wait for the challenge."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Give the name and the digest."""
        return self._username + b" " + hmac.digest(self._password, challenge, "md5").hex().encode()


class CallersAuthentication(Authentication):
    """Authenticates by CRAM-MD5 first; the password of a provider's customer may be one for that alone."""

    async def perform(self, session: SmtpSession) -> Reply | None:
        """Authenticate; gives the reason why not, or None when it is done."""
        if CRAM_MD5 not in session.offer.mechanisms:
            return await super().perform(session)
        try:
            password = await self.password.read()
        except (OSError, ValueError):
            return await super().perform(session)  # which says what is wrong
        objection = await self._exchange(session, CramMd5(self.username, password))
        has_others = len(session.offer.mechanisms) > 1 and session.is_ready
        return await super().perform(session) if objection is not None and has_others else objection


class Caller(SmtpCourier):
    """Calls one provider."""

    def __init__(self, terms: Terms, **common: Any) -> None:
        super().__init__(terms=terms, **common)
        settings, disk = self._settings, self._disk
        if terms.username:
            password = PasswordFile(terms.password_file, disk)
            tls = LateTls(settings.ca_file, disk, common["reactor"])
            proof = CallersAuthentication(terms.username, password, terms.auth_without_tls, disk)
            self._securing = Securing(terms.tls or settings.tls, tls, proof)
            self._reaching = type(self._reaching)(
                common["reactor"], common["hostname"], settings, disk, self.is_lmtp, self._watch, self._securing
            )

    async def call(self, next_hop: str) -> SmtpSession:
        """Give a session with the provider, secured and authenticated; raises Unavailable."""
        try:
            hops = await self._find(next_hop)
        except NoHops as none:
            raise Unavailable(none.reply, is_ours=True, is_reached=False) from none
        trouble = Unavailable(Reply.of(451, "4.4.1", "The provider has no address"), is_ours=True, is_reached=False)
        for hop in hops:
            try:
                return await self._reaching.open(hop, references(hop, next_hop, self._terms))
            except Unavailable as unavailable:
                trouble = unavailable
        raise trouble


async def ask(session: SmtpSession, command: str) -> Reply:
    """Say ATRN or ETRN and give the answer; raises Unavailable."""
    return await session.ask(Stage.AUTH, command.encode("ascii") + b"\r\n")
