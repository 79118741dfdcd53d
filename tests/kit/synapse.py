"""A real homeserver for tests: Synapse, in an environment of its own, with SQLite, on the loopback network only.

``SYNAPSE_PYTHON`` names a Python that has it; else it is installed by pip, which takes half a minute.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.kit.ports import free_port
from tests.kit.programs import find
from tests.kit.waiting import until

SERVER = "matrix.example"
REGISTRATION = """
id: mail
url: "http://127.0.0.1:{door}"
as_token: "the-as-token"
hs_token: "the-hs-token"
sender_localpart: mail
rate_limited: false
namespaces:
  users: [{{exclusive: true, regex: "@mail_.*:matrix.example"}}]
  aliases: []
  rooms: []
"""
CONFIGURATION = """
server_name: matrix.example
pid_file: {folder}/pid
listeners:
  - {{bind_addresses: ["127.0.0.1"], port: {port}, type: http, tls: false, resources: [{{names: [client]}}]}}
database: {{name: sqlite3, args: {{database: {folder}/synapse.db}}}}
media_store_path: {folder}/media
registration_shared_secret: secret
macaroon_secret_key: secret
form_secret: secret
report_stats: false
signing_key_path: {folder}/signing.key
trusted_key_servers: []
suppress_key_server_warning: true
app_service_config_files: [{folder}/registration.yaml]
bcrypt_rounds: 4
"""


def synapse_python(folder: Path) -> str:
    """Give a Python that has Synapse; it is installed if need be."""
    given = os.environ.get("SYNAPSE_PYTHON", "")
    if given:
        return given
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "matrix-synapse"], check=True, timeout=600)
    return str(python)


class Synapse:
    """The homeserver, and one person on it."""

    def __init__(self, folder: Path, python: str, door: int) -> None:
        self.folder, self.python, self.port = folder, python, free_port()
        folder.mkdir()
        (folder / "registration.yaml").write_text(REGISTRATION.format(door=door))
        (folder / "homeserver.yaml").write_text(CONFIGURATION.format(folder=folder, port=self.port))
        self._run("synapse.app.homeserver", "--generate-keys")
        self._process: subprocess.Popen[bytes] | None = None
        self.token = ""
        self._since = ""

    def _run(self, module: str, *arguments: str) -> None:
        command = [self.python, "-m", module, "-c", str(self.folder / "homeserver.yaml"), *arguments]
        subprocess.run(command, check=True, timeout=60, cwd=self.folder, capture_output=True)

    def start(self) -> "Synapse":
        """Start it."""
        setpriv = find("setpriv")
        front = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        command = [*front, self.python, "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        until(self._answers, 60, lambda: (self.folder / "log").read_text()[-3000:])
        return self

    def _answers(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/_matrix/client/versions"
        with contextlib.suppress(OSError), urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
            self._process.kill()
            self._process.wait()
            self._process = None

    # --- the person

    def log_in(self, name: str) -> None:
        """Make a user, and be him."""
        self._run(
            "synapse._scripts.register_new_matrix_user",
            "-u",
            name,
            "-p",
            "pw",
            "--no-admin",
            f"http://127.0.0.1:{self.port}",
        )
        identifier = {"type": "m.id.user", "user": name}
        body = {"type": "m.login.password", "identifier": identifier, "password": "pw"}
        self.token = self.ask("POST", "login", body)["access_token"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request."""
        request = Request(f"http://127.0.0.1:{self.port}/_matrix/client/v3/{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urlopen(request, None if body is None else json.dumps(body).encode(), timeout=30) as answer:  # noqa: S310 - http://127.0.0.1
                return json.load(answer)
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from error

    def join_what_invites(self) -> list[str]:
        """Follow all invitations; the rooms we are in."""
        # Without "since" Synapse gives the same answer again for two minutes.
        news = self.ask("GET", f"sync?timeout=0{self._since}")
        self._since = f"&since={news['next_batch']}"
        for room in news.get("rooms", {}).get("invite", {}):
            self.ask("POST", f"join/{quote(room)}", {})
        found: list[str] = self.ask("GET", "joined_rooms")["joined_rooms"]
        return found

    def messages(self, room: str) -> list[dict[str, Any]]:
        """Give what was said in a room, the oldest first."""
        chunk = self.ask("GET", f"rooms/{quote(room)}/messages?dir=b&limit=100")["chunk"]
        return [one for one in reversed(chunk) if one["type"] == "m.room.message"]

    def say(self, room: str, text: str, **more: Any) -> str:
        """Say something; the event's id."""
        path = f"rooms/{quote(room)}/send/m.room.message/{time.monotonic_ns()}"
        event: str = self.ask("PUT", path, {"msgtype": "m.text", "body": text, **more})["event_id"]
        return event

    def wait_for(self, room: str, text: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until somebody has said this, and give the event."""
        return until(partial(self._find, room, text), seconds, lambda: f"nobody said {text!r}: {self.messages(room)}")

    def _find(self, room: str, text: str) -> dict[str, Any]:
        return next((one for one in self.messages(room) if text in one["content"].get("body", "")), {})
