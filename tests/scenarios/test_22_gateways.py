"""A real node with gateways of one's own: one that works both ways, and others that raise, and block the reactor."""

import json
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTP

import pytest

from tests.kit.node import Node
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

EXAMPLE = Path(__file__).parents[2] / "etc" / "gateways" / "notes.py"

BAD = """
import time
from mailnode.gateways.api import Gateway

class Raises(Gateway):
    async def deliver(self, message, recipients):
        raise LookupError("a bug of mine")

class Blocks(Gateway):
    async def deliver(self, message, recipients):
        time.sleep(4)
"""

SETTINGS = f"""
[node]
hostname = "mx.home.example"
data = "{{data}}"

[[listener]]
endpoint = "tcp:{{port:mx}}:interface=127.0.0.1"

[[domain]]
name = "home.example"
accounts = "any"

[gateway.notes]
kind = "{EXAMPLE}:Notes"
folder = "FOLDER"
to = "ann@home.example"
every = "200ms"
[[domain]]
name = "notes.example.org"
courier = "notes"

[gateway.raises]
kind = "bad.py:Raises"
[[domain]]
name = "raises.example"
courier = "raises"

[gateway.blocks]
kind = "bad.py:Blocks"
[[domain]]
name = "blocks.example"
courier = "blocks"
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Start a node with all of them."""
    (tmp_path / "bad.py").write_text(BAD)
    made = Node(tmp_path, SETTINGS.replace("FOLDER", str(tmp_path / "notes")))
    yield made.start()
    made.kill()


def send(node: Node, to: str, text: str = "milk") -> str:
    """Send a message by smtplib; gives its queue id."""
    with SMTP("127.0.0.1", node.port("mx")) as client:
        client.ehlo()
        client.mail("ann@home.example")
        client.rcpt(to)
        code, said = client.data(f"Subject: note\r\n\r\n{text}\r\n")
        assert code == 250, said
        return said.decode().rpartition(" ")[2]


def test_mail_becomes_a_file_and_a_file_becomes_mail(node: Node, tmp_path: Path) -> None:
    """Both ways, over a restart, and the trace tells of it."""
    queue_id = send(node, "shopping@notes.example.org")
    out = tmp_path / "notes" / "out"
    until(lambda: out.is_dir() and any(out.iterdir()), 10, node.log)
    assert "milk" in next(out.iterdir()).read_text()
    node.restart()
    (tmp_path / "notes" / "in" / "shopping.txt").write_text("bought")
    (mail,) = node.wait_for("ann@home.example")
    assert b"bought" in mail
    assert b"From: shopping@notes.example.org" in mail
    assert b"with FILE id" in mail
    steps = node.command("trace", queue_id)
    assert "gateway notes attempt=1 traceparent=00-" in steps
    assert (node.data / "gateways.key").stat().st_mode & 0o777 == 0o600


def test_a_bug_leaves_the_message_with_its_reason(node: Node) -> None:
    """``queue show`` tells what the gateway raised and where; other mail goes on."""
    queue_id = send(node, "x@raises.example")
    send(node, "shopping@notes.example.org")

    def reason() -> str:
        shown = node.command("queue", "show", queue_id, "--json")
        return str(json.loads(shown)["recipients"][0]["last"]) if shown.strip() else ""

    until(lambda: "LookupError in " in reason(), 10, node.log)


def test_who_blocks_the_reactor_is_named(node: Node) -> None:
    """While it lasts, with the line of its code; afterwards all goes on."""
    send(node, "x@blocks.example")
    until(lambda: "gateway blocks blocked the reactor for" in node.log(), 20, node.log)
    log = node.log()
    assert "gateway blocks blocks the reactor for" in log
    assert "time.sleep(4)" in log
    send(node, "eve@home.example")
    node.wait_for("eve@home.example")
