"""The Matrix gateway against Synapse: both ways, and each side gone for a while. Slow, for Synapse must be installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.home import ANN, HOME, send
from tests.kit.node import Node
from tests.kit.ports import free_port
from tests.kit.synapse import SERVER, Synapse, synapse_python
from tests.kit.waiting import until

pytestmark = [pytest.mark.scenario, pytest.mark.slow]

BOB = f"bob@{SERVER}"
SETTINGS = (
    HOME
    + """
[[domain]]
name = "matrix.example"
courier = "matrix"

[gateway.matrix]
kind = "matrix"
homeserver = "http://127.0.0.1:HSPORT"
server_name = "matrix.example"
listen = "tcp:DOORPORT:interface=127.0.0.1"
as_token_file = "FOLDER/as"
hs_token_file = "FOLDER/hs"

[gateway.matrix.queue]
retry = ["1s"]
breaker_pause = "1s"
breaker_longest = "1s"
"""
)


@pytest.fixture
def door() -> int:
    """Choose where the homeserver finds the gateway."""
    return free_port()


@pytest.fixture
def server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, door: int) -> Iterator[Synapse]:
    """Start a homeserver with Bob on it."""
    made = Synapse(tmp_path / "synapse", synapse_python(tmp_path_factory.getbasetemp()), door)
    try:
        made.start().log_in("bob")
        yield made
    finally:
        made.stop()


@pytest.fixture
def node(tmp_path: Path, server: Synapse, door: int) -> Iterator[Node]:
    """Start a node with its gateway."""
    (tmp_path / "as").write_text("the-as-token\n")
    (tmp_path / "hs").write_text("the-hs-token\n")
    settings = SETTINGS.replace("HSPORT", str(server.port)).replace("DOORPORT", str(door))
    made = Node(tmp_path / "node", settings.replace("FOLDER", str(tmp_path)))
    yield made.start()
    made.kill()


def test_both_ways_and_nothing_lost_or_twice(node: Node, server: Synapse) -> None:
    """A thread to and fro, the homeserver gone, the node gone, somebody who is not there, a room that Bob begins."""
    send(node, BOB, "At noon?", Subject="Lunch?", Message_ID="<1@home.example>")
    (room,) = until(server.join_what_invites, 30, node.log)
    first = server.wait_for(room, "At noon?")
    assert first["sender"] == f"@mail_ann=40home.example:{SERVER}"
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": first["event_id"]}}}
    said = server.say(room, "yes, gladly", **reply)
    (mail,) = node.wait_for(ANN)
    assert b"In-Reply-To: <1@home.example>" in mail
    assert b"Subject: Re: Lunch?" in mail
    assert b"with MATRIX id" in mail
    message_id = next(line for line in mail.splitlines() if line.startswith(b"Message-ID:")).split()[1].decode()
    send(node, BOB, "Good.", Subject="Re: Lunch?", In_Reply_To=message_id)
    answer = server.wait_for(room, "Good.")
    assert answer["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] == said
    send(node, f"nobody@{SERVER}", "?", Subject="x")
    assert b"there is no @nobody" in node.wait_for(ANN, 2)[1]

    server.stop()
    for number in range(4):
        send(node, BOB, f"while you were away {number}", Subject="x")
    server.start()
    for number in range(4):
        server.wait_for(room, f"while you were away {number}", 60)

    node.stop()
    for number in range(4):
        server.say(room, f"while the node was away {number}")
    node.start()
    mails = node.wait_for(ANN, 6, 90)
    assert [sum(b"node was away %d" % number in one for one in mails) for number in range(4)] == [1] * 4
    bodies = [one["content"]["body"] for one in server.messages(room)]
    assert [sum(f"you were away {number}" in one for one in bodies) for number in range(4)] == [1] * 4

    eve = f"@mail_eve=40home.example:{SERVER}"
    made = server.ask("POST", "createRoom", {"is_direct": True, "invite": [eve], "preset": "trusted_private_chat"})
    until(lambda: eve in server.ask("GET", f"rooms/{made['room_id']}/joined_members")["joined"], 30, node.log)
    server.say(made["room_id"], "hello Eve")
    (mail,) = node.wait_for("eve@home.example")
    assert b'From: "@bob:matrix.example" <bob@matrix.example>' in mail
