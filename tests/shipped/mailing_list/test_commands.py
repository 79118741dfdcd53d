"""Requests by mail: who may ask what, what is answered, and what a confirmation is good for."""

import re

import pytest

from tests.kit.lists import ANN, BOB, DOMAIN, EVE, NEWS, OWNER, last, lists, members, reply


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
    for of_member, of_stranger in zip(said[:2], said[2:], strict=True):
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
