"""One round of load from Postfix's smtp-source, and waiting until all of it has arrived."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attrs import frozen

from tests.bench.hops import NextHops
from tests.bench.scenarios import MAILBOXES, Scenario
from tests.bench.server import Server
from tests.bench.site import DEAD, DOMAIN, MANY, SINK
from tests.kit.programs import find
from tests.kit.waiting import until


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

    def run(self, server: Server) -> None:
        """Send a round's messages, and return when the last has arrived where it belongs."""
        streams = [stream for stream in self.streams(server) if stream.messages]
        wanted = self._arrived(server) + sum(stream.messages for stream in streams if stream.counts)
        with ThreadPoolExecutor(server.at_once) as sessions:
            list(sessions.map(partial(self._send, server), streams))
        until(
            lambda: self._arrived(server) >= wanted,
            self.patience,
            lambda: f"{wanted - self._arrived(server)} messages have not arrived",
        )

    def _arrived(self, server: Server) -> int:
        if self.scenario.kind.startswith("relay"):
            return self.hops.messages
        folders = [server.maildirs / box / "new" for box in mailboxes()]
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
                shares = zip(mailboxes(), share(self.messages, MAILBOXES), strict=True)
                return [Stream(f"{box}@{DOMAIN}", n) for box, n in shares]

    def _send(self, server: Server, stream: Stream) -> None:
        how = ["-d"] if self.scenario.keeps_connection else []
        port = server.port
        if self.scenario.kind == "lmtp":
            how, port = [*how, "-L"], server.lmtp_port
        subprocess.run(
            [
                find("smtp-source") or "smtp-source", "-s", str(min(stream.sessions, stream.messages)),
                "-m", str(stream.messages), "-l", str(self.scenario.size), "-f", f"sender@{DOMAIN}", "-t", stream.to,
                *how, f"inet:127.0.0.1:{port}",
            ],
            check=True, timeout=self.patience, capture_output=True,
        )  # fmt: skip


def share(whole: int, parts: int) -> list[int]:
    """Cut a number into parts that differ by one at most, the larger first."""
    return [whole // parts + (number < whole % parts) for number in range(parts)]


def mailboxes() -> Sequence[str]:
    """Name the mailboxes; the round that warms up writes to each, so that making them is not measured."""
    return [f"u{number:02}" for number in range(MAILBOXES)]
