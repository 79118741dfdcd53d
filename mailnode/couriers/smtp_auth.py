"""Authenticates a session at its next hop: AUTH (RFC 4954 section 4).

What the next hop says against us is never the end of a message: a password can be set right. So 535 is a delay here, as it
is for Postfix, with the next hop's words in the diagnostic.
"""

import binascii
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.logger import Logger

from mailnode.couriers.smtp_password import PasswordFile
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.interfaces import Disk
from mailnode.mail.reply import Reply
from mailnode.smtp.clientevents import Stage

if TYPE_CHECKING:
    from mailnode.couriers.smtp_mechanisms import Mechanism

MOST_CHALLENGES = 4
"""Challenges of one exchange that are answered; no mechanism of ours has more than two."""

_LONGEST_INITIAL = 480
"""Octets of a first message that goes out with AUTH: the line may have 512 (RFC 4954 section 4)."""


@frozen
class Authentication:
    """As whom we authenticate, and how."""

    log = Logger()

    username: str
    password: PasswordFile
    is_clear_allowed: bool
    disk: Disk

    async def perform(self, session: SmtpSession) -> Reply | None:
        """Authenticate; gives the reason why not, or None when it is done. Raises Unavailable."""
        host = session.host
        if not (session.security.text or self.is_clear_allowed):
            return Reply.of(451, "4.7.4", f"The password goes over TLS only, and there is none with {host}")
        try:
            password = await self.password.read()
        except (OSError, ValueError) as error:
            self.log.error(
                "The password for {host} cannot be read: {reason}", event="trouble", host=host, reason=str(error)
            )
            return Reply.of(451, "4.3.5", f"The password for {host} cannot be read")
        from mailnode.couriers.smtp_mechanisms import choose  # noqa: PLC0415 - few nodes authenticate anywhere

        try:
            mechanism = choose(session.offer.mechanisms, self.username, password, session.security.binding)
        except ValueError as error:
            return Reply.of(451, "4.7.8", f"The name or password for {host} cannot be used: {error}")
        if mechanism is None:
            return Reply.of(451, "4.7.0", f"{host} offers no way to authenticate that we know")
        return await self._exchange(session, mechanism)

    async def _exchange(self, session: SmtpSession, mechanism: "Mechanism") -> Reply | None:
        host = session.host
        try:
            reply = await self._dialogue(session, mechanism)
        except ValueError as error:
            if session.is_ready:
                await session.ask(Stage.AUTH, b"*\r\n")
            return Reply.of(451, "4.7.0", f"{host} does not authenticate rightly: {error}")
        if reply.code != 235:
            status = "4.7.8" if reply.code == 535 else "4.7.0"
            return Reply.of(451, status, f"{host} does not let us in as {self.username}: {reply}")
        if not mechanism.is_satisfied:
            return Reply.of(451, "4.7.0", f"{host} has not shown that it knows the password")
        return None

    async def _dialogue(self, session: SmtpSession, mechanism: "Mechanism") -> Reply:
        first = mechanism.first()
        # An empty message would be written as "=".
        initial = b"" if first is None else b64encode(first) or b"="
        is_sent = 0 < len(initial) <= _LONGEST_INITIAL
        words = [b"AUTH", mechanism.name.encode(), *([initial] if is_sent else [])]
        reply = await session.ask(Stage.AUTH, b" ".join(words) + b"\r\n")
        if reply.code == 334 and initial and not is_sent:
            reply = await session.ask(Stage.AUTH, initial + b"\r\n")
        for _ in range(MOST_CHALLENGES):
            if reply.code != 334:
                return reply
            challenge = _decoded(reply.lines[0])
            response = await self.disk.run(lambda challenge=challenge: mechanism.respond(challenge))  # type: ignore[misc]
            reply = await session.ask(Stage.AUTH, b64encode(response) + b"\r\n")
        if reply.code == 334:
            raise ValueError("its questions have no end")
        return reply


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("a challenge is not in base64") from None
