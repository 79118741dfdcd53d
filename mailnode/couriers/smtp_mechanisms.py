"""SASL as a client: what we answer to each challenge of a mechanism (RFC 4422, RFC 4616, RFC 5802, RFC 7677).

A mechanism is made for one exchange. ``first`` goes out with AUTH; None when the server has to speak first. ``respond``
answers a challenge, and raises ValueError for one that makes no sense: then the exchange is cancelled. ``is_satisfied`` tells
whether we may believe a 235: a server that knows no password can say it too, and with SCRAM it has to prove itself.

SCRAM is the better the more iterations the server wants, and takes as long: ``respond`` runs on a disk thread.
"""

from collections.abc import Collection
from typing import Protocol

from scramp import ScramClient, ScramException

MOST_ITERATIONS = 1_000_000
"""Iterations of SCRAM that we make at most, about half a second of a thread: the server says how many it wants."""


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
    """SCRAM-SHA-256, with channel binding where there is one (RFC 7677, RFC 9266)."""

    def __init__(self, name: str, username: str, password: str, binding: tuple[str, bytes] | None) -> None:
        self.name = name
        self.is_satisfied = False
        try:
            self._client = ScramClient([name], username, password, channel_binding=binding)
        except ScramException as error:
            raise ValueError(str(error)) from None
        self._challenges = 0

    def first(self) -> bytes | None:
        """Give the client's first message."""
        return str(self._client.get_client_first()).encode()

    def respond(self, challenge: bytes) -> bytes:
        """Prove that we know the password, then see that the server does."""
        self._challenges += 1
        try:
            if self._challenges == 1:
                self._client.set_server_first(_bounded(challenge.decode()))
                return str(self._client.get_client_final()).encode()
            self._client.set_server_final(challenge.decode())
        except (ScramException, UnicodeDecodeError) as error:
            raise ValueError(f"within {self.name}: {error}") from None
        self.is_satisfied = True
        return b""


def _bounded(server_first: str) -> str:
    for attribute in server_first.split(","):
        digits = attribute.removeprefix("i=")
        if attribute.startswith("i=") and digits.isdecimal() and (len(digits) > 9 or int(digits) > MOST_ITERATIONS):
            raise ValueError(f"{digits[:20]} iterations are asked for; more than {MOST_ITERATIONS} are not made")
    return server_first


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
