"""EXTERNAL: what TLS or the kernel has proved before."""

from typing import Any

import pytest
from attrs import evolve

from mailnode.authentication.external import External
from mailnode.interfaces import Authenticated, Challenge
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, TROUBLE, Stage

CERTIFIED = evolve(PEER, certificate_names=("mail.example", "eve@example.net", "Ann@example.org", "bob@example.org"))
LOCAL = evolve(PEER, address="", tls="", user="ann")


@pytest.mark.rfc("4422", "A")
@pytest.mark.parametrize(
    ("peer", "response", "expected"),
    [
        (CERTIFIED, b"", Authenticated("ann@example.org")),
        (CERTIFIED, b"bob@example.org", Authenticated("bob@example.org")),
        (CERTIFIED, b"eve@example.net", replies.CREDENTIALS_INVALID),
        (CERTIFIED, b"old@example.org", replies.CREDENTIALS_INVALID),
        (CERTIFIED, b"rubbish", replies.CREDENTIALS_INVALID),
        (CERTIFIED, b"\xff", replies.CREDENTIALS_INVALID),
        (LOCAL, b"", Authenticated("ann@example.org")),
        (LOCAL, b"ann", Authenticated("ann@example.org")),
        (LOCAL, b"bob", replies.CREDENTIALS_INVALID),
        (evolve(LOCAL, user="root"), b"", replies.CREDENTIALS_INVALID),
        (evolve(PEER, certificate_names=("old@example.org",)), b"", replies.ACCOUNT_DISABLED),
    ],
)
def test_one_may_be_whom_one_has_proved_to_be(peer: Any, response: bytes, expected: Any) -> None:
    """The first account among the names, or the one that is asked for if it is among them."""
    stage = Stage(domain="example.org")
    assert stage.say(External(stage.ground, peer), None) == Challenge(b"")
    assert stage.say(External(stage.ground, peer), response) == expected


def test_trouble_is_temporary() -> None:
    """When nobody knows how the account stands."""
    stage = Stage()
    stage.credentials.fails = TROUBLE
    assert stage.say(External(stage.ground, CERTIFIED), b"") == replies.AUTH_TROUBLE
