"""The authority: which mechanisms there are for a client, and an exchange of one; implements interfaces.Authority.

``_MECHANISMS`` is the table: each mechanism, when it is possible, and how its exchange is made. The modules are imported
with the first use, since most sessions of most nodes never authenticate.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from mailnode.authentication.proof import Ground
from mailnode.interfaces import AuthExchange, Refused
from mailnode.mail.message import Peer
from mailnode.smtp import replies

if TYPE_CHECKING:
    from mailnode.authentication.tokens import Tokens

_WEAK = ("PLAIN", "LOGIN")
"""Mechanisms that a policy may leave out because they send the password (RFC 4954 section 6: 534)."""


class SaslAuthority:
    """Finds out who clients are. ``tokens`` makes what looks at tokens of OAuth; None when there is nobody to believe."""

    def __init__(self, ground: Ground, tokens: "Callable[[], Tokens] | None" = None) -> None:
        self.ground = ground
        self._make_tokens = tokens
        self._tokens: Tokens | None = None
        self._names = tuple(dict.fromkeys(ground.settings.mechanisms))

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Name the mechanisms for this client, best first."""
        return tuple(name for name in self._names if _MECHANISMS[name].is_possible(self, peer))

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Begin an exchange; raises Refused."""
        if mechanism in self.mechanisms(peer):
            return _MECHANISMS[mechanism].make(self, peer)
        too_weak = mechanism in _WEAK and mechanism not in self._names
        raise Refused(replies.MECHANISM_TOO_WEAK if too_weak else replies.MECHANISM_UNKNOWN)

    @property
    def tokens(self) -> "Tokens":
        """Give what looks at tokens, made by now."""
        if self._tokens is None:
            if self._make_tokens is None:
                raise RuntimeError("nobody's tokens are believed here")
            self._tokens = self._make_tokens()
        return self._tokens

    @property
    def has_tokens(self) -> bool:
        """Tell whether anybody's tokens are believed."""
        return self._make_tokens is not None


@frozen
class _Mechanism:
    is_possible: Callable[[SaslAuthority, Peer], bool]
    make: Callable[[SaslAuthority, Peer], AuthExchange]


def _plain(authority: SaslAuthority, peer: Peer) -> AuthExchange:
    from mailnode.authentication.plain import Plain  # noqa: PLC0415

    return Plain(authority.ground, peer)


def _login(authority: SaslAuthority, peer: Peer) -> AuthExchange:
    from mailnode.authentication.plain import Login  # noqa: PLC0415

    return Login(authority.ground, peer)


def _scram(*, binds: bool) -> Callable[[SaslAuthority, Peer], AuthExchange]:
    def make(authority: SaslAuthority, peer: Peer) -> AuthExchange:
        from mailnode.authentication.scram import Scram  # noqa: PLC0415

        offers_binding = "SCRAM-SHA-256-PLUS" in authority.mechanisms(peer)
        return Scram(authority.ground, peer, binds=binds, offers_binding=offers_binding)

    return make


def _bearer(mechanism: str) -> Callable[[SaslAuthority, Peer], AuthExchange]:
    def make(authority: SaslAuthority, peer: Peer) -> AuthExchange:
        from mailnode.authentication.bearer import Bearer  # noqa: PLC0415

        return Bearer(authority.ground, peer, authority.tokens, mechanism=mechanism)

    return make


def _external(authority: SaslAuthority, peer: Peer) -> AuthExchange:
    from mailnode.authentication.external import External  # noqa: PLC0415

    return External(authority.ground, peer)


def _always(_authority: SaslAuthority, _peer: Peer) -> bool:
    return True


def _has_verifiers(authority: SaslAuthority, _peer: Peer) -> bool:
    return authority.ground.credentials.has_verifiers


def _can_bind(authority: SaslAuthority, peer: Peer) -> bool:
    return bool(peer.channel_bindings) and authority.ground.credentials.has_verifiers


def _believes_tokens(authority: SaslAuthority, _peer: Peer) -> bool:
    return authority.has_tokens


def _is_proved(_authority: SaslAuthority, peer: Peer) -> bool:
    return bool(peer.certificate_names or peer.user)


_MECHANISMS = {
    "SCRAM-SHA-256-PLUS": _Mechanism(_can_bind, _scram(binds=True)),
    "SCRAM-SHA-256": _Mechanism(_has_verifiers, _scram(binds=False)),
    "OAUTHBEARER": _Mechanism(_believes_tokens, _bearer("OAUTHBEARER")),
    "XOAUTH2": _Mechanism(_believes_tokens, _bearer("XOAUTH2")),
    "EXTERNAL": _Mechanism(_is_proved, _external),
    "PLAIN": _Mechanism(_always, _plain),
    "LOGIN": _Mechanism(_always, _login),
}
