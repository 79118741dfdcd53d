"""Tests of the lists as people see them: subscribe, confirm, post, read, leave, and what strangers and machines get."""

import contextlib
import mailbox
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailnode.interfaces import Refused
from mailnode.shipped.mailing_list.gateway import MailingLists, read_members
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.testing.api import MemoryNode, now

DOMAIN = "lists.example"
NEWS = f"news@{DOMAIN}"
ANN, BOB, EVE, OWNER = (f"{name}@home.example" for name in ("ann", "bob", "eve", "owner"))
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


@pytest.mark.rfc("2369", "3")
@pytest.mark.rfc("2919", "3")
@pytest.mark.rfc("8058", "3.1")
def test_a_confirmed_subscription_gets_posts_with_the_fields_of_lists() -> None:
    """Subscribe, confirm, post: every member has a copy of its own, with its own reverse-path; the body is as it was."""
    node = lists(description="News, of the house", base_url="https://lists.example/x", archive_url="https://a.example/")
    join(node, ANN, BOB)
    node.send(ANN, NEWS, subject="Party", text="At eight.\nFrom me.", files=[])
    copy = last(node, BOB)
    assert copy["Subject"] == "Party"
    assert copy.get_content().splitlines() == ["At eight.", " From me."]
    assert copy["List-Id"] == '"News, of the house" <news.lists.example>'
    assert copy["List-Post"] == f"<mailto:{NEWS}>"
    assert copy["List-Archive"] == "<https://a.example/>"
    assert copy["Precedence"] == "list"
    for name in ("Help", "Subscribe", "Owner"):
        assert copy[f"List-{name}"] == f"<mailto:news-{name.lower()}@{DOMAIN}>"
    assert re.fullmatch(
        r"<https://lists.example/x/unsubscribe/news/2-\w{16}>, <mailto:news-unsubscribe\+2-\w{16}@lists.example>",
        copy["List-Unsubscribe"],
    )
    assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert copy["From"] == ANN
    assert len(node.mailbox(ANN)) == len(node.mailbox(BOB)) == 1
    assert last(node, ANN)["List-Unsubscribe"] != copy["List-Unsubscribe"]
    assert not node.queue()


def test_members_far_away_get_copies_from_addresses_that_name_them() -> None:
    """VERP: the reverse-path is the member's own, and what comes back to it is counted for him."""
    node = lists(members=("zoe@far.example", "yan@far.example"))
    node.send(OWNER, NEWS)
    paths = [str(one.envelope.reverse_path) for one in node.outside.sent]
    assert len(set(paths)) == 2
    assert all(re.fullmatch(r"news-bounces\+[12]-\w{16}@lists.example", one) for one in paths)


def test_without_relay_members_elsewhere_are_refused_and_others_served() -> None:
    """The operator decides whether lists may send into the world; the copy counts as a bounce."""
    node = lists(config="", members=("zoe@far.example", ANN), bounce_threshold=1.0)
    node.send(OWNER, NEWS)
    assert len(node.mailbox(ANN)) == 1
    assert members(node) == {ANN: "active", "zoe@far.example": "disabled"}


def test_nothing_is_kept_before_the_confirmation() -> None:
    """A request writes nothing but the question; the question is a machine's answer with the null reverse-path."""
    node = lists()
    node.send("zoe@far.example", f"news-subscribe@{DOMAIN}")
    (question,) = node.outside.sent
    assert str(question.envelope.reverse_path) == ""
    mail = node.sent()[0]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Subject"] == "confirm subscribe zoe@far.example"
    assert members(node) == {}


def test_members_and_strangers_get_the_same_answers() -> None:
    """Nobody learns from an answer who is a member."""
    node = lists(members=(ANN,))
    said = []
    for one in (ANN, BOB):
        for role in ("subscribe", "unsubscribe"):
            node.send(one, f"news-{role}@{DOMAIN}")
            said.append((one, role, str(last(node, one)["Subject"]), last(node, one).get_content()))
    for role in (0, 1):
        of_member, of_stranger = said[role], said[2 + role]
        assert of_member[2].replace(ANN, BOB) == of_stranger[2]
        plain = [re.sub(r"\+\S+\s*@", "@", one[3].replace(ANN, BOB)) for one in (of_member, of_stranger)]
        assert plain[0] == plain[1]
    reply(node, BOB)
    assert last(node, BOB)["Subject"] == "good-bye from news"


