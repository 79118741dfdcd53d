"""PLAIN and LOGIN: what is a proof, and that everything else sounds the same."""

import pytest

from mailnode.authentication.plain import Login, Plain
from mailnode.interfaces import Authenticated, Challenge
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, TROUBLE, Stage

ANN = Authenticated("ann@example.org")


@pytest.mark.rfc("4616", "2")
@pytest.mark.parametrize(
    ("response", "account"),
    [
        (b"\0ann@example.org\0secret", "ann@example.org"),
        (b"ann@example.org\0ANN@Example.org\0secret", "ann@example.org"),
        ("\0bob@example.org\0pässword, two=".encode(), "bob@example.org"),
        ("\0bob@example.org\0pa\u0308ssword, two=".encode(), "bob@example.org"),
    ],
)
def test_a_password_proves_its_account(response: bytes, account: str) -> None:
    """In any spelling; the identity to act as may be said if it is one's own."""
    stage = Stage()
    assert stage.say(Plain(stage.ground, PEER), None) == Challenge(b"")
    assert stage.say(Plain(stage.ground, PEER), response) == Authenticated(account)


@pytest.mark.rfc("4954", "4")
@pytest.mark.parametrize(
    "response",
    [
        b"\0ann@example.org\0wrong",
        b"\0ann@example.org\0",
        b"\0eve@example.org\0secret",
        b"\0ann\0secret",
        b"bob@example.org\0ann@example.org\0secret",
        b"\0ann@example.org\0secret\0more",
        b"\0ann@example.org\0\x07",
        b"",
        b"\0\0",
        b"\xff\0\xfe\0\xfd",
        b"\0" + b"x" * 9000 + b"\0" + b"y" * 9000,
    ],
)
def test_everything_else_hears_the_same(response: bytes) -> None:
    """535 5.7.8, whatever was wrong."""
    stage = Stage()
    assert stage.say(Plain(stage.ground, PEER), response) == replies.CREDENTIALS_INVALID


def test_a_name_that_is_none_is_checked_all_the_same() -> None:
    """So that it takes as long as one that is."""
    stage = Stage()
    for response in (b"\0not an address\0x", b"\0ann@example.org\0", b"eve@x.example\0ann@example.org\0secret"):
        stage.say(Plain(stage.ground, PEER), response)
    assert [account for account, _ in stage.credentials.asked] == ["nobody@invalid"] * 3


@pytest.mark.rfc("5248", "2.4")
def test_a_disabled_account_hears_so_with_its_password_only() -> None:
    """525 5.7.13 for its owner, 535 for others."""
    stage = Stage()
    assert stage.say(Plain(stage.ground, PEER), b"\0old@example.org\0secret") == replies.ACCOUNT_DISABLED
    assert stage.say(Plain(stage.ground, PEER), b"\0old@example.org\0wrong") == replies.CREDENTIALS_INVALID


@pytest.mark.rfc("4954", "6")
def test_trouble_is_temporary() -> None:
    """When nobody can check, it is 454, and no guess; so it is when there is a bug, which is logged."""
    stage = Stage(account_failures=1)
    stage.credentials.fails = TROUBLE
    for _ in range(3):
        assert stage.say(Plain(stage.ground, PEER), b"\0ann@example.org\0secret") == replies.AUTH_TROUBLE
    stage.credentials.fails = None
    assert stage.say(Plain(stage.ground, PEER), b"\0ann@example.org\0secret") == ANN


def test_login_asks_twice() -> None:
    """The name, then the password; an initial response is the name."""
    stage = Stage()
    login = Login(stage.ground, PEER)
    assert stage.say(login, None) == Challenge(b"Username:")
    assert stage.say(login, b"ann@example.org") == Challenge(b"Password:")
    assert stage.say(login, b"secret") == ANN
    assert stage.say(Login(stage.ground, PEER), b"ann@example.org", b"secret") == ANN
    assert stage.say(Login(stage.ground, PEER), b"ann@example.org", b"wrong") == replies.CREDENTIALS_INVALID
    assert stage.say(Login(stage.ground, PEER), b"\xff") == replies.CREDENTIALS_INVALID


def test_a_domain_of_the_settings_completes_names() -> None:
    """Who says only a local part means the domain's."""
    stage = Stage(domain="example.org")
    assert stage.say(Plain(stage.ground, PEER), b"\0ann\0secret") == ANN
