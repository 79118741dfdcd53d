"""Prosody, an XMPP server we did not write, on loopback ports and with a folder of its own; and people who log in to it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.kit.pki import Identity
from tests.kit.ports import free_port
from tests.kit.programs import find, missing, program
from tests.kit.waiting import until

HOST = "chat.example"
COMPONENT = "mail.example.org"
SECRET = "between us"
PASSWORD = "hush"

_SETTINGS = """
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
plugin_paths = {{}}
modules_enabled = {{ "roster", "saslauth", "disco", "ping" }}
modules_disabled = {{ "s2s" }}
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {client} }}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
component_ports = {{ {component} }}
component_interfaces = {{ "127.0.0.1" }}
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
VirtualHost "{host}"
Component "{domain}"
    component_secret = "{secret}"
"""


class Prosody:
    """A server with accounts; use it as a context. With an identity it wants TLS of those who log in."""

    def __init__(self, *accounts: str, identity: Identity | None = None) -> None:
        self._program = program("prosody")
        self.folder = Path(tempfile.mkdtemp(prefix="prosody-"))
        self.client, self.component = free_port(), free_port()
        text = _SETTINGS.format(folder=self.folder, client=self.client, component=self.component, host=HOST,
                                domain=COMPONENT, secret=SECRET)  # fmt: skip
        if identity is not None:
            certificate, key = identity.write(self.folder, "server")
            lines = f'ssl = {{ certificate = "{certificate}", key = "{key}" }}\nc2s_require_encryption = true\n'
            text = lines + text.replace('"disco"', '"disco", "tls"').replace("c2s_require_encryption = false", "")
        (self.folder / "prosody.cfg.lua").write_text(text)
        known = self.folder / "data" / HOST.replace(".", "%2e") / "accounts"
        known.mkdir(parents=True)
        for name in accounts:
            (known / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> Self:
        """Start it, as somebody who is not root, and wait until both ports answer."""
        prefix = []
        if os.geteuid() == 0:  # it refuses to be root
            setpriv = find("setpriv") or missing("setpriv is not installed (Debian package util-linux)")
            prefix = [setpriv, "--reuid=prosody", "--regid=prosody", "--clear-groups"]
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, "prosody", "prosody")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*prefix, self._program, "-F", "--config", str(self.folder / "prosody.cfg.lua")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        for port in (self.client, self.component):
            until(lambda port=port: self._answers(port), 20, lambda: f"no prosody:\n{self.log()}")  # type: ignore[misc]
        return self

    def _answers(self, port: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"prosody ended:\n{self.log()}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return True
        return False

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def log(self) -> str:
        """Give what it wrote."""
        return (self.folder / "log").read_text(errors="replace")


class Person:
    """Somebody who is logged in, by slixmpp in a process of its own; use it as a context."""

    def __init__(self, server: Prosody, name: str, folder: Path) -> None:
        self.jid = f"{name}@{HOST}"
        self._heard = folder / f"{name}.heard"
        with self._heard.open("wb") as heard, (folder / f"{name}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("slixmpp_person.py")), self.jid, PASSWORD, str(server.client)],
                stdin=subprocess.PIPE, stdout=heard, stderr=log,
            )  # fmt: skip
        self.wait("ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Give what came: ``message``, ``receipt``, ``error``, ``info`` or ``ready``."""
        lines = self._heard.read_text().splitlines(keepends=True) if self._heard.exists() else []
        return [one for one in map(json.loads, (line for line in lines if line.endswith("\n"))) if one["kind"] == kind]

    def wait(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many of a kind have come."""
        until(
            lambda: len(self.heard(kind)) >= count, 20,
            lambda: f"{kind}: {self._heard.read_text() if self._heard.exists() else ''}",
        )  # fmt: skip
        return self.heard(kind)

    def say(self, **what: str) -> None:
        """Send a message (``to``, ``body``, ``thread``, ``subject``), or ask for ``info`` of a JID."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
