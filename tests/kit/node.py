"""A real node: ``twistd -n mailnode --config F`` in a folder of its own, which never outlives its test."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from tests.kit import proc
from tests.kit.ports import free_port, greets
from tests.kit.programs import find, script
from tests.kit.waiting import until

START_SECONDS = 30.0
"""How long a start may take on a busy machine."""
STOP_SECONDS = 30.0


class Node:
    """A node that is started, watched and killed by a test.

    ``settings`` is the TOML text of its configuration; ``{data}`` and ``{port:NAME}`` in it stand for the node's data
    folder and for a free port, the same one wherever NAME is used.
    """

    def __init__(self, folder: Path, settings: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log_file = folder / "node.log"
        self.configuration = folder / "mailnode.toml"
        self.ports: dict[str, int] = {}
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(settings)

    def configure(self, settings: str) -> None:
        """Write the configuration; it counts from the next start (or SIGHUP) on."""
        text = settings.replace("{data}", str(self.data))
        self.configuration.write_text(re.sub(r"\{port:(\w+)\}", lambda found: str(self.port(found[1])), text))

    def port(self, name: str = "mx") -> int:
        """Give the port that ``{port:NAME}`` stands for."""
        if name not in self.ports:
            self.ports[name] = free_port()
        return self.ports[name]

    @property
    def pid(self) -> int:
        """Give the process id."""
        assert self._process is not None, "the node was not started"
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait_for: Iterable[str] | None = None) -> "Node":
        """Start it, then wait until it greets on the ports named in ``wait_for`` (all, if not given)."""
        assert not self.is_alive, "the node runs already"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*_tied_to_us(), script("twistd"), "--pidfile=", "-n", "mailnode", "--config", str(self.configuration)],
                cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        for name in list(self.ports) if wait_for is None else wait_for:
            until(partial(self._greets, self.ports[name]), START_SECONDS, lambda: f"no 220; log:\n{self.log()}")
        return self

    def _greets(self, port: int) -> bool:
        assert self.is_alive, f"the node ended; log:\n{self.log()}"
        return greets(port)

    def kill(self) -> None:
        """End it as a power failure would: SIGKILL to it and to all its children."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        """End it politely with SIGTERM and give the exit status; an AssertionError if it does not obey in time.

        twistd ends itself with the very signal once all is stopped, so the status is -15.
        """
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM was not obeyed; log:\n{self.log()}") from None

    def restart(self) -> "Node":
        """Stop it politely and start it again, on the same ports and data."""
        self.stop()
        return self.start()

    def signal(self, number: int) -> None:
        """Send a signal to the main process."""
        os.kill(self.pid, number)

    def log(self) -> str:
        """Give all that it wrote to its standard output and error."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def maildir(self, address: str) -> Path:
        """Give the folder of a mailbox; it may not exist yet."""
        local_part, _, domain = address.rpartition("@")
        return self.data / "mail" / domain / local_part

    def names(self, address: str) -> list[str]:
        """List the file names of the messages in a mailbox, by age."""
        folder = self.maildir(address)
        return sorted(name for part in ("new", "cur") if (folder / part).is_dir() for name in os.listdir(folder / part))

    def messages(self, address: str) -> list[bytes]:
        """Give the messages in a mailbox, by age."""
        folder = self.maildir(address)
        files = [file for part in ("new", "cur") for file in (folder / part).glob("*")]
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]

    def wait_for(self, address: str, count: int = 1, seconds: float = 20.0) -> list[bytes]:
        """Wait until ``count`` messages (or more) are in a mailbox, and give them."""
        until(
            lambda: len(self.names(address)) >= count,
            seconds,
            lambda: f"{len(self.names(address))} of {count} messages for {address}; log:\n{self.log()[-8000:]}",
        )
        return self.messages(address)

    def command(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        """Run ``mailnode ARGUMENTS --config F`` and give what it prints on standard output."""
        done = subprocess.run(
            [script("mailnode"), *arguments, "--config", str(self.configuration)],
            input=stdin, capture_output=True, timeout=60, check=False, cwd=self.folder,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"exit {done.returncode}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode()

    def cpu_seconds(self) -> float:
        """Give the processor time of the node and its children so far."""
        return proc.cpu_seconds(self.pid)

    def memory(self) -> int:
        """Give the octets of memory (PSS) that the node and its children use now."""
        return proc.memory(self.pid)


def _tied_to_us() -> list[str]:
    """Let the kernel kill the node should the test process die without cleaning up."""
    setpriv = find("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def settings(*, hostname: str = "mx.example.org", domains: Mapping[str, str] | None = None, more: str = "") -> str:
    """Write a configuration with one plain SMTP listener and some domains, each with its ``accounts`` setting."""
    text = f"""
[node]
hostname = "{hostname}"
data = "{{data}}"

[[listener]]
name = "mx"
service = "smtp"
endpoint = "tcp:{{port:mx}}:interface=127.0.0.1"
tls = "none"
"""
    for domain, accounts in (domains if domains is not None else {"example.org": "any"}).items():
        text += f'\n[[domain]]\nname = "{domain}"\ncourier = "maildir"\naccounts = "{accounts}"\n'
    return text + more