def test_a_confirmation_is_only_good_for_its_address_and_its_time() -> None:
    """Someone else's, an old one and a made-up one change nothing."""
    node = lists(confirm_within=3600.0)
    node.send(ANN, f"news-subscribe@{DOMAIN}")
    confirm = re.findall(r"news-confirm\S+", last(node, ANN).get_content())[0]
    node.send(EVE, confirm, subject="Re: confirm subscribe eve@home.example")
    node.send(EVE, f"news-confirm+s-zzzz-aaaaaaaaaaaaaaaa@{DOMAIN}")
    assert last(node, EVE)["Subject"] == "nothing was confirmed"
    node.advance("3h")
    node.send(ANN, confirm, subject="confirm subscribe ann@home.example")
    assert last(node, ANN)["Subject"] == "nothing was confirmed"
    assert members(node) == {}


def test_an_answer_from_another_mailbox_counts_by_its_subject() -> None:
    """Who reads the question may answer it from elsewhere: the subject names the address."""
    node = lists()
    node.send(ANN, f"news-subscribe@{DOMAIN}")
    question = last(node, ANN)
    node.send(BOB, str(question["From"]).partition("<")[2].rstrip(">"), subject=f"Re: {question['Subject']}")
    assert members(node) == {ANN: "active"}


@pytest.mark.rfc("3834", "2")
@pytest.mark.parametrize(
    "fields", [[("Auto-Submitted", "auto-replied")], [("Precedence", "bulk")], [("List-Id", "<x.y>")]]
)
def test_machines_get_no_answer_and_confirm_nothing(fields: list[tuple[str, str]]) -> None:
    """A vacation program must not subscribe anybody."""
    node = lists()
    node.send(ANN, f"news-help@{DOMAIN}", extra=fields)
    node.send("", f"news-subscribe@{DOMAIN}")
    assert not node.mailboxes.kept
    node.send(ANN, f"news-subscribe@{DOMAIN}")
    reply(node, ANN, extra=fields)
    assert members(node) == {}


def test_nobody_can_be_bombed_with_questions() -> None:
    """An address gets a few answers a day, whoever asks; a new day brings more."""
    node = lists(answers_per_address="2/d")
    for _ in range(20):
        node.send(ANN, f"news-subscribe@{DOMAIN}")
    assert len(node.mailbox(ANN)) == 2
    node.advance("1d")
    node.send(ANN, f"news-subscribe@{DOMAIN}")
    assert len(node.mailbox(ANN)) == 3
    flooded = lists(answers="3/h")
    for number in range(20):
        flooded.send(f"x{number}@far.example", f"news-subscribe@{DOMAIN}")
    assert len(flooded.outside.sent) == 3


def test_addresses_that_no_list_has_are_refused_at_the_door() -> None:
    """At RCPT, with 550 5.1.1."""
    node = lists()
    for address in ("other", "news-x", "news+tag", "news-help+x", "postmasters"):
        with pytest.raises(Refused, match=r"5\.1\.1"):
            node.send(ANN, f"{address}@{DOMAIN}")


@pytest.mark.rfc("2369", "3.2")
def test_the_address_in_a_copy_unsubscribes_at_once() -> None:
    """List-Unsubscribe by mail; whoever has no copy has no such address."""
    node = lists(members=(ANN,))
    node.send(OWNER, NEWS)
    address = last(node, ANN)["List-Unsubscribe"].strip("<>").removeprefix("mailto:")
    node.send(EVE, address.replace("+1-", "+2-"))
    assert members(node) == {ANN: "active"}
    node.send(ANN, address.upper())
    assert members(node) == {}
    assert last(node, ANN)["Subject"] == "good-bye from news"
    assert not node.mailbox(EVE)


