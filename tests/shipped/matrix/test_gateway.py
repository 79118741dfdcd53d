"""Tests of the Matrix gateway as a whole, in memory: mail out, events in, trouble of every kind."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.shipped.matrix.gateway import Matrix
from mailnode.testing.api import MemoryNode
from tests.kit.matrix import AS_TOKEN, HS_TOKEN, SERVER, MemoryHomeserver, ask, bring, error

ANN = "ann@home.example"
ANN_THERE = f"@mail_ann=40home.example:{SERVER}"
BOB = f"bob@{SERVER}"
BOB_THERE = f"@bob:{SERVER}"
OPS = f"room.ops@{SERVER}"


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    """Write the tokens into files."""
    for name, token in (("as", AS_TOKEN), ("hs", HS_TOKEN)):
        (tmp_path / name).write_text(f"{token}\n")
    return {"as_token_file": str(tmp_path / "as"), "hs_token_file": str(tmp_path / "hs")}


def both(tokens: dict[str, str], **settings: Any) -> tuple[MemoryNode, MemoryHomeserver]:
    """Make a node and its homeserver."""
    server = MemoryHomeserver()
    chosen = {"homeserver": "http://127.0.0.1:8008", "server_name": SERVER, "listen": "tcp:8009", **tokens, **settings}
    return MemoryNode(Matrix(**chosen), domain=SERVER, http=server), server


def text_event(text: str, event_id: str = "$1", room: str = f"!room1:{SERVER}", **more: Any) -> dict[str, Any]:
    """Make an event of Bob's."""
    told = {"msgtype": "m.text", "body": text, **more}
    return {"type": "m.room.message", "event_id": event_id, "room_id": room, "sender": BOB_THERE, "content": told}


def member(who: str, membership: str, room: str, sender: str = BOB_THERE, **told: Any) -> dict[str, Any]:
    """Make an event of somebody's coming or going."""
    return {
        "type": "m.room.member", "event_id": f"$m{who}{membership}", "room_id": room, "sender": sender, "state_key": who,
        "content": {"membership": membership, **told},
    }  # fmt: skip


# --- out


def test_mail_is_said_in_a_room_for_two(tokens: dict[str, str]) -> None:
    """By a user who stands for the sender; the second mail finds the same room."""
    node, server = both(tokens)
    node.send(ANN, BOB, subject="Lunch?", text="At noon?", sender_name="Ann")
    node.send(ANN, BOB, subject="Lunch?", text="Or one?")
    assert ANN_THERE in server.users
    assert [(one["sender"], one["content"]["body"]) for one in server.events] == [
        (ANN_THERE, "Lunch?\n\nAt noon?"), (ANN_THERE, "Lunch?\n\nOr one?"),
    ]  # fmt: skip
    assert server.rooms_made == 1
    assert not node.queue()


def test_who_is_not_there_bounces(tokens: dict[str, str]) -> None:
    """And our own users are nobody at RCPT."""
    node, _ = both(tokens)
    node.send(ANN, f"nobody@{SERVER}")
    assert "there is no @nobody" in node.mailbox(ANN)[0].as_string()
    with pytest.raises(Exception, match="5"):
        node.send(ANN, f"mail_ann=3D40home.example@{SERVER}")


def test_mail_to_a_room(tokens: dict[str, str]) -> None:
    """Joined by its alias; one that is none bounces."""
    node, server = both(tokens)
    node.send(ANN, OPS, text="Look!", subject="")
    assert server.events[0]["room"] == f"!ops:{SERVER}"
    node.send(ANN, f"room.none@{SERVER}")
    assert "M_NOT_FOUND" in node.mailbox(ANN)[0].as_string()


def test_a_lost_answer_makes_no_second_event(tokens: dict[str, str]) -> None:
    """The transaction id is the idempotency key."""
    node, server = both(tokens)
    node.send(ANN, BOB)
    server.loses_answers = True
    node.send(ANN, BOB, text="twice?")
    assert "the answer was lost" in node.queue()[0].reason
    server.loses_answers = False
    node.advance("1h")
    assert not node.queue()
    assert len(server.events) == 2


