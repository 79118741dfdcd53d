"""Passwords checked by PAM, for the users of this machine (pamela; an extra).

The user is the account's local part. Most modules need root or a helper of their own to read what they compare with.
PAM waits a while after a failure by itself; it does so on a thread, a few at a time.
"""

import pwd
from importlib import import_module
from types import ModuleType

from twisted.internet.defer import DeferredSemaphore

from mailnode.interfaces import CredentialsTrouble, Disk, Standing, Verifier
from mailnode.mail.address import Mailbox

_OURS_TO_MEND = frozenset({3, 4, 5, 9, 26, 28})
"""PAM_SERVICE_ERR, SYSTEM_ERR, BUF_ERR, AUTHINFO_UNAVAIL, ABORT, MODULE_UNKNOWN of Linux-PAM: not the user's fault."""


def the_library() -> ModuleType:
    """Import pamela; ValueError when it is not installed or finds no libpam."""
    try:
        return import_module("pamela")
    except (ImportError, OSError) as error:
        raise ValueError(f'"pam" needs pamela: pip install "mailnode[pam]" ({error})') from None


class PamCredentials:
    """Asks PAM; implements interfaces.Credentials."""

    has_verifiers = False

    def __init__(self, service: str, disk: Disk, *, at_once: int) -> None:
        self._service = service
        self._disk = disk
        self._turns = DeferredSemaphore(at_once)

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password."""
        turn = await self._turns.acquire()
        try:
            return await self._disk.run(lambda: self._asked(account.local_part, password))
        finally:
            turn.release()

    def _asked(self, user: str, password: str) -> Standing:
        pamela = the_library()
        if "\0" in user or "\0" in password:
            return Standing.UNKNOWN
        try:
            pamela.authenticate(user, password, service=self._service, close=True)
        except pamela.PAMError as error:
            if error.errno in _OURS_TO_MEND:
                raise CredentialsTrouble(f"PAM: {error}") from None
            return Standing.UNKNOWN
        return Standing.ACTIVE

    async def verifier(self, account: Mailbox) -> Verifier:
        """Not to be asked: PAM knows no verifiers."""
        raise CredentialsTrouble(f"there is no verifier for {account}")

    async def standing(self, account: Mailbox) -> Standing:
        """Tell whether there is such a user."""

        def is_known() -> bool:
            try:
                pwd.getpwnam(account.local_part)
            except KeyError:
                return False
            return True

        return Standing.ACTIVE if await self._disk.run(is_known) else Standing.UNKNOWN

    def close(self) -> None:
        """Nothing to let go of."""
