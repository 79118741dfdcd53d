"""The passwords of our own accounts, checked; implements interfaces.Credentials.

A hash costs 25 ms and 19 MiB, so few are computed at a time, and only so many may wait for that; the others are told to
come again. Whoever logged in a moment ago need not pay for it again: of a good password a keyed digest stays in memory for
a while, under a key that is nowhere else, and counts as long as the hash in the file is the one it was good for.
"""

import hmac
import os
from collections import OrderedDict

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorTime

from mailnode.accounts import records
from mailnode.accounts.key import Key, key_of
from mailnode.accounts.passwords import NOBODY, matches, verifier_of_nobody
from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.interfaces import CredentialsTrouble, Disk, Standing, Verifier
from mailnode.mail.address import Mailbox
from mailnode.mail.quantity import Seconds

REMEMBERED = 1000
"""Good passwords that are remembered at most."""
WAITING = 200
"""Checks that may wait for their turn."""


class AccountCredentials:
    """Checks passwords against ``accounts.db``; at most ``at_once`` hashes are computed at a time."""

    has_verifiers = True

    def __init__(
        self, directory: SqliteDirectory, disk: Disk, clock: IReactorTime, *, at_once: int, remember: Seconds
    ) -> None:
        self._directory = directory
        self._disk = disk
        self._clock = clock
        self._turns = DeferredSemaphore(at_once)
        self._remember = remember
        self._key = os.urandom(32)
        self._good: OrderedDict[Key, tuple[float, str, bytes]] = OrderedDict()
        """Until when, for which hash, and the digest."""
        self._secret = b""

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password."""
        key = key_of(account)
        row = await self._directory.run(lambda database: records.password_of(database, key))
        hash_, is_disabled = row or ("", False)
        if not self._was_good(key, hash_, password):
            if not await self._matches(hash_ or NOBODY, password) or not hash_:
                return Standing.UNKNOWN
            self._keep(key, hash_, password)
        return Standing.DISABLED if is_disabled else Standing.ACTIVE

    async def _matches(self, hash_: str, password: str) -> bool:
        if len(self._turns.waiting) >= WAITING:
            raise CredentialsTrouble("too many passwords wait to be checked")
        turn = await self._turns.acquire()
        try:
            return await self._disk.run(lambda: matches(hash_, password))
        finally:
            turn.release()

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode(), "sha256")

    def _was_good(self, key: Key, hash_: str, password: str) -> bool:
        until, good_for, digest = self._good.get(key, (0.0, "", b""))
        is_same = hmac.compare_digest(digest, self._digest(password))
        return is_same and bool(hash_) and good_for == hash_ and self._clock.seconds() < until

    def _keep(self, key: Key, hash_: str, password: str) -> None:
        if not self._remember:
            return
        self._good[key] = (self._clock.seconds() + self._remember, hash_, self._digest(password))
        self._good.move_to_end(key)
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)

    async def verifier(self, account: Mailbox) -> Verifier:
        """Give the account's verifier, or one that no password fits."""
        key = key_of(account)
        found = await self._directory.run(lambda database: records.verifier_of(database, key))
        if not self._secret:
            self._secret = await self._directory.run(records.secret_of)
        return found or verifier_of_nobody(self._secret, str(Mailbox(key[1], key[0])))

    async def standing(self, account: Mailbox) -> Standing:
        """Tell how an account stands."""
        key = key_of(account)
        row = await self._directory.run(lambda database: records.password_of(database, key))
        if row is None:
            return Standing.UNKNOWN
        return Standing.DISABLED if row[1] else Standing.ACTIVE

    def close(self) -> None:
        """Forget what was good."""
        self._good.clear()