def test_a_homeserver_that_wants_us_to_wait(tokens: dict[str, str]) -> None:
    """For as long as it says."""
    node, server = both(tokens)
    node.send(ANN, BOB)
    server.will(error(429, "M_LIMIT_EXCEEDED", retry_after_ms=90_000))
    node.send(ANN, BOB)
    assert 85 < node.queue()[0].due_in < 100
    assert "4.7.28" in node.queue()[0].reason
    node.advance("2m")
    assert len(server.events) == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [(error(401, "M_UNKNOWN_TOKEN"), "4.7.8"), (error(502, ""), "4.4.1"), (ConnectionRefusedError("refused"), "4.4.1")],
)
def test_trouble_that_passes(tokens: dict[str, str], answer: Any, status: str) -> None:
    """Keeps the message waiting."""
    node, server = both(tokens)
    server.will(answer)
    node.send(ANN, BOB)
    assert status in node.queue()[0].reason
    node.advance("1h")
    assert len(server.events) == 1


def test_a_room_that_was_left_is_made_anew(tokens: dict[str, str]) -> None:
    """When we are no longer there, and when the person has gone."""
    node, server = both(tokens)
    node.send(ANN, BOB)
    server.members[f"!room1:{SERVER}"].clear()
    node.send(ANN, BOB)
    assert server.events[1]["room"] == f"!room2:{SERVER}"
    bring(node, "1", member(BOB_THERE, "leave", f"!room2:{SERVER}"))
    node.send(ANN, BOB)
    assert server.events[2]["room"] == f"!room3:{SERVER}"


def test_machines_speak_in_notices(tokens: dict[str, str]) -> None:
    """Which nobody answers."""
    node, server = both(tokens)
    node.send(ANN, BOB, is_automatic=True)
    assert server.events[0]["content"]["msgtype"] == "m.notice"


# --- in


def test_an_answer_becomes_mail_in_its_thread_and_back(tokens: dict[str, str]) -> None:
    """Once, however often it is brought; a reply by mail is a reply there."""
    node, server = both(tokens)
    node.send(ANN, BOB, subject="Lunch?")
    assert bring(node, "1", text_event("yes")) == 200
    assert bring(node, "1", text_event("yes")) == 200
    assert bring(node, "2", text_event("yes")) == 200
    (mail,) = node.mailbox(ANN)
    assert (mail["From"].addresses[0].addr_spec, mail["Subject"]) == (BOB, "Re: Lunch?")
    assert mail["In-Reply-To"]
    node.send(ANN, BOB, subject="Re: Lunch?", text="Good.", in_reply_to=mail["Message-ID"])
    assert server.events[1]["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": "$1"}}


def test_a_number_that_comes_again_with_other_events_hides_none(tokens: dict[str, str]) -> None:
    """Some homeservers count transactions from 1 again."""
    node, _ = both(tokens)
    node.send(ANN, BOB)
    bring(node, "1", text_event("one", "$1"))
    bring(node, "1", text_event("two", "$2"))
    assert len(node.mailbox(ANN)) == 2


def test_somebody_begins_a_room(tokens: dict[str, str]) -> None:
    """Looks for the user of a mail address, invites him, and writes."""
    node, server = both(tokens)
    assert ask(node, "GET", f"/_matrix/app/v1/users/{ANN_THERE.replace('=', '%3D')}")[0] == 200
    assert ask(node, "GET", f"/_matrix/app/v1/users/@mail_x:{SERVER}")[0] == 404
    room = f"!his:{SERVER}"
    bring(node, "1", member(ANN_THERE, "invite", room, is_direct=True), text_event("hello\nthere", room=room))
    assert ANN_THERE in server.members[room]
    (mail,) = node.mailbox(ANN)
    assert mail["Subject"] == "hello"
    node.send(ANN, BOB)
    assert server.events[0]["room"] == room


