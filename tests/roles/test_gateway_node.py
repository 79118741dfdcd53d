"""Tests of the node as a gateway sees it; more of it is held by tests/testing."""

from collections.abc import Sequence
from email.message import EmailMessage

import pytest

from mailnode.gateways.api import Draft, Gateway, OutgoingMessage, OutgoingRecipient
from mailnode.testing.api import MemoryNode, now


class Board(Gateway):
    """Takes everything."""

    default_map = ("{name}@board.example <-> {name}",)

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> None:
        """Forget it."""


@pytest.fixture
def node() -> MemoryNode:
    """Make a node with a board."""
    return MemoryNode(Board(), domain="board.example")


def test_octets_are_submitted_as_they_are(node: MemoryNode) -> None:
    """With the sender and recipients of the envelope; our mark and trace go on top."""
    mail = EmailMessage()
    mail["Message-ID"] = "<x@y>"
    mail.set_content("Hi")
    done = node.inject(mail.as_bytes(), sender="bob@board.example", to=("ann@home.example",), protocol="HTTP")
    assert done.message_id == "<x@y>"
    (got,) = node.mailbox("ann@home.example")
    assert got["Message-ID"] == "<x@y>"
    assert str(got["X-Mailnode-Gateway-Hop"]).startswith("board; 0.")


def test_those_who_are_refused_are_named_while_others_get_it(node: MemoryNode) -> None:
    """A bad address among good ones costs nobody else the message."""
    done = node.inject(Draft("bob@board.example", ["ann@home.example", "x@world.example"], "Hi"))
    assert [address for address, _ in done.refused] == ["x@world.example"]
    assert len(node.mailbox("ann@home.example")) == 1


def test_small_values_are_remembered_for_their_time(node: MemoryNode) -> None:
    """The thread of a conversation, for a month or as long as is wanted."""
    own = node.gateway().node
    now(own.remember("thread bob", "<x@y>"))
    now(own.remember("short", "1", keep=10))
    node.advance("1d")
    assert (now(own.recall("thread bob")), now(own.recall("short")), now(own.recall("none"))) == ("<x@y>", "", "")


def test_it_has_a_folder_of_its_own(node: MemoryNode) -> None:
    """Nobody else may look into it."""
    own = node.gateway().node
    assert own.folder.name == "board"
    assert own.folder.stat().st_mode & 0o777 == 0o700


def test_a_message_without_recipients_is_a_fault(node: MemoryNode) -> None:
    """As is an address that is none."""
    with pytest.raises(ValueError, match="recipient"):
        node.inject(b"Subject: x\r\n\r\n", sender="bob@board.example")
    with pytest.raises(ValueError, match="address"):
        node.inject(Draft("bob@board.example", ["no address"], "Hi"))
