"""CRAM-MD5 for those who call for their mail (RFC 2195): what RFC 2645 section 5.1.2 asks for, and the callers that there are know.

The server must know the password itself, so these are secrets of their own in files of their own, and not the passwords
of accounts. The password does not travel, which is why it is offered without TLS as well; all other mechanisms, if there
are any, are those of ``base`` and stay under TLS.
"""

import hmac
from collections.abc import Callable
from random import Random

from attrs import frozen

from mailnode.authentication.proof import refusal
from mailnode.authentication.watch import Watch
from mailnode.interfaces import Authenticated, AuthExchange, Authority, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.smtp import replies

NAME = "CRAM-MD5"


@frozen
class CramMd5Authority:
    """Implements interfaces.Authority for a listener that may be used without TLS."""

    secrets: Callable[[str], tuple[str, bytes] | None]
    """Gives the account of a name and its secret."""
    watch: Watch
    random: Random
    hostname: str
    base: Authority | None = None
    base_without_tls: bool = False
    """The other mechanisms are offered in the clear too."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Name the mechanisms for this client: in the clear, only the one that keeps the secret."""
        is_safe = self.base_without_tls or bool(peer.tls) or not peer.address
        others = self.base.mechanisms(peer) if self.base is not None and is_safe else ()
        return (*others, NAME)

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Begin an exchange; raises Refused."""
        if mechanism == NAME:
            return CramMd5(self, peer)
        if self.base is None:
            raise Refused(replies.MECHANISM_UNKNOWN)
        if mechanism not in self.mechanisms(peer):
            raise Refused(replies.ENCRYPTION_REQUIRED)
        return self.base.begin(peer, mechanism)


class CramMd5:
    """One exchange: a challenge that was never before, and its keyed digest under the client's name."""

    def __init__(self, authority: CramMd5Authority, peer: Peer) -> None:
        self._authority = authority
        self._peer = peer
        self._challenge = b""

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Give the challenge, then judge the answer to it; raises Refused."""
        if not self._challenge:
            if response:
                raise Refused(replies.AUTH_SYNTAX)  # there is nothing to say before the challenge (RFC 2195 section 2)
            number = self._authority.random.getrandbits(128)
            self._challenge = f"<{number:032x}@{self._authority.hostname}>".encode("ascii", "replace")
            return Challenge(self._challenge)
        return await self._judged(response or b"")

    async def _judged(self, response: bytes) -> Authenticated:
        name, _, digest = response.decode("utf-8", "replace").rpartition(" ")
        found = self._authority.secrets(name)
        attempt = await self._authority.watch.attempt(self._peer, found[0] if found else name[:254].lower(), NAME)
        account, secret = found or ("", b"nobody")
        expected = hmac.digest(secret, self._challenge, "md5").hex()
        if hmac.compare_digest(expected.encode(), digest.lower().encode()) and found is not None:
            attempt.succeeded(account)
            return Authenticated(account)
        raise await refusal(attempt, "wrong name or digest")
