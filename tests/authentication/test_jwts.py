"""Tokens that are JWTs: by whose key, and in their time."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.internet.task import Clock

from mailnode.authentication.jwts import ASK_AGAIN, JwtReader
from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken
from mailnode.interfaces import CredentialsTrouble
from tests.kit.results import InlineDisk, now

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def signed(key: Any = KEY, kid: str | None = "one", algorithm: str = "ES256", **claims: Any) -> str:
    """Make a token."""
    headers = {"kid": kid} if kid else {}
    return jwt.encode({"email": "ann", "exp": int(time.time()) + 60, **claims}, key, algorithm, headers)


def key_set(**keys: Any) -> bytes:
    """Write a JWK set."""
    to_jwk = jwt.get_algorithm_by_name("ES256").to_jwk
    return json.dumps(
        {"keys": [{**json.loads(to_jwk(key.public_key())), "kid": kid} for kid, key in keys.items()]}
    ).encode()


class Staged:
    """The issuer's web server."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.asked = 0

    async def get(self, url: str) -> bytes:
        """Give the keys."""
        self.asked += 1
        return self.octets


def reader(octets: bytes, clock: Clock | None = None, **settings: Any) -> tuple[JwtReader, Staged]:
    """Make a reader whose issuer shows these keys."""
    web: Any = Staged(octets)
    made = OAuthSettings(keys_url="https://id.example/keys", **settings)
    return JwtReader(made, web, InlineDisk(), clock or Clock()), web


def test_a_signature_of_a_known_key_counts() -> None:
    """Named or not; keys are asked for once."""
    made, web = reader(key_set(one=KEY, two=OTHER))
    for token in (signed(), signed(OTHER, "two"), signed(OTHER, None)):
        assert now(made.claims(token))["email"] == "ann"
    assert web.asked == 1


@pytest.mark.parametrize(
    "token",
    [
        "rubbish", "a.b.c", "..", signed(OTHER), signed(KEY, "unknown"), signed(b"x" * 32, algorithm="HS256"),
        jwt.encode({"email": "ann"}, "", "none"), jwt.encode({"email": "ann"}, KEY, "ES256", {"kid": "one"}),
        signed(nbf=time.time() + 600),
    ],
)  # fmt: skip
def test_anything_else_does_not(token: str) -> None:
    """Another key, another algorithm, none at all, no end, too early."""
    made, _ = reader(key_set(one=KEY))
    with pytest.raises(BadToken) as raised:
        now(made.claims(token))
    assert not raised.value.is_expired


def test_an_expired_token_is_called_so() -> None:
    """It was good once."""
    made, _ = reader(key_set(one=KEY))
    with pytest.raises(BadToken, match="expired") as raised:
        now(made.claims(signed(exp=1)))
    assert raised.value.is_expired


def test_a_new_key_is_asked_for_but_not_all_the_time() -> None:
    """An unknown name asks again, at most every half a minute; old keys are asked for when their time is over."""
    clock = Clock()
    made, web = reader(key_set(one=KEY), clock)
    now(made.claims(signed()))
    web.octets = key_set(one=KEY, two=OTHER)
    for _ in range(3):
        with pytest.raises(BadToken):
            now(made.claims(signed(OTHER, "two")))
    assert web.asked == 1
    clock.advance(ASK_AGAIN)
    assert now(made.claims(signed(OTHER, "two")))["email"] == "ann"
    assert web.asked == 2
    clock.advance(3600)
    now(made.claims(signed()))
    assert web.asked == 3


def test_a_key_of_an_unknown_kind_does_no_harm() -> None:
    """An issuer may have keys for others too; those that are known here count."""
    keys = json.loads(key_set(one=KEY))
    keys["keys"] = [
        {"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AA"},
        *keys["keys"],
        {"kty": "EC", "crv": "X"},
    ]
    made, _ = reader(json.dumps(keys).encode())
    assert now(made.claims(signed()))["email"] == "ann"


def test_keys_may_stand_in_a_file(tmp_path: Path) -> None:
    """A JWK set or a public key in PEM; a file that is neither, or not there, is trouble of ours."""
    key = ed25519.Ed25519PrivateKey.generate()
    file = tmp_path / "key.pem"
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    web: Any = Staged(b"")

    def made() -> JwtReader:
        return JwtReader(OAuthSettings(keys=str(file)), web, InlineDisk(), Clock())

    assert now(made().claims(signed(key, algorithm="EdDSA")))["email"] == "ann"
    with pytest.raises(BadToken):
        now(made().claims(signed(KEY)))
    for content in (b"rubbish", b"{}", b'{"keys": 7}', b'{"keys": [{"kty": "XX"}]}'):
        file.write_bytes(content)
        with pytest.raises(CredentialsTrouble):
            now(made().claims(signed()))
    file.unlink()
    with pytest.raises(CredentialsTrouble, match="No such file"):
        now(made().claims(signed()))
