"""Next hops on the loopback network: smtp-sinks that count what they take, and one host that never says a word."""

import contextlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.site import DEAD, MANY, SINK
from tests.kit.dns import NsdServer
from tests.kit.ports import free_port, greets
from tests.kit.programs import find
from tests.kit.waiting import until

_PID = os.getpid()
_DNS_ADDRESS = f"127.9.{_PID >> 8 & 255}.{_PID & 254 | 1}"
"""Port 53 there; another run of the bench has another one."""


class NextHops:
    """A context manager: they run from entering on."""

    def __init__(self, folder: Path) -> None:
        self.addresses = {SINK: "127.0.1.1", **{hop: f"127.0.1.{10 + n}" for n, hop in enumerate(MANY)}}
        self.port = free_port()
        self.resolv_conf = folder / "resolv.conf"
        """Names a name server that knows them; where none could be started, nobody answers at once."""
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for hop, address in self.addresses.items():
            if hop == DEAD:
                self._stack.enter_context(socket.create_server((address, self.port), backlog=4096))
            else:
                self._start_sink(hop, address)
        self._start_dns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def messages(self) -> int:
        """Count the messages that all of them have taken so far."""
        return sum(map(_count, self._folder.glob("*.counters")))

    def _start_sink(self, hop: str, address: str) -> None:
        as_whom = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [find("smtp-sink") or "smtp-sink", "-c", *as_whom, f"{address}:{self.port}", "1000"]
        with (self._folder / f"{hop}.counters").open("wb") as counters:
            process = subprocess.Popen(command, stdout=counters, stdin=subprocess.DEVNULL)
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        until(lambda: greets(self.port, address), 10, f"smtp-sink does not greet at {address}")

    def _start_dns(self) -> None:
        self.resolv_conf.write_text(f"nameserver {_DNS_ADDRESS}\nlookup file bind\n")
        if not NsdServer.is_installed():
            return
        server = self._stack.enter_context(NsdServer(_DNS_ADDRESS))
        server.port = 53
        hosts = {hop.partition(".")[0]: to for hop, to in self.addresses.items()}
        zone = [f"{host} MX 10 {host}\n{host} A {to}" for host, to in hosts.items()]
        try:
            server.serve(
                {
                    "test": "\n".join([*zone, "bench A 127.0.0.1"]),
                    "127.in-addr.arpa": "* PTR localhost.",
                    "localhost": "@ A 127.0.0.1",
                }
            )
        except (AssertionError, OSError) as trouble:
            print(f"no name server for the next hops, some servers will be slow: {trouble}", file=sys.stderr)


def _count(counters: Path) -> int:
    with counters.open("rb") as file:
        file.seek(max(0, counters.stat().st_size - 200))
        found = re.findall(rb"mesg=(\d+)", file.read())
    return int(found[-1]) if found else 0
