"""Scripted next hops: SMTP servers in threads that refuse, delay, hang, drop, count, and keep what they were given.

They are simple on purpose and share no code with the product: one thread for each connection, blocking sockets.
"""

import contextlib
import enum
import socket
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO, Self

from attrs import field, frozen

from tests.kit.contents import below_trace, digest
from tests.kit.waiting import until


class Trouble(enum.Enum):
    """What a peer may do instead of answering."""

    HANG = "never answers, keeps the connection"
    DROP = "closes the connection"


Answer = str | Trouble | Callable[[str], "str | Trouble"]
"""A reply's text (lines separated by newlines), trouble, or a function of the command line that gives one of them."""

EHLO = "250-peer.example\n250-PIPELINING\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n250 SIZE 104857600"
"""What a peer offers unless told otherwise."""

GOOD: Mapping[str, Answer] = {
    "CONNECT": "220 peer.example ESMTP",
    "EHLO": EHLO,
    "HELO": "250 peer.example",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 go on",
    ".": "250 2.0.0 taken",
    "RSET": "250 2.0.0 OK",
    "NOOP": "250 2.0.0 OK",
    "QUIT": "221 2.0.0 bye",
}
"""The script of a server that takes everything."""


@frozen
class Arrived:
    """One message as a peer got it."""

    sender: str
    """The argument of MAIL, as it came: ``<a@b> BODY=8BITMIME``."""
    recipients: tuple[str, ...]
    """The arguments of those RCPT that were accepted."""
    content: bytes
    """Dots unstuffed."""
    sha256: str = field(init=False)
    """Of the content below the trace fields."""

    @sha256.default
    def _digest(self) -> str:
        return digest(below_trace(self.content))


class Peer:
    """A mail server that plays a script: a context manager, listening from its making on.

    ``script`` maps ``CONNECT``, a verb, or ``.`` (the end of data) to an answer; whatever is not in it is answered
    as a good server would. It may be changed while the peer runs.
    """

    def __init__(
        self, script: Mapping[str, Answer] | None = None, *, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.script: dict[str, Answer] = {**GOOD, **(script or {})}
        self.arrived: list[Arrived] = []
        self.sessions = 0
        self.commands: list[str] = []
        """Every command line of every session."""
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._socket = socket.create_server((address, port), backlog=128)
        self.address, self.port = self._socket.getsockname()[:2]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop all connections."""
        for connection in (self._socket, *list(self._open)):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def wait_for(self, count: int = 1, seconds: float = 20.0) -> list[Arrived]:
        """Wait until ``count`` messages (or more) have arrived, and give all."""
        until(
            lambda: len(self.arrived) >= count, seconds, lambda: f"{len(self.arrived)} of {count} messages at the peer"
        )
        return list(self.arrived)

    def wait_for_command(self, verb: str, seconds: float = 20.0) -> None:
        """Wait until a client has said ``verb``."""
        until(
            lambda: any(line.upper().startswith(verb) for line in list(self.commands)), seconds, f"no {verb} was said"
        )

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.sessions += 1
            threading.Thread(target=self._session, args=(connection,), daemon=True).start()

    def _session(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                _Session(self, connection, lines).run()
        except (OSError, ValueError, _Over):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)


class _Over(Exception):  # noqa: N818 - the session is over, nothing is wrong
    """Ends a session's thread."""


class _Session:
    """One connection to a peer."""

    def __init__(self, peer: Peer, connection: socket.socket, lines: BinaryIO) -> None:
        self._peer = peer
        self._connection = connection
        self._lines = lines
        self._sender = ""
        self._recipients: list[str] = []

    def run(self) -> None:
        """Play the script until the client leaves."""
        self._answer("CONNECT", "")
        while line := self._lines.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self._peer.commands.append(command)
            verb = command[:4].upper()
            positive = self._answer(verb, command)
            if positive:
                self._follow(verb, command.partition(":")[2].strip())
            if verb == "QUIT":
                return

    def _follow(self, verb: str, argument: str) -> None:
        if verb in ("EHLO", "HELO", "RSET", "MAIL"):
            self._sender, self._recipients = argument, []
        elif verb == "RCPT":
            self._recipients.append(argument)
        elif verb == "DATA":
            self._content()

    def _content(self) -> None:
        lines: list[bytes] = []
        while (line := self._lines.readline()) != b".\r\n":
            if not line:
                raise _Over
            lines.append(line[1:] if line.startswith(b".") else line)
        message = Arrived(self._sender, tuple(self._recipients), b"".join(lines))
        if self._answer(".", "", before=lambda: self._peer.arrived.append(message)):
            self._sender, self._recipients = "", []

    def _answer(self, key: str, command: str, before: Callable[[], None] | None = None) -> bool:
        """Say what the script says; a positive reply is preceded by ``before``, so that what was acknowledged is there."""
        answer = self._peer.script.get(key, "500 5.5.1 what?")
        if not isinstance(answer, str | Trouble):
            answer = answer(command)
        if answer is Trouble.HANG:
            while self._connection.recv(65536):
                pass
        if isinstance(answer, Trouble):
            raise _Over
        positive = answer[0] in "23"
        if positive and before is not None:
            before()
        self._connection.sendall(answer.replace("\n", "\r\n").encode() + b"\r\n")
        return positive
