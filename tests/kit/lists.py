"""A node in memory with a mailing list, and the people around it."""

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailnode.shipped.mailing_list.gateway import MailingLists
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.testing.api import MemoryNode, now

DOMAIN = "lists.example"
NEWS = f"news@{DOMAIN}"
ANN, BOB, EVE, OWNER = (f"{name}@home.example" for name in ("ann", "bob", "eve", "owner"))
ZOE = "zoe@far.example"
RELAY = "[gateway.mailinglists.source]\nrelay = true\n"


def lists(*, base_url: str = "", config: str = RELAY, **settings: Any) -> MemoryNode:
    """Make a node with one list, owned by OWNER."""
    made = ListSettings(**{"owners": (OWNER,), **settings})
    return MemoryNode(MailingLists(DOMAIN, {"news": made}, base_url), domain=DOMAIN, config=config)


def last(node: MemoryNode, address: str) -> EmailMessage:
    """Give the newest message in a mailbox."""
    assert node.mailbox(address), f"nothing came for {address}"
    return node.mailbox(address)[-1]


def reply(node: MemoryNode, sender: str, **how: Any) -> None:
    """Answer the newest message as a mail program does."""
    asked = last(node, sender)
    (to,) = re.findall(r"[\w.+-]+@[\w.]+", str(asked["From"]).rpartition("<")[2])
    node.send(sender, to, subject=f"Re: {asked['Subject']}", **how)


def join(node: MemoryNode, *addresses: str) -> None:
    """Let people subscribe and confirm."""
    for one in addresses:
        node.send(one, f"news-subscribe@{DOMAIN}")
        reply(node, one)
        assert last(node, one)["Subject"] == "welcome to news"
        node.mailboxes.kept.clear()


def members(node: MemoryNode) -> dict[str, str]:
    """Give addresses and states."""
    gateway: Any = node.gateway()
    return {one.address: one.state for one in now(gateway._store.who("news", 1000))}


def folder(node: MemoryNode) -> Path:
    """Give the gateway's folder."""
    return node.gateway().node.folder


def archived(node: MemoryNode) -> int:
    """Count the posts in the archive."""
    octets = (folder(node) / "archive" / "news" / "archive.mbox").read_bytes()
    return octets.count(b"\nX-BeenThere: ")
