"""Tokens that only their issuer understands: it is asked about each (RFC 7662)."""

import json
from urllib.parse import urlencode

from twisted.internet.interfaces import IReactorTime

from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken, Claims
from mailnode.authentication.web import Web
from mailnode.interfaces import CredentialsTrouble


class Introspection:
    """Asks the issuer; implements tokens.Reader."""

    def __init__(self, settings: OAuthSettings, web: Web, clock: IReactorTime, secret: str) -> None:
        self._settings = settings
        self._web = web
        self._clock = clock
        self._secret = secret

    async def claims(self, token: str) -> Claims:
        """Give what the issuer says of a token that is active."""
        form = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
        octets = await self._web.post(
            self._settings.introspection_url, form, user=self._settings.client_id, password=self._secret
        )
        try:
            claims = json.loads(octets)
        except ValueError:
            raise CredentialsTrouble("the issuer did not answer in JSON") from None
        if not isinstance(claims, dict) or not isinstance(claims.get("active"), bool):
            raise CredentialsTrouble("the issuer's answer is none of RFC 7662")
        expires = claims.get("exp")
        if isinstance(expires, int | float) and expires <= self._clock.seconds():
            raise BadToken("it has expired", is_expired=True)
        if not claims["active"]:
            raise BadToken("its issuer says that it is not active")
        if "username" in claims and self._settings.claim not in claims:
            claims[self._settings.claim] = claims["username"]
        return claims
