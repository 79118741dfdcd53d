"""OAUTHBEARER and XOAUTH2: tokens in their two clothes."""

import json
from typing import Any

import pytest
from attrs import evolve

from mailnode.authentication.bearer import Bearer
from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken, Tokens
from mailnode.interfaces import Authenticated, Challenge
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, TROUBLE, Stage

ANN = Authenticated("ann@example.org")
DISCOVERY = "https://id.example/.well-known/openid-configuration"


class Staged:
    """Tokens that say whose they are."""

    async def claims(self, token: str) -> dict[str, Any]:
        """Read the token."""
        if token == "expired":
            raise BadToken("it has expired", is_expired=True)
        if token == "trouble":
            raise TROUBLE
        if "@" not in token and token not in ("ann", "old", "eve"):
            raise BadToken("unknown")
        return {"email": f"{token}@example.org"}


def exchange(stage: Stage, mechanism: str = "OAUTHBEARER") -> Bearer:
    """Begin one."""
    oauth = OAuthSettings(scope="", discovery_url=DISCOVERY)
    ground = evolve(stage.ground, settings=evolve(stage.settings, oauth=oauth))
    return Bearer(ground, PEER, Tokens(oauth, Staged(), stage.clock), mechanism=mechanism)


def bearer(token: str, name: str = "ann@example.org") -> bytes:
    """Write the message of RFC 7628."""
    return f"n,a={name},\x01host=mx.example\x01port=587\x01auth=Bearer {token}\x01\x01".encode()


def xoauth2(token: str, name: str = "ann@example.org") -> bytes:
    """Write Google's."""
    return f"user={name}\x01auth=Bearer {token}\x01\x01".encode()


@pytest.mark.rfc("7628", "3.1")
def test_a_good_token_proves_its_owner() -> None:
    """In both forms; OAUTHBEARER may leave the name away."""
    stage = Stage()
    assert stage.say(exchange(stage), None) == Challenge(b"")
    assert stage.say(exchange(stage), bearer("ann")) == ANN
    assert stage.say(exchange(stage), b"n,,\x01auth=bearer ann\x01\x01") == ANN
    assert stage.say(exchange(stage, "XOAUTH2"), xoauth2("ann")) == ANN
    assert stage.say(exchange(stage), bearer("old", "old@example.org")) == replies.ACCOUNT_DISABLED


@pytest.mark.rfc("7628", "3.2.2")
@pytest.mark.rfc("7628", "3.2.3")
@pytest.mark.parametrize(
    "message", [bearer("unknown"), bearer("eve", "eve@example.org"), bearer("ann", "bob@example.org"), bearer("")]
)
def test_a_bad_token_is_told_of_in_json(message: bytes) -> None:
    """A challenge first, then 535, whatever the client answers; where to go is in it."""
    stage = Stage()
    made = exchange(stage)
    said = stage.say(made, message)
    assert json.loads(said.octets) == {"status": "invalid_token", "scope": "", "openid-configuration": DISCOVERY}
    assert stage.say(made, b"\x01") == replies.CREDENTIALS_INVALID
    made = exchange(stage, "XOAUTH2")
    assert json.loads(stage.say(made, xoauth2("unknown")).octets)["status"] == "400"
    assert stage.say(made, b"") == replies.CREDENTIALS_INVALID


@pytest.mark.parametrize(
    "message", [b"", b"n,", b"p=x,,\x01auth=Bearer ann\x01\x01", b"\xff", b"n,a=x,\x01auth=Bearer ann", b"y" * 9000]
)
def test_what_is_no_message(message: bytes) -> None:
    """It is 535 at once."""
    stage = Stage()
    assert stage.say(exchange(stage), message) == replies.CREDENTIALS_INVALID
    assert stage.say(exchange(stage, "XOAUTH2"), message) == replies.CREDENTIALS_INVALID


def test_expired_tokens_are_no_guesses() -> None:
    """A mail program with an old token is not locked out; one that tries made-up ones is."""
    stage = Stage(account_failures=2)
    for _ in range(5):
        assert stage.say(exchange(stage), bearer("expired"), b"\x01") == replies.CREDENTIALS_INVALID
    for _ in range(2):
        stage.say(exchange(stage), bearer("unknown"), b"\x01")
    assert stage.say(exchange(stage), bearer("ann")) == replies.TOO_MANY_FAILURES


def test_an_issuer_that_does_not_answer_is_temporary() -> None:
    """454, and nothing is counted."""
    stage = Stage(account_failures=1)
    for _ in range(2):
        assert stage.say(exchange(stage), bearer("trouble")) == replies.AUTH_TROUBLE
    assert stage.say(exchange(stage), bearer("ann")) == ANN
