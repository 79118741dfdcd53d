"""A plain SMTP client for tests: says exactly the octets it is told, hears replies, hides nothing."""

import contextlib
import re
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from attrs import frozen


@frozen
class Heard:
    """A reply as it came."""

    code: int
    text: str
    """All lines, code and all, CRLF between them; empty (and code 0) when the connection was closed instead."""

    @property
    def status(self) -> str:
        """Give the enhanced status code, or an empty string."""
        found = re.match(r"\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b", self.text)
        return found[1] if found else ""


CLOSED = Heard(0, "")


class Client:
    """One connection; a context manager."""

    def __init__(self, port: int, *, address: str = "127.0.0.1", source: str = "", seconds: float = 20.0) -> None:
        self.socket = socket.create_connection(
            (address, port), timeout=seconds, source_address=(source, 0) if source else None
        )
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(octets)

    def hear(self) -> Heard:
        """Wait for one reply; CLOSED when there comes none before the end of the connection."""
        lines: list[str] = []
        while True:
            line = self._line()
            if not line:
                return CLOSED
            lines.append(line.decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Heard(int(line[:3]), "\r\n".join(lines))

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            try:
                octets = self.socket.recv(65536)
            except ConnectionError:
                return b""
            if not octets:
                return b""
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def say(self, line: str | bytes) -> Heard:
        """Send one line and wait for the reply to it."""
        self.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.hear()

    def greet(self, name: str = "client.example") -> Heard:
        """Take the greeting and say EHLO; gives the reply to EHLO."""
        greeting = self.hear()
        assert greeting.code == 220, greeting
        return self.say(f"EHLO {name}")

    def begin(self, sender: str, recipients: Sequence[str], parameters: str = "") -> list[Heard]:
        """Say MAIL and all RCPT in one write (RFC 2920); gives their replies."""
        lines = [f"MAIL FROM:<{sender}>{parameters}", *(f"RCPT TO:<{recipient}>" for recipient in recipients)]
        self.write("".join(f"{line}\r\n" for line in lines).encode())
        return [self.hear() for _ in lines]

    def content(self, octets: bytes) -> Heard:
        """Say DATA and, if the server wants it, the content with its dots stuffed; gives the last reply."""
        go = self.say("DATA")
        if go.code != 354:
            return go
        self.write(stuffed(octets) + b".\r\n")
        return self.hear()

    def send(self, sender: str, recipients: Sequence[str], octets: bytes, parameters: str = "") -> Heard:
        """Carry out one mail transaction; gives the reply to the final dot, or the first refusal before."""
        for reply in self.begin(sender, recipients, parameters):
            if reply.code != 250:
                return reply
        return self.content(octets)


def stuffed(octets: bytes) -> bytes:
    """Double the dots at line starts (RFC 5321 section 4.5.2); the content must end with CRLF."""
    stuffed_inside = octets.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed_inside if stuffed_inside.startswith(b".") else stuffed_inside


def send(port: int, sender: str, recipients: Sequence[str], octets: bytes, parameters: str = "") -> Heard:
    """Open a connection, send one message, say QUIT; gives what ``Client.send`` gives."""
    with Client(port) as client:
        client.greet()
        heard = client.send(sender, recipients, octets, parameters)
        with contextlib.suppress(ConnectionError):
            client.say("QUIT")
        return heard