def test_in_a_room_of_many_only_replies_and_mentions_are_mail(tokens: dict[str, str]) -> None:
    """Else everything that is said would be."""
    node, server = both(tokens)
    node.send(ANN, OPS, subject="Disk full")
    room, event = f"!ops:{SERVER}", server.events[0]["id"]
    bring(
        node, "1", text_event("chatter", "$1", room),
        text_event("I look", "$2", room, **{"m.relates_to": {"m.in_reply_to": {"event_id": event}}}),
        text_event("Ann?", "$3", room, **{"m.mentions": {"user_ids": [ANN_THERE]}}),
    )  # fmt: skip
    assert [mail["Subject"] for mail in node.mailbox(ANN)] == ["Re: Disk full", "Ann?"]


@pytest.mark.parametrize(
    "event",
    [
        {**text_event("x"), "sender": "@eve:other.example"},
        {**text_event("x"), "sender": f"@mail_eve=40home.example:{SERVER}"},
        {**text_event("x"), "sender": f"@mail:{SERVER}"},
        text_event("x", msgtype="m.notice"),
        text_event("x", room="!unknown:x"),
        {**text_event("x"), "room_id": 5},
        member(ANN_THERE, "invite", "!room9:x", sender="@eve:other.example"),
        "nonsense", 5, {},
    ],
)  # fmt: skip
def test_what_is_no_mail(tokens: dict[str, str], event: Any) -> None:
    """Strangers, our own users, notices, rooms that are none of ours, nonsense: taken and forgotten."""
    node, server = both(tokens)
    node.send(ANN, BOB)
    assert bring(node, "1", event) == 200
    assert not node.mailbox(ANN)
    assert len(server.events) == 1


def test_what_is_refused_is_told_in_a_notice(tokens: dict[str, str]) -> None:
    """And what is encrypted, once."""
    node, server = both(tokens, may_write_to=["*@elsewhere.example"])
    node.send(ANN, BOB)
    bring(node, "1", text_event("x"))
    secret = {**text_event("x", "$2"), "type": "m.room.encrypted"}
    bring(node, "2", secret)
    bring(node, "3", {**secret, "event_id": "$3"})
    assert [(one["content"]["msgtype"], one["sender"]) for one in server.events[1:]] == [("m.notice", ANN_THERE)] * 2
    assert "may write to" in server.events[1]["content"]["body"]


def test_what_is_not_taken_for_the_moment_is_brought_again(tokens: dict[str, str]) -> None:
    """503 until the node takes it, and what it has taken already comes no second time."""
    node, _ = both(tokens)
    node.send(ANN, BOB)
    events = [text_event(f"number {number}", f"${number}") for number in range(60)]
    assert bring(node, "1", *events) == 503
    taken = len(node.mailbox(ANN))
    assert 0 < taken < 60
    node.advance("5m")
    assert bring(node, "1", *events) == 200
    assert len(node.mailbox(ANN)) == 60


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/_matrix/app/v1/transactions/1", b"nonsense", 400),
        ("PUT", "/_matrix/app/v1/transactions/1", b"[]", 400),
        ("PUT", "/_matrix/app/v1/transactions/", b'{"events":[]}', 400),
        ("PUT", "/_matrix/app/v1/users/x", b"", 405),
        ("GET", "/_matrix/app/v1/rooms/%23x:y", b"", 404),
        ("POST", "/_matrix/app/v1/ping", b"{}", 200),
        ("GET", "/", b"", 404),
    ],
)
def test_the_door(tokens: dict[str, str], method: str, path: str, body: bytes, status: int) -> None:
    """Knows its paths, and nobody without the token."""
    node, _ = both(tokens)
    assert ask(node, method, path, body)[0] == status
    code, said = ask(node, method, path, body, token="wrong")
    assert (code, said["errcode"]) == (403, "M_FORBIDDEN")


def test_a_body_without_the_token_is_not_kept(tokens: dict[str, str]) -> None:
    """However long it is."""
    node, _ = both(tokens)
    assert ask(node, "PUT", "/_matrix/app/v1/transactions/1", b"x" * 1_000_000, token="")[0] == 403


@pytest.mark.parametrize(
    "settings", [{"homeserver": "x"}, {"server_name": "a b"}, {"listen": "x"}, {"prefix": "Mail"}, {"limit": 1}]
)
def test_bad_settings_are_faults(settings: dict[str, Any], tokens: dict[str, str]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match="expected"):
        both(tokens, **settings)
