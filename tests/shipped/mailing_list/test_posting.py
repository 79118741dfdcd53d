"""What becomes of posts: policies, moderation, loops, and what the list changes."""

import contextlib
import mailbox
import re

from mailnode.shipped.mailing_list.gateway import MailingLists
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.testing.api import MemoryNode
from tests.kit.lists import ANN, BOB, DOMAIN, EVE, NEWS, OWNER, folder, last, lists


def test_strangers_posts_are_returned_held_or_dropped() -> None:
    """As the list says; members and owners may post."""
    returned = lists(members=(ANN,))
    returned.send(EVE, NEWS)
    assert "only members may post" in " ".join(last(returned, EVE).as_string().split())
    dropped = lists(members=(ANN,), strangers="drop")
    dropped.send(EVE, NEWS)
    assert not dropped.mailboxes.kept
    for node in (returned, dropped):
        node.send(ANN, NEWS)
        node.send(OWNER, NEWS)
        assert len(node.mailbox(ANN)) == 2
    anyone = lists(members=(ANN,), post="anyone")
    anyone.send(EVE, NEWS)
    assert len(anyone.mailbox(ANN)) == 1


def test_the_owner_approves_or_rejects() -> None:
    """A held post goes out once when it is approved, never when it is rejected; a second decision is too late."""
    node = lists(members=(ANN,), post="moderated")
    node.send(EVE, NEWS, subject="Please", text="Let me in.")
    notice = last(node, OWNER).get_content()
    assert "Let me in." in notice
    assert notice.count("Subject: Please") == 1
    approve, _ = re.findall(r"news-confirm\S+", notice)
    assert not node.mailbox(ANN)
    node.send(OWNER, approve)
    assert last(node, OWNER)["Subject"] == "post 1 is approved"
    assert last(node, ANN)["Subject"] == "Please"
    node.send(OWNER, approve)
    assert last(node, OWNER)["Subject"] == "nothing was confirmed"
    assert len(node.mailbox(ANN)) == 1
    node.send(EVE, NEWS, subject="Again")
    _, reject = re.findall(r"news-confirm\S+", last(node, OWNER).get_content())
    node.send(OWNER, reject)
    assert last(node, OWNER)["Subject"] == "post 2 is rejected"
    assert len(node.mailbox(ANN)) == 1


def test_a_post_that_has_been_here_goes_back() -> None:
    """Two lists that are members of each other end with one notice, which is a bounce for the other list."""
    settings = {
        "news": ListSettings(members=(f"talk@{DOMAIN}", ANN), post="anyone"),
        "talk": ListSettings(members=(NEWS, BOB), post="anyone"),
    }
    node = MemoryNode(MailingLists(DOMAIN, settings), domain=DOMAIN)
    node.send(EVE, NEWS)
    node.advance("1d")
    assert (len(node.mailbox(ANN)), len(node.mailbox(BOB))) == (1, 1)
    assert not node.mailbox(EVE)
    assert not node.queue()


def test_bounces_and_machines_answers_are_no_posts() -> None:
    """They end at the list, in silence."""
    node = lists(members=(ANN,), post="anyone")
    node.send("", NEWS)
    node.send(EVE, NEWS, extra=[("Auto-Submitted", "auto-replied")])
    assert not node.mailboxes.kept


def test_size_prefix_and_reply_to() -> None:
    """What the list's settings change, and how large a post may be."""
    node = lists(members=(ANN,), subject_prefix="[news]", reply_to="list", max_size=3000)
    node.send(OWNER, NEWS, subject="One", extra=[("Reply-To", EVE)])
    node.send(OWNER, NEWS, subject="Re: [News] One")
    assert [one["Subject"] for one in node.mailbox(ANN)] == ["[news] One", "Re: [News] One"]
    assert last(node, ANN).get_all("Reply-To") == [NEWS]
    node.send(OWNER, NEWS, text="x" * 3000)
    assert len(node.mailbox(ANN)) == 2
    assert "5.3.4" in last(node, OWNER).as_string()


def test_the_archive_is_read_by_mailbox() -> None:
    """Each post once, in the whole file and in the month's, with the lines as they were."""
    node = lists(members=(ANN,))
    for text in ("one\nFrom here on", "two"):
        node.send(OWNER, NEWS, subject=text[:3], text=text)
    archive = folder(node) / "archive" / "news"
    assert sorted(path.name for path in archive.iterdir()) == ["2027-01.mbox", "archive.mbox"]
    for path in archive.iterdir():
        with contextlib.closing(mailbox.mbox(path, create=False)) as box:
            read = list(box)
        assert [one["Subject"] for one in read] == ["one", "two"]
        assert read[0]["List-Id"] == "<news.lists.example>"
        assert read[0]["List-Unsubscribe"] is None


def test_the_author_is_answered_where_he_has_no_reply_to() -> None:
    """A Reply-To of his own stays; several authors are no member."""
    node = lists(members=(ANN,), reply_to="author", strangers="hold")
    node.send(OWNER, NEWS)
    node.send(OWNER, NEWS, extra=[("Reply-To", EVE)])
    assert [one["Reply-To"] for one in node.mailbox(ANN)] == [OWNER, EVE]
    node.send(ANN, NEWS, octets=f"From: {ANN}, {EVE}\r\nSubject: two\r\n\r\nHi\r\n".encode())
    assert last(node, OWNER)["Subject"] == "post 1 of somebody waits for you"
    assert len(node.mailbox(ANN)) == 2
