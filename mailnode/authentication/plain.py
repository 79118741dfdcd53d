"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the password itself travels, which is why TLS must be there."""

from mailnode.authentication.proof import Ground, by_password
from mailnode.interfaces import Authenticated, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.smtp import replies


class Plain:
    """``[authorization] NUL name NUL password`` in one response."""

    def __init__(self, ground: Ground, peer: Peer) -> None:
        self._ground = ground
        self._peer = peer

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Ask for the response, or check it."""
        if response is None:
            return Challenge()
        parts = text_of(response).split("\0")
        if len(parts) != 3:
            raise Refused(replies.CREDENTIALS_INVALID)
        authorization, name, password = parts
        return await by_password(
            self._ground, self._peer, "PLAIN", name=name, password=password, authorization=authorization
        )


class Login:
    """The name, asked for; then the password, asked for."""

    def __init__(self, ground: Ground, peer: Peer) -> None:
        self._ground = ground
        self._peer = peer
        self._name: str | None = None

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Ask for one, then the other, then check both."""
        if response is None:
            return Challenge(b"Username:")
        if self._name is None:
            self._name = text_of(response)
            return Challenge(b"Password:")
        return await by_password(self._ground, self._peer, "LOGIN", name=self._name, password=text_of(response))


def text_of(octets: bytes) -> str:
    """Read UTF-8; Refused for anything else."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise Refused(replies.CREDENTIALS_INVALID) from None
