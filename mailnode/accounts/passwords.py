"""What is kept of a password: an argon2id hash (RFC 9106), and a verifier for SCRAM-SHA-256 (RFC 5802, RFC 7677).

The costs: 19 MiB and two passes, about 25 ms; more memory would let a few hundred guesses at once fill a small machine. Of
SCRAM's iterations the client pays for every one at each login, and so a guess at a stolen file costs no more than those.
They are the same for all accounts and are never said to differ, since a number of one's own would tell that there is
an account.

Nothing here may run on the reactor's thread.
"""

import hashlib
import hmac
import os
from functools import cache
from typing import TYPE_CHECKING

from mailnode.interfaces import Verifier

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY = 19_456
"""KiB that one hash needs."""
PASSES = 2
ITERATIONS = 65_536
"""Of SCRAM; RFC 7677 section 4 asks for at least 4096."""
SALT = 16
"""Octets."""

NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$bm8gcGFzc3dvcmQgZ2l2ZXMgdGhpcyBoYXNoLCBvaCE"
"""A hash that no password is known for, of the same cost as every other."""


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # noqa: PLC0415 - only whoever has passwords needs it

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=1)


def hashed(password: str) -> str:
    """Make the argon2id hash, salted anew."""
    return _hasher().hash(password)


def matches(hash_: str, password: str) -> bool:
    """Tell whether the password has this hash; takes as long whatever the answer is."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    try:
        return _hasher().verify(hash_, password)
    except (VerificationError, InvalidHashError):
        return False


def verifier_for(password: str) -> Verifier:
    """Make the verifier of a password, salted anew (RFC 5802 section 3)."""
    salt = os.urandom(SALT)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return Verifier(salt, ITERATIONS, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))


def verifier_of_nobody(secret: bytes, name: str) -> Verifier:
    """Make a verifier that no password fits, the same for a name each time it is asked for."""

    def made(what: str) -> bytes:
        return hmac.digest(secret, f"{what}\0{name}".encode(), "sha256")

    return Verifier(made("salt")[:SALT], ITERATIONS, made("stored key"), made("server key"))
