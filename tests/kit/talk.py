"""A talk over TCP, line by line: sends octets as they are and reads whole replies, however many come together."""

import socket
from types import TracebackType
from typing import Self


class Talk:
    """One connection; a context manager."""

    def __init__(self, port: int, *, address: str = "127.0.0.1", seconds: float = 10.0) -> None:
        self._socket = socket.create_connection((address, port), timeout=seconds)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def write(self, octets: bytes) -> None:
        """Send octets."""
        self._socket.sendall(octets)

    def lines(self, count: int) -> bytes:
        """Read ``count`` lines; fewer when the connection ends before."""
        return b"".join(self._lines.readline() for _ in range(count))

    def reply(self) -> bytes:
        """Read one reply, however many lines it has."""
        said = line = self._lines.readline()
        while line[3:4] == b"-":
            line = self._lines.readline()
            said += line
        return said
