"""A private RabbitMQ: its own folders, ports, cookie and port mapper, all on 127.0.0.1, gone when the test ends."""

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pika

from tests.kit.ports import free_port
from tests.kit.programs import find, missing, program
from tests.kit.waiting import until

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START = 90.0
"""Seconds that a start may take when the machine is busy; five otherwise."""


class Rabbit:
    """A broker that can be killed and started again over the same files."""

    def __init__(self, folder: Path) -> None:
        if find("rabbitmq-server") is None or not SERVER.exists():
            missing("rabbitmq-server is not installed (Debian package rabbitmq-server)")
        self.folder = folder
        self.port = free_port()
        self._mapper_port, self._node_port = free_port(), free_port()
        self._mapper: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        (folder / "home").mkdir()
        (folder / "rabbitmq.conf").write_text("max_message_size = 1000000\nlog.console = true\nlog.file = false\n")
        (folder / "enabled_plugins").write_text("[].\n")

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        own = {
            "HOME": f"{folder}/home", "RABBITMQ_NODENAME": f"t{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port), "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log", "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/config", "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins", "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_ALLOW_INPUT": "1", "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self._mapper_port),
        }  # fmt: skip
        return {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ")} | own

    def start(self) -> "Rabbit":
        """Start it, and wait until it takes connections."""
        environment = self._environment()
        if self._mapper is None:
            self._mapper = subprocess.Popen(
                [program("epmd"), "-port", str(self._mapper_port), "-address", "127.0.0.1"],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        with (self.folder / "output").open("ab") as output:
            self._server = subprocess.Popen(
                [str(SERVER), "-noinput"], env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, cwd=self.folder,
            )  # fmt: skip
        until(self._is_up, START, self.output)
        return self

    def _is_up(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, self.output()
        with suppress(OSError, pika.exceptions.AMQPError):
            with socket.create_connection(("127.0.0.1", self.port), 1):
                pass
            self.connection().close()
            return True
        return False

    def output(self) -> str:
        """Give what it has said."""
        return (self.folder / "output").read_text(errors="replace")[-3000:]

    def connection(self) -> Any:
        """Connect by pika's blocking client: the other side, not ours."""
        return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port, socket_timeout=5))

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, 9)
            self._server.wait(20)
            self._server = None

    def end(self) -> None:
        """Kill all of it."""
        self.kill()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait(5)
            self._mapper = None
