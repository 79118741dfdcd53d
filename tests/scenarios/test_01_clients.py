"""Programs we did not write hand messages to a node, and every octet lies in the Maildir a moment later."""

import smtplib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.contents import assert_carried, letter
from tests.kit.node import Node
from tests.kit.programs import need_nodemailer, program

pytestmark = pytest.mark.scenario

SENDER = "bob@example.net"
NODEMAILER = Path(__file__).with_name("nodemailer.js")


def with_smtplib(port: int, to: str, file: Path) -> None:
    """Send with Python's own client."""
    with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
        client.sendmail(SENDER, [to], file.read_bytes())


def with_swaks(port: int, to: str, file: Path) -> None:
    """Send with swaks, which puts a line end of its own behind the data."""
    data = file.with_suffix(".swaks")
    data.write_bytes(file.read_bytes().removesuffix(b"\r\n"))
    _run(
        program("swaks"),
        "--server",
        "127.0.0.1",
        "--port",
        str(port),
        "--from",
        SENDER,
        "--to",
        to,
        "--data",
        f"@{data}",
    )


def with_curl(port: int, to: str, file: Path) -> None:
    """Send with curl."""
    url = f"smtp://127.0.0.1:{port}/client.example"
    _run(program("curl"), "-sS", url, "--mail-from", SENDER, "--mail-rcpt", to, "--upload-file", str(file))


def with_msmtp(port: int, to: str, file: Path) -> None:
    """Send with msmtp, which reads lines that end as the system's do."""
    unix = file.read_bytes().replace(b"\r\n", b"\n")
    _run(
        program("msmtp"),
        "--host=127.0.0.1",
        f"--port={port}",
        f"--from={SENDER}",
        "--tls=off",
        "--auth=off",
        to,
        stdin=unix,
    )


def with_nodemailer(port: int, to: str, file: Path) -> None:
    """Send with nodemailer on node."""
    _run(need_nodemailer(), str(NODEMAILER), str(port), SENDER, to, str(file))


def _run(*command: str, stdin: bytes = b"") -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-4000:]


CLIENTS = (with_smtplib, with_swaks, with_curl, with_msmtp, with_nodemailer)


@pytest.mark.parametrize("size", [1000, 70_000, 3_000_000])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__.removeprefix("with_"))
def test_a_client_gets_its_letter_through(
    shared_node: Node, tmp_path: Path, client: Callable[[int, str, Path], None], size: int
) -> None:
    """Small, spilled to a file, and large: what the client sent is what lies in the Maildir."""
    to = f"{client.__name__}.{size}@example.org"
    sent = letter(size, seed=size, to=to)
    file = tmp_path / "letter.eml"
    file.write_bytes(sent)
    client(shared_node.port(), to, file)
    [arrived] = shared_node.wait_for(to)
    assert_carried(arrived, sent)


@pytest.mark.parametrize(
    ("size", "messages"),
    [
        (1000, 200),
        (64_000, 60),
        (66_000, 60),
        (1_000_000, 20),
        (50_000_000, 2),
        pytest.param(50_000_000, 20, marks=pytest.mark.slow),
    ],
)
def test_twenty_sessions_at_once(shared_node: Node, tmp_path: Path, size: int, messages: int) -> None:
    """Postfix's smtp-source sends over 20 sessions at once, and every copy arrives octet by octet."""
    to = f"source.{size}.{messages}@example.org"
    sent = letter(size, seed=size, to=to)
    file = tmp_path / "letter.eml"
    file.write_bytes(sent.replace(b"\r\n", b"\n"))
    _run(
        program("smtp-source"), "-s", str(min(20, messages)), "-m", str(messages), "-f", SENDER, "-t", to, "-F", str(file),
        f"inet:127.0.0.1:{shared_node.port()}",
    )  # fmt: skip
    arrived = shared_node.wait_for(to, messages, seconds=60)
    assert len(arrived) == messages
    for one in arrived:
        assert_carried(one, sent + b"\r\n")  # smtp-source adds an empty line
    for path in (shared_node.maildir(to) / "new").iterdir():
        path.unlink()