def test_commands_may_stand_in_the_subject() -> None:
    """NAME-request@ takes the same commands; what is none gets help."""
    node = lists()
    for subject, answer in (
        ("Subscribe", f"confirm subscribe {ANN}"), ("Re: leave", f"confirm unsubscribe {ANN}"),
        ("who", "how to use news"), (f"add {EVE}", "how to use news"), ("", "how to use news"),
    ):  # fmt: skip
        node.send(ANN, f"news-request@{DOMAIN}", subject=subject)
        assert last(node, ANN)["Subject"] == answer
    assert "news-subscribe@lists.example" in last(node, ANN).get_content()


def test_owners_add_remove_and_ask_who() -> None:
    """Each with a confirmation, which goes to the owner's address; strangers who forge it learn and change nothing."""
    node = lists()
    node.send(OWNER, f"news-request@{DOMAIN}", subject=f"add {EVE}")
    assert members(node) == {}
    reply(node, OWNER)
    assert members(node) == {EVE: "active"}
    node.send(OWNER, f"news-request@{DOMAIN}", subject="who")
    assert f"1 members of {NEWS}:" in last(node, OWNER).get_content()
    assert EVE in last(node, OWNER).get_content()
    node.send(OWNER, f"news-request@{DOMAIN}", subject=f"remove {EVE}")
    reply(node, OWNER)
    assert members(node) == {}


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


@pytest.mark.rfc("3464", "2")
def test_a_dead_member_is_stopped_and_the_owner_told() -> None:
    """Failures for ever count, one a day, until it is enough; then he may come back by subscribing again."""
    node = lists(members=(ANN, "zoe@far.example"), bounce_threshold=2.0)
    node.send(OWNER, NEWS)
    verp = str(node.outside.sent[0].envelope.reverse_path)
    for _ in range(2):
        for _ in range(3):
            node.send("", verp, octets=dsn("5.1.1"))
        node.advance("1d")
    assert members(node) == {ANN: "active", "zoe@far.example": "active"}
    node.send("", verp, octets=dsn("5.1.1"))
    assert members(node) == {ANN: "active", "zoe@far.example": "disabled"}
    assert "550 nobody" in last(node, OWNER).get_content()
    node.outside.sent.clear()
    node.send(OWNER, NEWS)
    assert not node.outside.sent


def test_what_is_no_bounce_of_a_copy_counts_nothing() -> None:
    """Delays, forged tokens, and mail from people."""
    node = lists(members=("zoe@far.example",), bounce_threshold=0.1)
    node.send(OWNER, NEWS)
    verp = str(node.outside.sent[0].envelope.reverse_path)
    node.send("", verp, octets=dsn("4.4.1", action="delayed"))
    node.send("", verp.replace("+1-", "+1-x"), octets=dsn("5.1.1"))
    node.send(EVE, verp, octets=dsn("5.1.1"))
    node.send("", f"news-bounces@{DOMAIN}", octets=dsn("5.1.1"))
    assert members(node) == {"zoe@far.example": "active"}
    node.send("", verp, octets=dsn("4.2.2"))
    assert members(node) == {"zoe@far.example": "disabled"}


def dsn(status: str, action: str = "failed") -> bytes:
    """Write a delivery status notification."""
    return (
        "From: MAILER-DAEMON@far.example\r\nTo: x@y.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n"
        f"Final-Recipient: rfc822; zoe@far.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 nobody\r\n--b--\r\n"
    ).encode()


def test_owners_get_what_is_written_to_them() -> None:
    """As it came; what comes back of it ends at the list."""
    node = lists(owners=(OWNER, "boss@far.example"))
    node.send(EVE, f"news-owner@{DOMAIN}", subject="Hello owner")
    assert last(node, OWNER)["Subject"] == "Hello owner"
    assert str(node.outside.sent[0].envelope.reverse_path) == f"news-bounces@{DOMAIN}"


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
    assert members(node) == {ANN: "active"} or members(node) == {}
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
