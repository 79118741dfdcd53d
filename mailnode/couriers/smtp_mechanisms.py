"""SASL as a client: what we answer to each challenge of a mechanism (RFC 4422, RFC 4616, RFC 5802, RFC 7677).

A mechanism is made for one exchange. ``first`` goes out with AUTH; None when the server has to speak first. ``respond``
answers a challenge, and raises ValueError for one that makes no sense: then the exchange is cancelled. ``is_satisfied`` tells
whether we may believe a 235: a server that knows no password can say it too, and with SCRAM it has to prove itself.

SCRAM is the better the more iterations the server wants, and takes as long: ``respond`` runs on a disk thread.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Collection
from hashlib import pbkdf2_hmac, sha256
from hmac import compare_digest, digest
from secrets import token_urlsafe
from typing import Protocol

from mailnode.mail.saslprep import prepared

MOST_ITERATIONS = 1_000_000
"""Iterations of SCRAM that we make at most, about half a second of a thread: the server says how many it wants."""


_SERVER_FIRST = re.compile(
    r"r=([!-+\--~]{1,1000}),s=([A-Za-z0-9+/]{1,1000}={0,2}),i=([1-9][0-9]{0,30})(?:,[!-~]*)?", re.ASCII
)
"""RFC 5802 section 7: a comma ends a value; extensions that we need not know may follow."""


class Mechanism(Protocol):
    """One exchange."""

    name: str
    is_satisfied: bool

    def first(self) -> bytes | None:
        """Give what goes out with AUTH."""
        ...

    def respond(self, challenge: bytes) -> bytes:
        """Answer; ValueError for a challenge that makes no sense. May take long."""
        ...


class Plain:
    """PLAIN: name and password in one message (RFC 4616)."""

    name = "PLAIN"
    is_satisfied = True

    def __init__(self, username: str, password: str) -> None:
        self._message = f"\0{username}\0{password}".encode()

    def first(self) -> bytes | None:
        """Give everything."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """Give it to a server that did not take it with AUTH, and asks with nothing."""
        if challenge:
            raise ValueError("a challenge within PLAIN")
        return self._message


class Login:
    """LOGIN: the name, then the password, whatever the server calls them."""

    name = "LOGIN"
    is_satisfied = True

    def __init__(self, username: str, password: str) -> None:
        self._answers = [username.encode(), password.encode()]

    def first(self) -> bytes | None:
        """Wait to be asked."""
        return None

    def respond(self, _challenge: bytes) -> bytes:
        """Give the next of the two."""
        if not self._answers:
            raise ValueError("a third question within LOGIN")
        return self._answers.pop(0)


class Scram:
    """SCRAM-SHA-256, with channel binding where there is one (RFC 5802 section 3, RFC 7677, RFC 9266)."""

    def __init__(
        self, name: str, username: str, password: str, binding: tuple[str, bytes] | None, nonce: str = ""
    ) -> None:
        """Begin; ValueError for a name or password that SASLprep forbids. ``nonce`` is made unless it is given."""
        self.name = name
        self.is_satisfied = False
        self._password = prepared(password).encode()
        self._nonce = nonce or token_urlsafe(18)
        escaped = prepared(username).replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={escaped},r={self._nonce}"
        self._header, bound = _gs2(name, binding)
        self._bound = b64encode(self._header.encode() + bound).decode()
        self._signature = b""

    def first(self) -> bytes | None:
        """Give the client's first message."""
        return f"{self._header}{self._bare}".encode()

    def respond(self, challenge: bytes) -> bytes:
        """Prove that we know the password, then see that the server does."""
        try:
            return self._check(challenge) if self._signature else self._prove(challenge.decode())
        except ValueError as error:
            raise ValueError(f"within {self.name}: {error}") from None

    def _prove(self, server_first: str) -> bytes:
        nonce, salt, iterations = _server_first(server_first)
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ValueError("the nonce is not one of ours, made longer")
        salted = pbkdf2_hmac("sha256", self._password, salt, iterations)
        client_key = digest(salted, b"Client Key", "sha256")
        without_proof = f"c={self._bound},r={nonce}"
        said = f"{self._bare},{server_first},{without_proof}".encode()
        mask = digest(sha256(client_key).digest(), said, "sha256")
        proof = bytes(one ^ other for one, other in zip(client_key, mask, strict=True))
        self._signature = digest(digest(salted, b"Server Key", "sha256"), said, "sha256")
        return f"{without_proof},p={b64encode(proof).decode()}".encode()

    def _check(self, server_final: bytes) -> bytes:
        if not compare_digest(server_final.partition(b",")[0], b"v=" + b64encode(self._signature)):
            raise ValueError("the server does not show that it knows the password")
        self.is_satisfied = True
        return b""


def _gs2(name: str, binding: tuple[str, bytes] | None) -> tuple[str, bytes]:
    """Give the header that says what we know of channel binding, and the data it binds to (RFC 5802 section 6)."""
    if binding is None:
        return "n,,", b""
    # "y": we could bind, and the server does not offer it; if it does, somebody has changed what it said.
    return (f"p={binding[0]},,", binding[1]) if name.endswith("-PLUS") else ("y,,", b"")


def _server_first(text: str) -> tuple[str, bytes, int]:
    """Read nonce, salt and iterations; ValueError for anything else, and for work without end."""
    found = _SERVER_FIRST.fullmatch(text)
    if found is None:
        raise ValueError("the first message of the server cannot be read")
    iterations = int(found[3])
    if iterations > MOST_ITERATIONS:
        raise ValueError(f"{iterations} iterations are asked for; more than {MOST_ITERATIONS} are not made")
    return found[1], b64decode(found[2], validate=True), iterations


def choose(
    offered: Collection[str], username: str, password: str, binding: tuple[str, bytes] | None
) -> Mechanism | None:
    """Take the best that is offered: passwords are shown only to a server that wants them so; ValueError for a bad name."""
    if binding is not None and "SCRAM-SHA-256-PLUS" in offered:
        return Scram("SCRAM-SHA-256-PLUS", username, password, binding)
    if "SCRAM-SHA-256" in offered:
        return Scram("SCRAM-SHA-256", username, password, binding)
    if "PLAIN" in offered:
        return Plain(username, password)
    return Login(username, password) if "LOGIN" in offered else None
