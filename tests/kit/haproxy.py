"""haproxy in front of a node, speaking its PROXY protocol of version 1 or 2."""

import subprocess
from pathlib import Path
from typing import Literal, Self

from tests.kit.ports import free_port, greets
from tests.kit.programs import program
from tests.kit.waiting import until

_CONFIGURATION = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen mail
    bind 127.0.0.1:{port}
    server node 127.0.0.1:{behind} {how} check {check} inter 200ms
"""

_WAYS = {1: ("send-proxy", "check-send-proxy"), 2: ("send-proxy-v2 proxy-v2-options ssl,unique-id", "check-send-proxy")}


class Haproxy:
    """A context manager: a load balancer in front of the port ``behind``."""

    def __init__(self, folder: Path, behind: int, version: Literal[1, 2]) -> None:
        self.port = free_port()
        how, check = _WAYS[version]
        folder.mkdir()
        self._file = folder / "haproxy.cfg"
        self._file.write_text(_CONFIGURATION.format(port=self.port, behind=behind, how=how, check=check))
        self._log = folder / "log"

    def __enter__(self) -> Self:
        command = [program("haproxy"), "-db", "-f", str(self._file)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: greets(self.port), 10, lambda: f"haproxy does not start:\n{self._log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
