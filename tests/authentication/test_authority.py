"""Which mechanisms there are for whom; and nothing a client says makes any of them fail otherwise than it should."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as some

from mailnode.authentication.authority import SaslAuthority
from mailnode.authentication.tokens import BadToken, Tokens
from mailnode.interfaces import Authenticated, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, Stage

BOUND = evolve(PEER, channel_bindings=(("tls-exporter", b"E" * 32),), certificate_names=("ann@example.org",))


class NoTokens:
    """Believes nobody."""

    async def claims(self, token: str) -> dict[str, Any]:
        """Refuse it."""
        raise BadToken("never")


def made(stage: Stage, *, tokens: bool = True) -> SaslAuthority:
    """Make an authority."""
    return SaslAuthority(
        stage.ground, (lambda: Tokens(stage.settings.oauth, NoTokens(), stage.clock)) if tokens else None
    )


def test_mechanisms_depend_on_who_asks() -> None:
    """Binding needs a channel, EXTERNAL a proof, tokens an issuer, SCRAM verifiers."""
    stage = Stage()
    everything = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "EXTERNAL", "PLAIN", "LOGIN")
    assert made(stage).mechanisms(BOUND) == everything
    assert made(stage, tokens=False).mechanisms(PEER) == ("SCRAM-SHA-256", "PLAIN", "LOGIN")
    stage.credentials.has_verifiers = False
    assert made(stage, tokens=False).mechanisms(PEER) == ("PLAIN", "LOGIN")
    assert made(Stage(mechanisms=("PLAIN", "PLAIN"))).mechanisms(BOUND) == ("PLAIN",)


@pytest.mark.rfc("4954", "6")
def test_what_is_not_to_be_had_is_refused() -> None:
    """504 for what we do not know or cannot do now; 534 for a weak one that the settings leave out."""
    authority = made(Stage(mechanisms=("SCRAM-SHA-256",)))
    for mechanism, reply in (
        ("GSSAPI", replies.MECHANISM_UNKNOWN),
        ("EXTERNAL", replies.MECHANISM_UNKNOWN),
        ("PLAIN", replies.MECHANISM_TOO_WEAK),
    ):
        with pytest.raises(Refused) as raised:
            authority.begin(PEER, mechanism)
        assert raised.value.reply == reply


_words = some.one_of(
    some.none(),
    some.binary(max_size=60),
    some.text(max_size=40).map(str.encode),
    some.sampled_from(
        [
            b"", b"\0ann@example.org\0secret", b"ann@example.org", b"secret", b"n,,n=ann@example.org,r=12345678",
            b"p=tls-exporter,,n=ann@example.org,r=12345678", b"c=biws,r=12345678,p=AAAA", b"\x01",
            b"n,a=ann@example.org,\x01auth=Bearer x\x01\x01", b"user=ann@example.org\x01auth=Bearer x\x01\x01",
        ]
    ),
)  # fmt: skip


@given(some.sampled_from(made(Stage()).mechanisms(BOUND)), some.lists(_words, min_size=1, max_size=5))
def test_whatever_a_client_says_has_an_answer(mechanism: str, responses: list[bytes | None]) -> None:
    """A challenge, an account, or a refusal: never anything else, and never somebody who proved nothing."""
    stage = Stage(delay=0.0)
    exchange = made(stage).begin(BOUND, mechanism)
    for place, response in enumerate(responses):
        said = stage.say(exchange, response if place == 0 else response or b"")
        assert isinstance(said, Challenge | Authenticated | Reply)
        if isinstance(said, Authenticated):
            assert said.account == "ann@example.org"
            assert mechanism in ("PLAIN", "LOGIN", "EXTERNAL")
        if not isinstance(said, Challenge):
            break


def test_a_peer_of_a_unix_socket_is_asked_like_others() -> None:
    """It has no address, and is watched all the same."""
    stage = Stage(account_failures=1, domain="example.org")
    authority, peer = made(stage), Peer("", user="ann")
    assert "EXTERNAL" in authority.mechanisms(peer)
    assert stage.say(authority.begin(peer, "EXTERNAL"), b"") == Authenticated("ann@example.org")
    stage.say(authority.begin(peer, "PLAIN"), b"\0bob@example.org\0x")
    assert stage.say(authority.begin(peer, "LOGIN"), b"bob@example.org", b"x") == replies.TOO_MANY_FAILURES
