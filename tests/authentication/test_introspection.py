"""The issuer is asked about tokens, and its answer is not taken on trust."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from twisted.internet.task import Clock

from mailnode.authentication.introspection import Introspection
from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken
from mailnode.interfaces import CredentialsTrouble
from tests.kit.results import now


class Staged:
    """The issuer."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.asked: list[tuple[str, bytes, str, str]] = []

    async def post(self, url: str, form: bytes, *, user: str, password: str) -> bytes:
        """Keep the question and answer."""
        self.asked.append((url, form, user, password))
        return self.said


def claims(said: object) -> Any:
    """Ask about a token."""
    clock = Clock()
    clock.advance(1000)
    web: Any = Staged(said if isinstance(said, bytes) else json.dumps(said).encode())
    settings = OAuthSettings(introspection_url="https://id.example/ask", client_id="mail")
    found = now(Introspection(settings, web, clock, "s3cret").claims("t+k=n"))
    ((url, form, user, password),) = web.asked
    assert (url, parse_qs(form.decode())["token"], user, password) == (
        "https://id.example/ask",
        ["t+k=n"],
        "mail",
        "s3cret",
    )
    return found


@pytest.mark.rfc("7662", "2.2")
def test_an_active_token_has_claims() -> None:
    """The user name stands in for the claim of the settings where that is missing."""
    assert claims({"active": True, "email": "ann", "username": "x"})["email"] == "ann"
    assert claims({"active": True, "username": "ann", "exp": 1001})["email"] == "ann"


@pytest.mark.parametrize(("said", "is_expired"), [({"active": False}, False), ({"active": True, "exp": 1000}, True)])
def test_one_that_is_not_active_is_bad(said: object, is_expired: bool) -> None:
    """Or has ended."""
    with pytest.raises(BadToken) as raised:
        claims(said)
    assert raised.value.is_expired == is_expired


@pytest.mark.parametrize("said", [b"", b"<html>", [], {}, {"active": "true"}, 7])
def test_nonsense_is_trouble(said: object) -> None:
    """Nobody is let in, and nobody is accused of guessing."""
    with pytest.raises(CredentialsTrouble):
        claims(said)
