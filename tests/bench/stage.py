"""Where servers run side by side: folders, next hops, starting, stopping, and what went wrong."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from attrs import define, evolve, field

from tests.bench.certificate import Certificate
from tests.bench.hops import NextHops
from tests.bench.load import mailboxes
from tests.bench.server import Server
from tests.bench.site import Site

T = TypeVar("T")

_FAILURES = (OSError, AssertionError, subprocess.SubprocessError)
"""What a server that does not do its work looks like from here."""


@define
class Stage:
    """Runs the servers of the lineup."""

    lineup: Sequence[type[Server]]
    folder: Path
    software: Path
    troubles: list[str] = field(factory=list)
    """What servers did not do, and why."""

    @contextlib.contextmanager
    def site(self, name: str, *, has_tls: bool = False) -> Iterator[tuple[NextHops, Sequence[Server]]]:
        """Give next hops that run and servers that do not run yet, in a folder of their own.

        It stays until all is over: ext4 passes by inodes that were deleted within the last minutes, one at a time, and
        whoever makes files in their neighbourhood pays for it with up to half a millisecond each.
        """
        folder = self.folder / name
        folder.mkdir()
        with NextHops(folder) as hops:
            certificate = Certificate.make(folder) if has_tls else None
            site = Site(folder, mailboxes(), hops.addresses, hops.port, hops.resolv_conf, self.software, certificate)
            yield hops, [one(evolve(site, folder=folder / one.name)) for one in self.lineup]

    @contextlib.contextmanager
    def running(self, servers: Iterable[Server]) -> Iterator[list[Server]]:
        """Start servers, give those that greet, and stop all: side by side, since some wait for themselves."""
        launched = [one for one in servers if self.attempt(one, "start", partial(_launched, one))]
        try:
            yield [one for one in launched if self.attempt(one, "start", partial(_awaited, one))]
        finally:
            with ThreadPoolExecutor(len(launched) or 1) as stoppers:
                list(stoppers.map(lambda one: one.stop(), launched))

    def attempt(self, server: Server, what: str, work: Callable[[], T]) -> T | None:
        """Do ``work``; when the server cannot do it, note why and give nothing."""
        try:
            return work()
        except _FAILURES as trouble:
            told = getattr(trouble, "stderr", None) or b""
            why = f"{trouble} {told.decode(errors='replace') if isinstance(told, bytes) else told}"
            self.troubles.append(f"{server.name} did not do {what}: {' '.join(why.split())[-300:]}")
            print(self.troubles[-1], file=sys.stderr)
            return None


def configured(server: Server) -> bool:
    """Write its configuration and do not start it."""
    server.configure()
    return True


def _launched(server: Server) -> bool:
    server.configure()
    server.launch()
    return True


def _awaited(server: Server) -> bool:
    server.wait()
    return True
