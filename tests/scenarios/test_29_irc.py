"""The IRC gateway against ngircd, with a person who has nothing but a socket: both ways, and the server gone for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.home import ANN, HOME, send
from tests.kit.ircd import Ngircd, SocketClient
from tests.kit.node import Node
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

SETTINGS = (
    HOME
    + """
[[domain]]
name = "irc.example"
courier = "irc"

[gateway.irc]
kind = "irc"
endpoint = "tcp:127.0.0.1:IRCPORT"
nick = "mailnode"
channels = ["#ops"]
may_write_to = ["@home.example"]
window = "300ms"
pace = "100ms"
burst = 4

[gateway.irc.queue]
retry = ["1s"]
breaker_pause = "1s"
breaker_longest = "1s"
"""
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Ngircd]:
    """Start an IRC server."""
    made = Ngircd(tmp_path)
    yield made.start()
    made.stop()


@pytest.fixture
def node(tmp_path: Path, server: Ngircd) -> Iterator[Node]:
    """Start a node with its gateway."""
    made = Node(tmp_path / "node", SETTINGS.replace("IRCPORT", str(server.port)))
    yield made.start()
    made.kill()


def test_both_ways_and_nothing_lost_when_the_server_is_gone(node: Node, server: Ngircd) -> None:
    """Mail to a channel and a person, words back into the thread, an outage, somebody who is not there."""
    bob = SocketClient(server.port, "bob")
    bob.join("#ops")
    send(node, "channel.ops@irc.example", "Please look.", Subject="Disk full", Message_ID="<1@home.example>")
    bob.wait_for("PRIVMSG #ops :Please look.")
    bob.send("PRIVMSG #ops :mailnode: I am at it", "PRIVMSG #ops :mailnode: done")
    (mail,) = node.wait_for(ANN)
    assert b"In-Reply-To: <1@home.example>" in mail
    assert b"From: bob <bob@irc.example>" in mail
    assert b"Reply-To: channel.ops@irc.example" in mail
    assert b"I am at it\ndone" in mail
    assert b"with IRC id" in mail
    send(node, "bob@irc.example", "ä" * 600, Subject="=?utf-8?q?=C3=A4?=")
    bob.wait_for("PRIVMSG bob :ää")
    bob.send("PRIVMSG mailnode :to eve@home.example: hello")
    node.wait_for("eve@home.example")
    send(node, "nobody@irc.example", "?", Subject="x")
    assert b"401" in node.wait_for(ANN, 2)[1]

    bob.close()
    server.stop()
    for number in range(5):
        send(node, "channel.ops@irc.example", f"during {number}", Subject="x")
    server.start()
    bob = SocketClient(server.port, "bob")
    bob.join("#ops")
    for number in range(5):
        bob.wait_for(f"during {number}", 40)
    until(lambda: node.command("queue", "list", "--json").strip() in ("", "[]"), 20, node.log)
    assert [bob.count(f"during {number}") for number in range(5)] == [1] * 5
    assert node.stop() == -15
    bob.wait_for("QUIT")
    bob.close()
