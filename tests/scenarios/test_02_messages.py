"""Messages from the wild, well formed and not, are carried octet by octet: into a Maildir, and on to a next hop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.client import Client
from tests.kit.contents import assert_carried, crlf
from tests.kit.node import Node, settings
from tests.kit.peers import Peer

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "messages"
FILES = sorted(FOLDER.glob("*.eml"))

ROUTE = """
[[route]]
match = "*"
courier = "smtp"
next_hop = "[127.0.0.1]:{hop}"
"""


@pytest.fixture(scope="module")
def next_hop() -> Iterator[Peer]:
    """Give a next hop that takes everything."""
    with Peer() as peer:
        yield peer


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, next_hop: Peer) -> Iterator[Node]:
    """Give a node that keeps example.org's mail and relays all else to the next hop."""
    node = Node(tmp_path_factory.mktemp("relay") / "node", settings(more=ROUTE.replace("{hop}", str(next_hop.port))))
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.mark.skipif(not FILES, reason=f"there are no messages in {FOLDER}")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_arrives_as_it_was_sent(relay: Node, next_hop: Peer, file: Path) -> None:
    """One transaction, one recipient here and one beyond: both get the same octets below the trace fields."""
    sent = crlf(file.read_bytes())
    before = len(next_hop.arrived)
    with Client(relay.port()) as client:
        client.greet()
        parameters = "" if sent.isascii() else " BODY=8BITMIME"
        heard = client.send(
            "bob@example.net", [f"{file.stem}@example.org", f"{file.stem}@elsewhere.test"], sent, parameters
        )
    assert heard.code == 250, heard
    [arrived] = relay.wait_for(f"{file.stem}@example.org")
    assert_carried(arrived, sent)
    assert_carried(next_hop.wait_for(before + 1)[-1].content, sent)
