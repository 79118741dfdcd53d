"""Checkers of twisted.cred, as an application has them."""

from typing import Any

import pytest
from twisted.cred.checkers import (
    AllowAnonymousAccess,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailnode.authentication.checkers import CheckerCredentials, checker_named
from mailnode.interfaces import CredentialsTrouble, Standing
from mailnode.mail.address import Mailbox
from tests.kit.results import now

ANN = Mailbox("ann", "example.org")


class Ours(InMemoryUsernamePasswordDatabaseDontUse):
    """A checker that knows ann."""

    def __init__(self) -> None:
        super().__init__()
        self.addUser(b"ann@example.org", b"secret")


@implementer(ICredentialsChecker)
class Broken:
    """A checker whose database is gone."""

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: object) -> Deferred[bytes | tuple[()]]:
        """Fail."""
        raise ConnectionError


class Fruit:
    """Not a checker."""


def test_a_checker_decides() -> None:
    """It is asked with the full address; its no is a no, its failure is temporary."""
    made: Any = CheckerCredentials(checker_named(f"{__name__}:Ours"))
    assert now(made.verify(ANN, "secret")) is Standing.ACTIVE
    assert now(made.verify(ANN, "wrong")) is Standing.UNKNOWN
    assert now(made.verify(Mailbox("eve", "x.example"), "secret")) is Standing.UNKNOWN
    assert now(made.standing(ANN)) is Standing.ACTIVE
    assert not made.has_verifiers
    with pytest.raises(CredentialsTrouble):
        now(made.verifier(ANN))
    with pytest.raises(CredentialsTrouble, match="ConnectionError"):
        now(CheckerCredentials(Broken()).verify(ANN, "secret"))
    made.close()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nonsense", "package.module:Class"),
        ("no.such.module:It", "cannot be made"),
        ("os:nothing", "cannot be made"),
        (f"{__name__}:Fruit", "ICredentialsChecker"),
        (f"{AllowAnonymousAccess.__module__}:AllowAnonymousAccess", "IUsernamePassword"),
    ],
)
def test_what_is_no_checker_is_named(name: str, why: str) -> None:
    """So that the start stops with a sentence."""
    with pytest.raises(ValueError, match=why):
        checker_named(name)
