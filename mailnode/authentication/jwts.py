"""Tokens that are JWTs, checked by their signature (RFC 7519, RFC 8725): keys from a file or from the issuer.

Only algorithms of the settings count, none of which knows a shared secret; a key is used for its own kind only. When a
token names a key that is not in a set from the issuer, the set is asked for again, but not more often than every
half a minute. Signatures are checked on a thread.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReactorTime

from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken, Claims
from mailnode.authentication.web import Web
from mailnode.interfaces import CredentialsTrouble, Disk

ASK_AGAIN = 30.0
"""Seconds before a key set is asked for again because a token names an unknown key."""


class JwtReader:
    """Checks tokens by keys; implements tokens.Reader."""

    def __init__(self, settings: OAuthSettings, web: Web, disk: Disk, clock: IReactorTime) -> None:
        self._settings = settings
        self._web = web
        self._disk = disk
        self._clock = clock
        self._keys: Sequence[Any] = ()
        self._asked = float("-inf")

    async def claims(self, token: str) -> Claims:
        """Give the claims of a token whose signature and times are right."""
        import jwt  # noqa: PLC0415 - an extra

        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise BadToken("it is no JWT") from None
        if header.get("alg") not in self._settings.algorithms:
            raise BadToken("its algorithm does not count here")
        keys = await self._keys_for(header.get("kid"))
        return await self._disk.run(lambda: self._verified(token, keys, header["alg"]))

    async def _keys_for(self, name: object) -> Sequence[Any]:
        age = self._clock.seconds() - self._asked
        if age >= self._settings.keys_refresh or not self._keys:
            await self._load()
        named = [key for key in self._keys if name is None or key.key_id in (None, name)]
        if not named and self._settings.keys_url and self._clock.seconds() - self._asked >= ASK_AGAIN:
            await self._load()
            named = [key for key in self._keys if key.key_id in (None, name)]
        return named

    async def _load(self) -> None:
        settings = self._settings
        if settings.keys:
            try:
                octets = await self._disk.run(lambda: Path(settings.keys).read_bytes())
            except OSError as error:
                raise CredentialsTrouble(f"{settings.keys}: {error.strerror or error}") from None
        else:
            octets = await self._web.get(settings.keys_url)
        self._keys = await self._disk.run(lambda: keys_in(octets))
        self._asked = self._clock.seconds()

    def _verified(self, token: str, keys: Sequence[Any], algorithm: str) -> Claims:
        import jwt  # noqa: PLC0415

        options = {"verify_aud": False, "verify_iss": False, "require": ["exp"]}
        for key in keys:
            try:
                claims: Claims = jwt.decode(token, key.key, algorithms=[algorithm], options=options)  # type: ignore[arg-type]
            except jwt.ExpiredSignatureError:
                raise BadToken("it has expired", is_expired=True) from None
            except (jwt.InvalidTokenError, jwt.PyJWTError, TypeError, ValueError):
                continue
            else:
                return claims
        raise BadToken("its signature is not of a key known here")


def keys_in(octets: bytes) -> Sequence[Any]:
    """Read a JWK set, a JWK, or a public key in PEM; raises CredentialsTrouble.

    A set may hold keys of kinds that are not known here (RFC 7517 section 5): the others count all the same.
    """
    import jwt  # noqa: PLC0415

    try:
        if octets.lstrip().startswith(b"{"):
            found = json.loads(octets)
            written = found.get("keys", [found])
            signing = [one for one in written if one.get("use", "sig") == "sig" and one.get("kty") != "oct"]
            return list(_known(signing))
        return [_PemKey(octets)]
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CredentialsTrouble(f"the keys of tokens cannot be read: {error}") from None


def _known(written: Sequence[Any]) -> Iterator[Any]:
    """Read the keys that can be read; raises what was wrong with the last one when none can."""
    import jwt  # noqa: PLC0415

    trouble: jwt.PyJWTError | None = None
    count = 0
    for one in written:
        try:
            yield jwt.PyJWK(one)
            count += 1
        except jwt.PyJWTError as error:
            trouble = error
    if trouble is not None and not count:
        raise trouble


class _PemKey:
    """A key without a name."""

    key_id = None

    def __init__(self, octets: bytes) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

        self.key = load_pem_public_key(octets)
