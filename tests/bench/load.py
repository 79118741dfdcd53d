"""One round of load, from Postfix's smtp-source or with TLS from ours, and waiting until all of it has arrived."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from attrs import frozen

from tests.bench.hops import NextHops
from tests.bench.scenarios import MAILBOXES, Scenario
from tests.bench.server import Server
from tests.bench.site import DEAD, DOMAIN, MANY, PASSWORD, SINK, USER
from tests.kit.programs import find
from tests.kit.waiting import until

_TLS_SOURCE = Path(__file__).with_name("tls_source.py")


@frozen
class Stream:
    """What one smtp-source sends."""

    to: str
    messages: int
    sessions: int = 1
    counts: bool = True
    """It is to arrive; what goes to a dead host is not."""


@frozen
class Load:
    """One scenario's way to send ``messages`` to a server in one round."""

    scenario: Scenario
    hops: NextHops
    messages: int
    patience: float
    """Seconds that a round may take before it has failed."""
    mailboxes: int = MAILBOXES

    @contextlib.contextmanager
    def ready(self, server: Server) -> Iterator[Callable[[], None]]:
        """Give a function that sends a round's messages and returns when the last has arrived where it belongs."""
        streams = [stream for stream in self.streams(server) if stream.messages]
        wanted = self._arrived(server) + sum(stream.messages for stream in streams if stream.counts)
        with self._senders(server, streams) as send:
            yield partial(self._run, server, send, wanted)

    def run(self, server: Server) -> None:
        """Do all of it at once."""
        with self.ready(server) as go:
            go()

    def _run(self, server: Server, send: Callable[[], None], wanted: int) -> None:
        send()
        until(
            lambda: self._arrived(server) >= wanted,
            self.patience,
            lambda: f"{wanted - self._arrived(server)} messages have not arrived",
        )

    def _arrived(self, server: Server) -> int:
        if self.scenario.kind.startswith("relay"):
            return self.hops.messages
        folders = [server.maildirs / box / "new" for box in mailboxes(self.mailboxes)]
        return sum(len(os.listdir(folder)) for folder in folders if folder.is_dir())

    def streams(self, server: Server) -> Sequence[Stream]:
        """Share the messages out."""
        match self.scenario.kind:
            case "relay":
                return [Stream(server.address(SINK, "anyone"), self.messages, server.at_once)]
            case "relay-many":
                shares = zip(MANY, share(self.messages, len(MANY)), strict=True)
                sessions = max(1, server.at_once // len(MANY))
                return [Stream(server.address(hop, "anyone"), n, sessions, hop != DEAD) for hop, n in shares]
            case _:
                shares = zip(mailboxes(self.mailboxes), share(self.messages, self.mailboxes), strict=True)
                return [Stream(f"{box}@{DOMAIN}", n) for box, n in shares]

    def _send(self, server: Server, stream: Stream) -> None:
        how = ["-d"] if self.scenario.keeps_connection else []
        port = server.port
        if self.scenario.kind == "lmtp":
            how, port = [*how, "-L"], server.lmtp_port
        subprocess.run(
            [
                find("smtp-source") or "smtp-source", "-s", str(min(stream.sessions, stream.messages)),
                "-m", str(stream.messages), "-l", str(self.scenario.size), "-f", USER, "-t", stream.to,
                *how, f"inet:127.0.0.1:{port}",
            ],
            check=True, timeout=self.patience, capture_output=True,
        )  # fmt: skip

    @contextlib.contextmanager
    def _senders(self, server: Server, streams: Sequence[Stream]) -> Iterator[Callable[[], None]]:
        if self.scenario.has_tls:
            with subprocess.Popen(
                self._tls_source(server, streams), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as source:
                assert source.stdout is not None
                source.stdout.readline()
                yield partial(_let_go, source, self.patience)
        else:
            with ThreadPoolExecutor(server.at_once) as sessions:
                yield partial(self._send_all, server, streams, sessions)

    def _send_all(self, server: Server, streams: Sequence[Stream], sessions: ThreadPoolExecutor) -> None:
        for _ in sessions.map(partial(self._send, server), streams):
            pass  # what went wrong is raised here

    def _tls_source(self, server: Server, streams: Sequence[Stream]) -> Sequence[str]:
        has_user = self.scenario.kind == "auth"
        order = {
            "port": server.submission_port if has_user else server.port, "size": self.scenario.size,
            "sessions": server.at_once, "sender": USER, "user": USER if has_user else "", "password": PASSWORD,
            "streams": [(stream.to, stream.messages) for stream in streams],
        }  # fmt: skip
        return [sys.executable, "-I", "-S", str(_TLS_SOURCE), json.dumps(order)]


def _let_go(source: subprocess.Popen[bytes], seconds: float) -> None:
    """Let the generator send, and wait until it has; CalledProcessError when it could not."""
    try:
        _, said = source.communicate(b"\n", timeout=seconds)
    except subprocess.TimeoutExpired:
        source.kill()
        raise
    if source.returncode:
        raise subprocess.CalledProcessError(source.returncode, "tls_source", stderr=said)


def share(whole: int, parts: int) -> list[int]:
    """Cut a number into parts that differ by one at most, the larger first."""
    return [whole // parts + (number < whole % parts) for number in range(parts)]


def mailboxes(count: int = MAILBOXES) -> Sequence[str]:
    """Name mailboxes; the round that warms up writes to each, so that making them is not measured."""
    return [f"u{number:02}" for number in range(count)]
