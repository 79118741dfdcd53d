"""Postfix's smtp-sink as a next hop: a server that takes everything, speaks SMTP or LMTP, and keeps what it took."""

import os
import shutil
import subprocess
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Self

from tests.kit.ports import free_port, greets
from tests.kit.programs import program
from tests.kit.waiting import until


class Sink:
    """A context manager; ``switches`` are smtp-sink's own (``-L`` for LMTP, ``-8`` for no 8BITMIME)."""

    def __init__(self, folder: Path, *switches: str, socket: Path | None = None, port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._socket = socket
        where = f"inet:127.0.0.1:{self.port}" if socket is None else f"unix:{socket}"
        folder.mkdir()
        as_whom: list[str] = []
        if os.geteuid() == 0:  # smtp-sink does not run as root
            as_whom = ["-u", "nobody"]
            shutil.chown(folder, "nobody")
        self._command = [program("smtp-sink"), *as_whom, *switches, "-d", "message.", where, "100"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        until(self._listens, 10, "smtp-sink does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_for(self, count: int = 1, seconds: float = 20.0) -> list[bytes]:
        """Wait until ``count`` messages (or more) have arrived whole, and give them, by age.

        In front of each stand fields that smtp-sink writes: ``X-Mail-Args``, ``X-Rcpt-Args`` and the like. The content
        must end with a line ``end``, as a letter does.
        """
        until(lambda: len(self._whole()) >= count, seconds, lambda: f"{len(self._whole())} of {count} at the sink")
        return self._whole()

    def _whole(self) -> list[bytes]:
        files = sorted(self.folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        # It puts an empty line behind the content.
        return [octets[:-1] for file in files if (octets := file.read_bytes()).endswith(b"end\n\n")]

    def _listens(self) -> bool:
        if self._socket is not None:
            return self._socket.exists()
        return greets(self.port)


def arguments(message: bytes, command: str) -> list[str]:
    """Give the arguments of ``Mail`` or ``Rcpt`` that smtp-sink heard for a message."""
    fields: Message = message_from_bytes(message)
    return [str(value) for value in fields.get_all(f"X-{command}-Args", [])]


def content(message: bytes) -> bytes:
    """Give what smtp-sink was sent, without the fields that it has put in front."""
    return message.partition(b"Received: ")[2].partition(b"(UTC)\n")[2]
