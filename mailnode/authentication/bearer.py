"""OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's older form of it): a token instead of a password.

::

    OAUTHBEARER: n,a=ann@example.org,^A host=...^A port=...^A auth=Bearer token ^A^A       (without the blanks)
    XOAUTH2:     user=ann@example.org ^A auth=Bearer token ^A^A

A token that is not believed is answered with a challenge that says so in JSON, which the client answers with anything
(^A, or nothing); only then comes 535 (RFC 7628 section 3.2.3). Expired tokens are no guesses and do not count as such.
"""

import json
import re

from mailnode.authentication.plain import text_of
from mailnode.authentication.proof import Ground, claimed, guarded, settled
from mailnode.authentication.tokens import BadToken, Tokens
from mailnode.authentication.watch import Attempt
from mailnode.interfaces import Authenticated, Challenge, Refused, Standing
from mailnode.mail.message import Peer
from mailnode.smtp import replies

_BEARER = re.compile(r"n,(?:a=([^,]*))?,((?:\x01[^\x01]*)*)\x01\x01")
_XOAUTH2 = re.compile(r"user=([^\x01]*)((?:\x01[^\x01]*)*)\x01\x01")
_TOKEN = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


class Bearer:
    """One exchange, in either form."""

    def __init__(self, ground: Ground, peer: Peer, tokens: Tokens, *, mechanism: str) -> None:
        self._ground = ground
        self._peer = peer
        self._tokens = tokens
        self._mechanism = mechanism
        self._has_failed = False

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Ask for the token, or look at it."""
        if self._has_failed:
            raise Refused(replies.CREDENTIALS_INVALID)
        if response is None:
            return Challenge()
        name, token = self._read(text_of(response))
        account = self._ground.account(name) if name else None
        attempt = await self._ground.watch.attempt(self._peer, claimed(name, account), self._mechanism)
        return await guarded(attempt, self._checked(attempt, name, token))

    def _read(self, message: str) -> tuple[str, str]:
        found = (_XOAUTH2 if self._mechanism == "XOAUTH2" else _BEARER).fullmatch(message)
        if found is None:
            raise Refused(replies.CREDENTIALS_INVALID)
        pairs = dict(pair.partition("=")[::2] for pair in found[2].split("\x01") if pair)
        token = _TOKEN.fullmatch(pairs.get("auth", ""))
        return (found[1] or "").replace("=2C", ",").replace("=3D", "="), token[1] if token else ""

    async def _checked(self, attempt: Attempt, name: str, token: str) -> Challenge | Authenticated:
        if not token:
            return await self._fail(attempt, BadToken("no token was given"))
        try:
            owner = await self._tokens.owner(token)
        except BadToken as bad:
            return await self._fail(attempt, bad)
        account = self._ground.account(owner)
        if account is None or (name and self._ground.account(name) != account):
            return await self._fail(attempt, BadToken("the token is somebody else's"))
        standing = await self._ground.credentials.standing(account)
        if standing is Standing.UNKNOWN:
            return await self._fail(attempt, BadToken("no such account"))
        return await settled(attempt, account, standing, why="")

    async def _fail(self, attempt: Attempt, bad: BadToken) -> Challenge:
        """Tell in JSON what is wrong; the reply follows the client's answer."""
        if bad.is_expired:
            attempt.withdrawn(str(bad))
        else:
            await attempt.failed(str(bad))
        self._has_failed = True
        settings = self._ground.settings.oauth
        said = {"status": bad.status} if self._mechanism == "OAUTHBEARER" else {"status": "400", "schemes": "Bearer"}
        said["scope"] = settings.scope
        if settings.discovery_url and self._mechanism == "OAUTHBEARER":
            said["openid-configuration"] = settings.discovery_url
        return Challenge(json.dumps(said).encode())
