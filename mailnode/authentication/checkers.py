"""Passwords checked by a checker of twisted.cred: whatever an application has already to know its users.

The setting names a class, ``"package.module:Class"``, which is called without arguments and must provide
``ICredentialsChecker`` for ``IUsernamePassword``. It is asked with the full address, in octets. A checker that blocks blocks
the node: that is the checker's to avoid.
"""

from importlib import import_module
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.internet.defer import CancelledError, maybeDeferred

from mailnode.interfaces import CredentialsTrouble, Standing, Verifier
from mailnode.mail.address import Mailbox


def checker_named(name: str) -> Any:
    """Make the checker of ``"package.module:Class"``; ValueError says why there is none."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f'"{name}" is not "package.module:Class"')
    try:
        made = getattr(import_module(module), attribute)()
    except Exception as error:
        raise ValueError(f"{name} cannot be made: {error}") from error
    if not ICredentialsChecker.providedBy(made):
        raise ValueError(f"{name} does not provide twisted.cred.checkers.ICredentialsChecker")
    if not any(wanted.isOrExtends(IUsernamePassword) for wanted in made.credentialInterfaces):
        raise ValueError(f"{name} does not check IUsernamePassword")
    return made


class CheckerCredentials:
    """Asks the checker; implements interfaces.Credentials."""

    has_verifiers = False

    def __init__(self, checker: Any) -> None:
        self._checker = checker

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password."""
        asked = UsernamePassword(str(account).encode(), password.encode())
        try:
            avatar = await maybeDeferred(self._checker.requestAvatarId, asked)
        except (UnauthorizedLogin, LoginFailed):
            return Standing.UNKNOWN
        except CancelledError:
            raise
        except Exception as error:
            raise CredentialsTrouble(f"the checker has failed: {error!r}") from error
        return Standing.ACTIVE if avatar else Standing.UNKNOWN

    async def verifier(self, account: Mailbox) -> Verifier:
        """Not to be asked: a checker knows no verifiers."""
        raise CredentialsTrouble(f"there is no verifier for {account}")

    async def standing(self, account: Mailbox) -> Standing:  # noqa: ARG002 - a checker cannot be asked about a name
        """Believe what other means have proved."""
        return Standing.ACTIVE

    def close(self) -> None:
        """Nothing to let go of."""
