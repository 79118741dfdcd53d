"""Tokens of OAuth: whose they are, as a signed JWT says or as the issuer says when asked (RFC 7519, RFC 7662).

A token that was found good is remembered for a short time under its digest, so that a client that connects often does not
ask the issuer each time. What is not found good is never remembered.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

from mailnode.authentication.settings import OAuthSettings

REMEMBERED = 5000
"""Good tokens that are remembered at most."""

Claims = Mapping[str, Any]

_NO = (False, "false", "False")
"""How issuers write no, some of them in JSON's own way."""


class BadToken(Exception):  # noqa: N818 - it is an answer
    """The token proves nothing; the text says why, for the log."""

    def __init__(self, why: str, *, is_expired: bool = False, status: str = "invalid_token") -> None:
        super().__init__(why)
        self.is_expired = is_expired
        """It was good once: not a guess."""
        self.status = status
        """What the client is told (RFC 6750 section 3.1)."""


class Reader(Protocol):
    """Finds out what a token says."""

    async def claims(self, token: str) -> Claims:
        """Give the claims of a token that is genuine and in its time; raises BadToken or CredentialsTrouble."""
        ...


class Tokens:
    """Says whose a token is."""

    def __init__(self, settings: OAuthSettings, reader: Reader, clock: IReactorTime) -> None:
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._good: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    async def owner(self, token: str) -> str:
        """Give the name of the account a token stands for; raises BadToken or CredentialsTrouble."""
        digest = hashlib.sha256(token.encode()).digest()
        now = self._clock.seconds()
        until, owner = self._good.get(digest, (0.0, ""))
        if now < until:
            return owner
        claims = await self._reader.claims(token)
        owner = self._owner_in(claims)
        self._keep(digest, owner, claims.get("exp"))
        return owner

    def _owner_in(self, claims: Claims) -> str:
        settings = self._settings
        if settings.issuer and claims.get("iss") != settings.issuer:
            raise BadToken("its issuer is another one")
        audience = claims.get("aud")
        if settings.audience and settings.audience not in (audience if isinstance(audience, list) else [audience]):
            raise BadToken("it is meant for somebody else")
        if settings.scope and settings.scope not in _scopes(claims):
            raise BadToken("it lacks the scope", status="insufficient_scope")
        owner = claims.get(settings.claim)
        if not isinstance(owner, str) or not owner:
            raise BadToken(f"it has no {settings.claim}")
        if settings.claim == "email" and claims.get("email_verified") in _NO:
            raise BadToken("its address was never verified")
        return owner

    def _keep(self, digest: bytes, owner: str, expires: object) -> None:
        until = self._clock.seconds() + self._settings.cache
        if isinstance(expires, int | float):
            until = min(until, float(expires))
        self._good[digest] = (until, owner)
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)


def _scopes(claims: Claims) -> list[str]:
    """Give the scopes a token has: one text in ``scope``, a text or list in ``scp``."""
    found = claims.get("scope", claims.get("scp", ""))
    return found.split() if isinstance(found, str) else [str(one) for one in found] if isinstance(found, list) else []
