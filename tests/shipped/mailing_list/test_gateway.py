"""Tests of the gateway as a whole: its settings, its addresses at the door, its members by setting."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.interfaces import Refused
from mailnode.shipped.mailing_list.gateway import MailingLists, read_members
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.testing.api import MemoryNode, now
from tests.kit.lists import ANN, BOB, DOMAIN, join, lists, members


def test_addresses_that_no_list_has_are_refused_at_the_door() -> None:
    """At RCPT, with 550 5.1.1."""
    node = lists()
    for address in ("other", "news-x", "news+tag", "news-help+x", "postmasters"):
        with pytest.raises(Refused, match=r"5\.1\.1"):
            node.send(ANN, f"{address}@{DOMAIN}")


def test_members_by_setting_stay_away_once_they_have_left(tmp_path: Path) -> None:
    """Settings and files name members; who leaves is not brought back by the next start."""
    file = tmp_path / "members"
    file.write_text(f"# friends\n{BOB}  # Bob\n\n")
    node = lists(members=(ANN,), members_file=str(file))
    assert members(node) == {ANN: "active", BOB: "active"}
    gateway: Any = node.gateway()
    now(gateway._store.leave("news", ANN.upper()))
    now(gateway.start())
    assert members(node) == {BOB: "active"}
    join(node, ANN)
    file.write_text("")
    now(gateway.start())
    assert members(node) == {ANN: "active"}
    file.write_text("nonsense")
    with pytest.raises(ValueError):
        read_members(file)


@pytest.mark.parametrize(
    "settings",
    [
        {"domain": "a b", "lists": {"x": ListSettings()}}, {"domain": DOMAIN, "lists": {}},
        {"domain": DOMAIN, "lists": {"News": ListSettings()}}, {"domain": DOMAIN, "lists": {"a-owner": ListSettings()}},
        {"domain": DOMAIN, "lists": {"x": ListSettings()}, "base_url": "http://x"},
    ],
)  # fmt: skip
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError):
        MailingLists(**settings)


def test_the_configuration_of_the_docstring_is_right() -> None:
    """As an operator would write it."""
    import mailnode.shipped.mailing_list as room

    text = str(room.__doc__).partition("::\n")[2].partition("\n``mailing_list.settings``")[0]
    node = MemoryNode(config="\n".join(line[4:] for line in text.splitlines()))
    node.send("ann@example.org", "news-help@lists.example.org")
    assert node.sent()[0]["Subject"] == "how to use news"
