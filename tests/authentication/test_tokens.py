"""Whose a token is."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from mailnode.authentication import tokens
from mailnode.authentication.settings import OAuthSettings
from mailnode.authentication.tokens import BadToken, Tokens
from tests.kit.results import now

GOOD = {"email": "ann@example.org", "iss": "https://id.example", "aud": ["mail", "web"], "scope": "mail profile"}


class Staged:
    """A reader that says what the test wants."""

    def __init__(self, claims: dict[str, Any]) -> None:
        self.said = claims
        self.asked = 0

    async def claims(self, token: str) -> dict[str, Any]:
        """Count and tell."""
        self.asked += 1
        return self.said


STRICT = OAuthSettings(issuer="https://id.example", audience="mail", scope="mail")


def test_a_token_that_fits_names_its_owner() -> None:
    """By the claim of the settings; audience and scope may be texts or lists."""
    assert now(Tokens(STRICT, Staged(GOOD), Clock()).owner("t")) == "ann@example.org"
    other = {**GOOD, "aud": "mail", "scope": None, "scp": ["mail"]}
    del other["scope"]
    assert now(Tokens(STRICT, Staged(other), Clock()).owner("t")) == "ann@example.org"
    by_name = OAuthSettings(claim="preferred_username")
    assert now(Tokens(by_name, Staged({"preferred_username": "ann"}), Clock()).owner("t")) == "ann"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"iss": "https://evil.example"}, "invalid_token"),
        ({"aud": "web"}, "invalid_token"),
        ({"aud": None}, "invalid_token"),
        ({"scope": "profile"}, "insufficient_scope"),
        ({"scope": 7}, "insufficient_scope"),
        ({"email": ""}, "invalid_token"),
        ({"email": ["ann@example.org"]}, "invalid_token"),
        ({"email_verified": False}, "invalid_token"),
        ({"email_verified": "false"}, "invalid_token"),
    ],
)
def test_one_that_does_not_fit_names_nobody(change: dict[str, Any], status: str) -> None:
    """Whatever is wrong with it is said in the log, and little to the client."""
    with pytest.raises(BadToken) as raised:
        now(Tokens(STRICT, Staged({**GOOD, **change}), Clock()).owner("t"))
    assert raised.value.status == status


def test_a_good_token_is_remembered_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the time of the settings, never beyond its own, and only so many."""
    clock = Clock()
    clock.advance(1000)
    reader = Staged({**GOOD, "exp": 1030})
    made = Tokens(OAuthSettings(), reader, clock)
    for seconds, asked in ((0, 1), (29, 1), (2, 2)):
        clock.advance(seconds)
        now(made.owner("t"))
        assert reader.asked == asked
    monkeypatch.setattr(tokens, "REMEMBERED", 2)
    for name in "abcd":
        now(made.owner(name))
    assert len(made._good) <= 3
