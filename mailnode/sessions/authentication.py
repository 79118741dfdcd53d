"""AUTH as a listener has it: who decides, whether TLS must be there first, and what EHLO says of it (RFC 4954).

Whoever authenticates in the clear tells everybody on the way who they are. So mechanisms are offered under TLS only,
unless the listener's settings say otherwise; a client of a unix socket is on this machine and needs none.
"""

from base64 import b64encode

from attrs import frozen

from mailnode.interfaces import Authenticated, AuthExchange, Authority, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.extensions import Extension, auth


@frozen
class Authentication:
    """Who decides at a listener, and under what condition."""

    authority: Authority
    without_tls: bool = False
    """Also in the clear."""

    def extension(self, peer: Peer) -> Extension:
        """Give AUTH as it is offered to this peer now; without mechanisms it is understood, and not offered."""
        return auth(self.authority.mechanisms(peer) if self._is_safe(peer) else ())

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Begin an exchange; raises Refused."""
        if peer.account:
            raise Refused(replies.AUTH_TWICE)
        if not self._is_safe(peer):
            raise Refused(replies.ENCRYPTION_REQUIRED)
        return self.authority.begin(peer, mechanism)

    def _is_safe(self, peer: Peer) -> bool:
        return bool(peer.tls) or not peer.address or self.without_tls


def reply_for(said: Challenge | Authenticated) -> Reply:
    """Put what an exchange says into a reply (RFC 4954 sections 4 and 6)."""
    if isinstance(said, Authenticated):
        return replies.AUTHENTICATED
    return Reply(334, (b64encode(said.octets).decode("ascii"),))
