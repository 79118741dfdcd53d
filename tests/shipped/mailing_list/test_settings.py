"""Tests of the settings of lists, and of the example that shows them all."""

import re
import tomllib
from pathlib import Path

import attrs

from mailnode.shipped.mailing_list.gateway import MailingLists
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.testing.api import MemoryNode
from tests.kit.lists import NEWS

EXAMPLE = (Path(__file__).parents[3] / "etc" / "gateways" / "lists.toml").read_text()


def test_the_example_shows_every_key_with_its_default() -> None:
    """Whoever reads it has read all; each key has a sentence before it."""
    table = tomllib.loads(EXAMPLE)["gateway"]["lists"]
    shown = table["lists"]["news"]
    assert set(shown) == {one.name for one in attrs.fields(ListSettings)}
    assert set(table) - {"kind", "source"} == {one.name for one in attrs.fields(MailingLists) if one.init}
    node = MemoryNode(config=EXAMPLE)
    gateway = node.gateway()
    assert isinstance(gateway, MailingLists)
    assert gateway.lists["news"] == ListSettings(owners=("ann@example.org",))
    bare = re.findall(r"^(?!#).*\n(\w+) = ", EXAMPLE.partition("[gateway.lists]")[2], re.MULTILINE)
    assert bare == ["kind"]
    node.send("ann@example.org", NEWS.replace("lists.example", "lists.example.org"))
    assert not node.queue()


def test_several_lists_of_one_domain_know_nothing_of_each_other() -> None:
    """Members, tickets and archives are each list's own."""
    settings = {
        "a": ListSettings(members=("ann@home.example",), post="anyone"),
        "b": ListSettings(members=("bob@home.example",), post="anyone"),
    }
    node = MemoryNode(MailingLists("lists.example", settings), domain="lists.example")
    node.send("eve@home.example", "a@lists.example", "b@lists.example", subject="both")
    copies = [node.mailbox(f"{name}@home.example") for name in ("ann", "bob")]
    assert [one["List-Id"] for (one,) in copies] == ["<a.lists.example>", "<b.lists.example>"]
    ours = re.findall(r"<mailto:([^>]+)>", copies[0][0]["List-Unsubscribe"])[0]
    node.send("ann@home.example", ours.replace("a-", "b-", 1))
    node.send("eve@home.example", "a@lists.example", "b@lists.example")
    assert [len(node.mailbox(f"{name}@home.example")) for name in ("ann", "bob")] == [2, 2]
