"""Scenarios of the mailnode command with a running node."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.node import Node, settings
from tests.kit.programs import script

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a running node."""
    more = '\n[[route]]\nmatch = "example.net"\nnext_hop = "[127.0.0.1]:1"\n'
    node = Node(tmp_path_factory.mktemp("console") / "node", settings(domains={"example.org": "known"}, more=more))
    try:
        yield node.start()
    finally:
        node.kill()


def test_an_account_counts_at_once(node: Node) -> None:
    """What is added while the node runs gets mail without a restart."""
    node.command("account", "add", "ann@example.org")
    queue_id = node.command(
        "send", "--from", "bob@example.net", "--to", "ann@example.org", stdin=b"Subject: x\n\nhello\n"
    ).strip()
    assert node.wait_for("ann@example.org")[0].endswith(b"\n\nhello\n")
    assert "outcome=delivered" in node.command("trace", queue_id)


def test_a_large_message_goes_through(node: Node) -> None:
    """Content flows in blocks, whatever its size."""
    node.command("account", "add", "large@example.org")
    line = b"x" * 70 + b"\n"
    node.command(
        "send", "--from", "b@example.net", "--to", "large@example.org", stdin=b"Subject: x\n\n" + line * 100_000
    )
    assert node.wait_for("large@example.org")[0].endswith(line * 100_000)


def test_a_message_that_is_too_large_is_refused_before_it_is_sent(node: Node) -> None:
    """The node's words are the command's error, though it did not read the content."""
    done = subprocess.run(
        [script("mailnode"), "send", "--from", "a@b.example", "--to", "ann@example.org", "--config", str(node.configuration)],
        input=b"x\n" * (40 << 20), capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 69
    assert b"552 5.3.4" in done.stderr


def test_the_queue_of_a_running_node_is_looked_at_and_changed(node: Node) -> None:
    """What waits for a dead host is listed, traced, held and removed."""
    queue_id = node.command(
        "send", "--from", "ann@example.org", "--to", "x@example.net", stdin=b"Subject: x\n\nhello\n"
    ).strip()
    listed = [json.loads(line) for line in node.command("queue", "list", "--json").splitlines()]
    assert [entry["queue_id"] for entry in listed] == [queue_id]
    assert node.command("queue", "hold", queue_id) == "1 recipient held\n"
    assert node.command("queue", "release", queue_id) == "1 recipient released\n"
    assert node.command("queue", "remove", queue_id) == "1 recipient removed\n"
    assert node.command("queue", "list") == ""


def test_who_has_read_enough_hears_of_no_trouble(node: Node) -> None:
    """As in ``mailnode queue list | head -1``: a pipe that is closed is no fault of the node's."""
    queue_id = node.command(
        "send", "--from", "ann@example.org", "--to", "y@example.net", stdin=b"Subject: x\n\nhello\n"
    ).strip()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [script("mailnode"), "queue", "list", "--config", str(node.configuration)],
        stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    node.command("queue", "remove", queue_id)
    assert not done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_the_control_socket_is_for_its_owner(node: Node, tmp_path: Path) -> None:
    """Somebody else may not even connect."""
    assert (node.data / "control.sock").stat().st_mode & 0o777 == 0o600
