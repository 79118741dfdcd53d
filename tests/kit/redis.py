"""A private Redis: its own folder and port on 127.0.0.1, durable at every write; redis-cli is the other side."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kit.ports import free_port
from tests.kit.programs import program
from tests.kit.waiting import until


class Redis:
    """A server that can be killed and started again over the same files."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> "Redis":
        """Start it, and wait until it answers."""
        command = [
            program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", *self.options,
        ]  # fmt: skip
        with (self.folder / "output").open("ab") as output:
            self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        until(lambda: "PONG" in self.cli("PING", is_json=False) or "NOAUTH" in self.cli("PING", is_json=False), 20,
              lambda: (self.folder / "output").read_text()[-2000:])  # fmt: skip
        return self

    def cli(self, *parts: str, is_json: bool = True) -> Any:
        """Run one command by redis-cli and give its answer."""
        how = ["--json"] if is_json else []
        done = subprocess.run(
            [program("redis-cli"), "-p", str(self.port), *how, *parts], capture_output=True, check=False, timeout=10
        )
        text = done.stdout.decode()
        return json.loads(text) if is_json else text + done.stderr.decode()

    def entries(self, stream: str) -> list[dict[str, str]]:
        """Give the fields of all entries of a stream."""
        return [dict(zip(parts[::2], parts[1::2], strict=True)) for _, parts in self.cli("XRANGE", stream, "-", "+")]

    def pending(self, stream: str, group: str = "mailnode") -> int:
        """Count what is read and not acknowledged."""
        return int(self.cli("XPENDING", stream, group)[0])

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.kill()
            self._server.wait(10)
            self._server = None
