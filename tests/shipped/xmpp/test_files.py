"""Tests of files that are linked."""

from pathlib import Path

import pytest

from mailnode.gateways.api import Attachment
from mailnode.shipped.xmpp.files import link_name
from mailnode.shipped.xmpp.gateway import Xmpp
from mailnode.shipped.xmpp.stanzas import read_message
from mailnode.testing.api import MemoryNode
from tests.kit.xmpp_server import XmppServer


def test_files_are_linked(tmp_path: Path) -> None:
    """The body tells where; the folder holds it."""
    gateway = Xmpp(
        jid="mail.example.org",
        password="s",
        attachments="link",
        files_folder=str(tmp_path),
        files_url="https://f.example/",
    )
    node = MemoryNode(gateway, domain="xmpp.example.org")
    server = XmppServer(node.clock).accept()
    node.send(
        "ann@home.example", "bob.chat.example@xmpp.example.org", files=[Attachment("a.PDF", "application/pdf", b"x")]
    )
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == b"x"
    assert f"[a.PDF: https://f.example/{file.name}]" in read_message(server.messages()[0]).body


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.svg", "bin"), ("x.html", "bin"), ("../../b.png", "png"), ("c", "bin")]
)
def test_names_are_harmless(name: str, suffix: str) -> None:
    """No path, and nothing that a web server runs or a browser executes."""
    made = link_name("key", Attachment(name, "a/b", b""))
    assert made.rpartition(".")[2] == suffix
    assert "/" not in made
