"""What every mechanism does around its own octets: open an attempt, end it well or badly, and look at the account.

``Ground`` is what the mechanisms stand on. ``guarded`` keeps the promise that whatever goes wrong in a step becomes a
reply: trouble with whoever knows the passwords is 454 and does not count as a guess, and so is a bug of ours.
"""

from collections.abc import Awaitable

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailnode.authentication.names import account_named
from mailnode.authentication.settings import AuthSettings
from mailnode.authentication.watch import Attempt, Watch
from mailnode.interfaces import (
    Authenticated,
    Challenge,
    Credentials,
    CredentialsTrouble,
    Refused,
    Standing,
)
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.mail.saslprep import prepared
from mailnode.smtp import replies

_log = Logger()


@frozen
class Ground:
    """What the mechanisms stand on."""

    settings: AuthSettings
    credentials: Credentials
    watch: Watch

    def account(self, name: str) -> Mailbox | None:
        """Give the account that a name means."""
        return account_named(name, self.settings.domain)

    def acts_as(self, authorization: str, account: Mailbox | None) -> bool:
        """Tell whether the identity to act as is the one that is proved: nobody acts for others here (RFC 4422 3.4.1)."""
        return not authorization or (account is not None and self.account(authorization) == account)


def claimed(name: str, account: Mailbox | None) -> str:
    """Give the name under which failures are counted, which need not be an account's."""
    return str(account) if account is not None else name[:254].lower()


async def guarded(attempt: Attempt, work: Awaitable[Challenge | Authenticated]) -> Challenge | Authenticated:
    """Do a step of an attempt; what goes wrong in it ends the attempt and becomes a reply."""
    try:
        return await work
    except Refused:
        raise
    except CredentialsTrouble as trouble:
        attempt.withdrawn(f"cannot be checked now: {trouble}")
        raise temporary(trouble) from None
    except CancelledError:
        # Who leaves before the answer may have guessed: it counts, and nobody waits for the delay.
        attempt.abandoned()
        raise
    except Exception:  # noqa: BLE001 - a bug of ours must be a 454, never a lost session
        attempt.withdrawn("trouble of ours")
        _log.failure("trouble of ours while authenticating")
        raise Refused(replies.AUTH_TROUBLE) from None


def temporary(trouble: CredentialsTrouble) -> Refused:
    """Write the trouble down and give what the client hears of it."""
    _log.error("Passwords or tokens cannot be checked: {reason}", event="trouble", reason=str(trouble))
    return Refused(replies.AUTH_TROUBLE)


async def settled(attempt: Attempt, account: Mailbox, standing: Standing, *, why: str) -> Authenticated:
    """End an attempt by how the account stands: raises Refused unless it is active."""
    match standing:
        case Standing.ACTIVE:
            attempt.succeeded(str(account))
            return Authenticated(str(account))
        case Standing.DISABLED:
            attempt.withdrawn("the account is disabled")
            raise Refused(replies.ACCOUNT_DISABLED)
        case Standing.UNKNOWN:
            raise await refusal(attempt, why)


async def refusal(attempt: Attempt, why: str) -> Refused:
    """End an attempt as failed; give what to raise, once the client may hear so."""
    await attempt.failed(why)
    return Refused(replies.CREDENTIALS_INVALID)


async def by_password(
    ground: Ground, peer: Peer, mechanism: str, *, name: str, password: str, authorization: str = ""
) -> Authenticated:
    """Prove an account by its password; raises Refused. Names that mean no account take as long as others."""
    account = ground.account(name)
    attempt = await ground.watch.attempt(peer, claimed(name, account), mechanism)
    said = await guarded(attempt, _checked(ground, attempt, account, password, authorization))
    assert isinstance(said, Authenticated)  # noqa: S101 - what ``_checked`` gives
    return said


async def _checked(
    ground: Ground, attempt: Attempt, account: Mailbox | None, password: str, authorization: str
) -> Challenge | Authenticated:
    try:
        password = prepared(password)
    except ValueError:
        account, password = None, "?"
    if not password or not ground.acts_as(authorization, account):
        account, password = None, password or "?"
    asked = account or Mailbox("nobody", "invalid")
    standing = await ground.credentials.verify(asked, password)
    if account is None:
        raise await refusal(attempt, "no such account, or not its own password")
    return await settled(attempt, account, standing, why="no such account, or not its own password")
