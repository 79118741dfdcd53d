"""Tests of the fan-out: interrupted anywhere, with members who cannot be served, and with an archive that is taken."""

import fcntl
from typing import Any

import pytest

from mailnode.interfaces import Refused
from mailnode.mail.reply import Reply
from mailnode.shipped.mailing_list import fanout
from mailnode.shipped.mailing_list.store import Store
from mailnode.testing.api import MemoryNode
from tests.kit.lists import ANN, BOB, NEWS, OWNER, archived, last, lists, members

PEOPLE = tuple(f"u{number}@home.example" for number in range(50))
BUSY = Reply.of(452, "4.2.2", "mailbox full")


def copies(node: MemoryNode) -> list[int]:
    """Count what each of PEOPLE has got."""
    return [len(node.mailbox(one)) for one in PEOPLE]


class Power:
    """Fails the n-th write of how far a post has got, and the writes of everybody's copies from some place on."""

    def __init__(self, patch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        kept = Store.reached

        async def reached(store: Store, *args: Any) -> None:
            self.left -= 1
            if self.left == 0:
                raise OSError("the disk is gone")
            await kept(store, *args)

        patch.setattr(Store, "reached", reached)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_post_goes_on_and_nobody_gets_it_twice(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Keys make the group harmless that was handed in but not written down."""
    Power(monkeypatch, after)
    node = lists(members=PEOPLE)
    node.send(OWNER, NEWS)
    assert sum(copies(node)) == min(after * fanout.IN_FLIGHT, len(PEOPLE))
    assert "the disk is gone" in node.queue()[0].reason
    node.advance("1h")
    assert copies(node) == [1] * len(PEOPLE)
    assert not node.queue()
    assert archived(node) == 1


def test_a_long_list_is_served_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no time limit ends an attempt in the middle; the next one goes on at once."""
    monkeypatch.setattr(fanout, "SLICE", 0.0)
    node = lists(members=PEOPLE)
    node.send(OWNER, NEWS)
    assert sum(copies(node)) == fanout.IN_FLIGHT
    node.advance("1m")
    assert copies(node) == [1] * len(PEOPLE)
    assert not node.queue()


def refuse(patch: pytest.MonkeyPatch, node: MemoryNode, *whom: str) -> set[str]:
    """Let the node take no copies for some; gives the set, which may be emptied later."""
    left = set(whom)
    kept = node.gateway().node.submit

    async def submit(mail: Any, **how: Any) -> Any:
        if left & set(how.get("to", ())):
            raise Refused(BUSY)
        return await kept(mail, **how)

    patch.setattr(type(node.gateway().node), "submit", staticmethod(submit))
    return left


def test_who_is_late_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full mailbox gets its copy later; the others have theirs at once, and only one."""
    node = lists(members=PEOPLE)
    full = refuse(monkeypatch, node, PEOPLE[3])
    node.send(OWNER, NEWS)
    assert sum(copies(node)) == len(PEOPLE) - 1
    assert "1 members cannot be given their copies now" in node.queue()[0].reason
    full.clear()
    node.advance("1h")
    assert copies(node) == [1] * len(PEOPLE)
    assert not node.queue()


def test_who_is_late_for_a_day_has_bounced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The post is over then, and its author hears nothing of it but the usual word of a delay."""
    node = lists(members=(ANN, BOB), bounce_threshold=0.2)
    refuse(monkeypatch, node, BOB)
    node.send(ANN, NEWS)
    node.advance("2d")
    assert not node.queue()
    assert members(node) == {ANN: "active", BOB: "disabled"}
    assert "refused for now, for a day" in last(node, OWNER).get_content()


def test_a_node_that_takes_nothing_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk makes nobody late and nobody bounce."""
    node = lists(members=PEOPLE)
    full = refuse(monkeypatch, node, *PEOPLE)
    node.send(OWNER, NEWS)
    assert "the node takes no copies: 452" in node.queue()[0].reason
    full.clear()
    node.advance("1h")
    assert copies(node) == [1] * len(PEOPLE)


def test_an_archive_that_is_taken_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves before it is archived."""
    locks = [BlockingIOError()]

    def lockf(*_: Any) -> None:
        if locks:
            raise locks.pop()

    monkeypatch.setattr(fcntl, "lockf", lockf)
    node = lists(members=(ANN,))
    node.send(OWNER, NEWS)
    assert "another program has the archive" in node.queue()[0].reason
    assert not node.mailbox(ANN)
    node.advance("1m")
    assert len(node.mailbox(ANN)) == 1


def test_copies_are_no_flood() -> None:
    """They come of a post that has passed the door; the rate of what comes from outside does not count them."""
    node = lists(members=PEOPLE, config='[gateway.mailinglists.source]\nrate = "1/h"\nrate_per_sender = "1/d"\n')
    node.send(OWNER, NEWS)
    node.send(OWNER, NEWS)
    assert copies(node) == [2] * len(PEOPLE)
