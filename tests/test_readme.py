"""Tests of README's other words: its configuration has no faults, its programs do what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailnode.service.config import parse
from tests.kit.node import Node, settings
from tests.kit.pki import authority

README = (Path(__file__).parents[1] / "README.md").read_text()


def section(title: str) -> str:
    """Give a section of README."""
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    """Give the pieces of code in a section."""
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)


def test_the_mail_host_has_no_faults(tmp_path: Path) -> None:
    """Its configuration is taken as it stands, but for where the files lie."""
    (text,) = blocks("Running a mail host", "toml")
    authority().sign("mx.example.org").write(tmp_path, "cert")
    for told, real in (
        ("/var/lib/mailnode", tmp_path),
        ("/etc/mailnode/cert.pem", tmp_path / "cert.pem"),
        ("/etc/mailnode/key.pem", tmp_path / "cert.key"),
    ):
        text = text.replace(f'"{told}"', f'"{real}"')
    made = parse(text, source="README")
    assert [listener.tls for listener in made.listener] == ["starttls", "implicit"]
    assert made.route[0].tls == "verify"


@pytest.mark.scenario
def test_the_python_call_sends(tmp_path: Path) -> None:
    """With a node and without one: then the next start takes it."""
    (code,) = blocks("Mail from people and programs", "python")
    node = Node(tmp_path, settings(hostname="localhost", domains={"localhost": "any"}))
    code = code.replace('"mailnode-data"', repr(str(node.data)))
    node.start()
    try:
        assert _ran(code).strip()
        node.wait_for("ann@localhost")
        node.stop()
        assert not _ran(code).strip()
        node.start()
        kept = node.wait_for("ann@localhost", 2)
    finally:
        node.kill()
    assert all(b"\nSubject: from Python\n" in message and b"\nDate: " in message for message in kept)


def _ran(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
