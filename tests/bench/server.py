"""One program under test: what the bench asks of it, whichever it is."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.bench.launch import Running
from tests.bench.scenarios import SESSIONS
from tests.bench.site import DOMAIN, Site
from tests.kit.ports import free_port, greets
from tests.kit.waiting import until

START_SECONDS = 20.0


class Server(ABC):
    """A server on a high loopback port, with configuration, queue and mailboxes in a folder of its own."""

    name: ClassVar[str]
    says: ClassVar[str] = ""
    """What it does less or otherwise than the others, for the reader of the table."""
    does: ClassVar[frozenset[str]] = frozenset({"deliver", "relay", "relay-many", "tls", "auth"})
    """Kinds of work it can do: deliver, relay, relay-many, lmtp, tls, auth, queue."""
    needs_root: ClassVar[bool] = True
    """It cannot be started by others."""
    user: ClassVar[str] = ""
    """Whom it runs as and whom its folder belongs to, when not to us."""
    at_once: ClassVar[int] = SESSIONS
    """Sessions that send to it at the same time."""
    most_sessions: ClassVar[int] = 10_000
    """Idle sessions it is asked to hold."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder
        self.port = free_port()
        self.lmtp_port = 0
        """Where it speaks LMTP, if it does."""
        self.submission_port = free_port() if site.certificate else 0
        """Where clients authenticate, once there is a certificate."""
        self.maildirs = site.folder / "mail" / DOMAIN
        self._running: Running | None = None

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell why it cannot be used here; empty when it can."""
        return ""

    @classmethod
    @abstractmethod
    def version(cls, software: Path) -> str:
        """Tell which version it is, for the table; it is there."""

    @property
    def pid(self) -> int:
        """Give the root of its process tree."""
        assert self._running is not None
        return self._running.pid

    def address(self, domain: str, local_part: str) -> str:
        """Give the address to write to for mail that shall go to ``local_part`` at a next hop."""
        return f"{local_part}@{domain}"

    def configure(self) -> None:
        """Make its folder and write its configuration, once."""
        self.maildirs.mkdir(parents=True)
        self.write_configuration()
        if self.user:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self.user, self.user)

    def launch(self) -> None:
        """Start it and do not wait."""
        self._running = Running(self.command(), self.folder / "log", self.view(), self.user)

    def wait(self) -> None:
        """Wait for its greeting, and let it be told what can only be told to one that runs."""
        port = self.port or self.lmtp_port
        until(lambda: self._greets(port), START_SECONDS, lambda: f"{self.name} does not greet: {self.log()}")
        self.settle()

    def settle(self) -> None:  # noqa: B027 - most have nothing of the kind
        """Do what can be done only now that it runs."""

    def stop(self) -> None:
        """End it and all of its processes."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def log(self) -> str:
        """Give the end of what it wrote."""
        log = self.folder / "log"
        return log.read_text(errors="replace")[-1000:] if log.exists() else ""

    def _greets(self, port: int) -> bool:
        assert self._running is not None
        assert self._running.is_alive, f"{self.name} ended: {self.log()}"
        return greets(port)

    @abstractmethod
    def write_configuration(self) -> None:
        """Write its configuration into its folder, which exists."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Give the command that runs it in the foreground."""

    def view(self) -> Mapping[str, Path]:
        """Give places of the machine and what it shall find there instead: at least, our own name server.

        Without it a server that wants its clients' names would ask the machine's, outside the loopback network.
        """
        return {"/etc/resolv.conf": self.site.resolv_conf}
