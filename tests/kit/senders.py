"""Senders that do not give up: threads that send numbered letters and write down which were acknowledged."""

import re
import threading
from types import TracebackType
from typing import Self

from tests.kit.client import Client

_NUMBER = re.compile(rb"^Message-ID: <letter-(\d+-\d+)@", re.MULTILINE)


def number_of(content: bytes) -> str:
    """Give the number of a letter that arrived."""
    found = _NUMBER.search(content)
    assert found is not None, content[:500]
    return found[1].decode()


class Senders:
    """Some threads that send until told to stop, through every refusal and every broken connection."""

    def __init__(self, port: int, recipient: str, *, threads: int = 4, size: int = 2000) -> None:
        self.acknowledged: set[str] = set()
        """The numbers of the letters that were answered with 250 after the final dot."""
        self.tried = 0
        self._port = port
        self._recipient = recipient
        self._body = b"x" * 70 + b"\r\n"
        self._lines = max(1, size // len(self._body))
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, thread: int) -> None:
        count = 0
        while not self._ended.is_set():
            try:
                with Client(self._port, seconds=10) as client:
                    client.greet()
                    while not self._ended.is_set():
                        count += 1
                        self._send(client, f"{thread}-{count}")
            except (OSError, AssertionError, _Refused):
                self._ended.wait(0.05)

    def _send(self, client: Client, number: str) -> None:
        letter = (
            f"From: sender@example.net\r\nTo: {self._recipient}\r\nSubject: letter {number}\r\n"
            f"Date: Fri, 01 Aug 2025 12:00:00 +0000\r\nMessage-ID: <letter-{number}@example.net>\r\n\r\n"
        ).encode() + self._body * self._lines
        self.tried += 1
        if client.send("sender@example.net", [self._recipient], letter).code != 250:
            raise _Refused
        self.acknowledged.add(number)


class _Refused(Exception):  # noqa: N818 - not an error of the test
    """The server did not take the letter."""
