"""An authority on a clock of its own, and accounts in memory: for tests of who may be who."""

import hashlib
import hmac
from collections.abc import Coroutine
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailnode.accounts.passwords import verifier_of_nobody
from mailnode.authentication.proof import Ground
from mailnode.authentication.settings import AuthSettings
from mailnode.authentication.watch import Watch
from mailnode.interfaces import (
    Authenticated,
    AuthExchange,
    Challenge,
    CredentialsTrouble,
    Refused,
    Standing,
    Verifier,
)
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply

PEER = Peer("192.0.2.1", 4000, "sub", "submission", tls="TLSv1.3")
TRUSTED = "198.51.100.1"
PASSWORDS = {"ann@example.org": "secret", "bob@example.org": "pässword, two=", "old@example.org": "secret"}
"""Who may log in; old@ is disabled."""


class StagedCredentials:
    """Implements interfaces.Credentials; ``fails`` makes it unable to answer, ``waits`` makes it slow."""

    has_verifiers = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails: Exception | None = None
        self.waits: Deferred[None] | None = None

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password."""
        self.asked.append((str(account), password))
        if self.waits is not None:
            await self.waits
        if self.fails is not None:
            raise self.fails
        if PASSWORDS.get(str(account)) != password:
            return Standing.UNKNOWN
        return await self.standing(account)

    async def verifier(self, account: Mailbox) -> Verifier:
        """Make a verifier with few iterations."""
        if self.fails is not None:
            raise self.fails
        password = PASSWORDS.get(str(account))
        if password is None:
            return evolve(verifier_of_nobody(b"secret", str(account)), iterations=4096)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt" * 4, 4096)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        stored = hashlib.sha256(client_key).digest()
        return Verifier(b"salt" * 4, 4096, stored, hmac.digest(salted, b"Server Key", "sha256"))

    async def standing(self, account: Mailbox) -> Standing:
        """Tell how the account stands."""
        if self.fails is not None:
            raise self.fails
        if str(account) not in PASSWORDS:
            return Standing.UNKNOWN
        return Standing.DISABLED if account.local_part == "old" else Standing.ACTIVE

    def close(self) -> None:
        """Nothing to let go of."""


class Stage:
    """A ground to stand on."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.credentials = StagedCredentials()
        self.settings = AuthSettings(**settings)
        self.watch = Watch(self.settings, self.clock, lambda address: address == TRUSTED)
        self.ground = Ground(self.settings, self.credentials, self.watch)

    def result(self, coroutine: Coroutine[Deferred[Any], Any, Any], patience: float = 60.0) -> Any:
        """Run a coroutine to its end, letting time pass; give what it gives, or the reply it refuses with."""
        results: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(results.append)
        until = self.clock.seconds() + patience
        while not results and self.clock.seconds() < until:
            self.clock.advance(0.25)
        assert results, "it still waits"
        (result,) = results
        if isinstance(result, Failure):
            if isinstance(result.value, Refused):
                return result.value.reply
            result.raiseException()
        return result

    def say(self, exchange: AuthExchange, *responses: bytes | None) -> Any:
        """Give the responses one after the other; give what is said to the last."""
        said: Challenge | Authenticated | Reply | None = None
        for response in responses:
            said = self.result(exchange.step(response))
        return said


TROUBLE = CredentialsTrouble("nobody is at home")
