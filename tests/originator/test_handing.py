"""Tests of handing over to a node, and of what happens when there is none or it breaks off."""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailnode.originator.draft import Draft
from mailnode.originator.handing import hand_over
from mailnode.originator.maildrop import opened, waiting
from mailnode.originator.place import Place
from mailnode.originator.receipt import BadDraft, NobodyTakesIt, NotSent

GREETING = ["220 mx ESMTP"]
HELLO = ["250-mx greets you", "250-PIPELINING", "250-SIZE 100000000", "250-8BITMIME", "250 DSN"]
TAKEN = ["354 Go ahead"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give a meeting place with a maildrop and no node."""
    place = Place(tmp_path)
    place.maildrop.mkdir(parents=True)
    place.origin_file.write_text("example.org\n")
    return place


@contextmanager
def node(place: Place, *answers: list[str]) -> Iterator[list[bytes]]:
    """Answer one session: each list of lines after something was heard; then close. Gives what was heard."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place.socket))
        door.listen()
        door.settimeout(20)

        def serve() -> None:
            connection, _ = door.accept()
            with connection:
                connection.settimeout(20)
                for end, lines in zip(_ENDS, answers, strict=False):
                    while not b"".join(heard).endswith(end):
                        heard.append(connection.recv(1 << 20))
                    connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield heard
        finally:
            server.join(20)


_ENDS = (b"", b"\r\n", b"DATA\r\n", b"\r\n.\r\n")
"""What is waited for before each answer."""


def draft(*recipients: str, body: bytes = b"Subject: x\r\n\r\n.dot\r\n") -> Draft:
    """Make a draft."""
    return Draft("ann", recipients, io.BytesIO(body))


def kept_for(place: Place) -> list[tuple[str, ...]]:
    """List the recipients of what lies in the maildrop."""
    drops = [opened(place.maildrop / name) for name in waiting(place.maildrop, 10)]
    for drop in drops:
        drop.close()
    return [drop.draft.recipients for drop in drops]


def test_a_node_takes_it(place: Place) -> None:
    """Qualified, completed, stuffed; the queue id comes back."""
    said = ["250 2.1.0 OK", "250 2.1.5 OK", "250 2.1.5 OK", "354 Go ahead"]
    with node(place, GREETING, HELLO, said, ["250 2.0.0 Accepted as abc"]) as heard:
        receipt = hand_over(place, draft("bob", "carl@example.net"))
    assert (receipt.queue_id, receipt.kept_as, receipt.refused) == ("abc", "", ())
    talk = b"".join(heard)
    assert b"MAIL FROM:<ann@example.org> SIZE=" in talk
    assert b"RCPT TO:<bob@example.org>\r\nRCPT TO:<carl@example.net>\r\n" in talk
    assert talk.endswith(b"\r\n\r\n..dot\r\n.\r\n")
    assert not kept_for(place)


def test_who_is_refused_is_told(place: Place) -> None:
    """Refused for good they are not kept; put off they wait in the maildrop."""
    said = ["250 2.1.0 OK", "550 5.1.1 No such mailbox", "451 4.3.0 Later", "250 2.1.5 OK", "354 Go ahead"]
    with node(place, GREETING, HELLO, said, ["250 2.0.0 Accepted as abc"]):
        receipt = hand_over(place, draft("bob", "carl", "dora"))
    assert [str(one) for one in receipt.refused] == ["<bob@example.org>: 550 5.1.1 No such mailbox"]
    assert kept_for(place) == [("carl@example.org",)]
    assert receipt.kept_as


def test_refused_for_everybody_is_an_exception(place: Place) -> None:
    """Nothing is kept."""
    with (
        node(place, GREETING, HELLO, ["250 2.1.0 OK", "550 5.1.1 No such mailbox", "503 5.5.1 No"]),
        pytest.raises(NotSent, match="No such mailbox") as trouble,
    ):
        hand_over(place, draft("bob"))
    assert trouble.value.code == 67
    assert not kept_for(place)


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (["421 4.3.2 Shutting down"],),
        (GREETING, HELLO, ["451 4.3.0 Trouble", "503 5.5.1 No", "503 5.5.1 No"]),
        (GREETING, HELLO, ["450 4.7.1 Too much", "503 5.5.1 No", "503 5.5.1 No"]),
        (GREETING, HELLO, ["250 2.1.0 OK", "250 2.1.5 OK", "354 Go ahead"]),
        (GREETING, HELLO, ["250 2.1.0 OK", "250 2.1.5 OK", "354 Go ahead"], ["452 4.3.1 No room"]),
        (GREETING, ["nonsense"]),
    ],
)
def test_a_node_that_cannot_now_finds_it_in_the_maildrop(place: Place, answers: tuple[list[str], ...]) -> None:
    """It closes, is full, breaks off behind DATA, or talks nonsense: the message is kept."""
    with node(place, *answers):
        receipt = hand_over(place, draft("bob"))
    assert (receipt.queue_id, bool(receipt.kept_as)) == ("", True)
    assert [tuple(one.partition("@")[0] for one in people) for people in kept_for(place)] == [("bob",)]


def test_without_a_node_it_is_kept(place: Place) -> None:
    """But not what no node could ever read."""
    assert hand_over(place, draft("bob")).kept_as
    assert kept_for(place) == [("bob",)]
    for bad in (draft(), draft("a@b@c")):
        with pytest.raises(BadDraft):
            hand_over(place, bad)


def test_without_a_maildrop_either_nobody_takes_it(tmp_path: Path) -> None:
    """No folder is made where there was never a node; both reasons are given."""
    with pytest.raises(NobodyTakesIt, match=r"submit: No such file.*maildrop: .*No such file") as trouble:
        hand_over(Place(tmp_path), draft("bob"))
    assert trouble.value.code == 75
    assert not list(tmp_path.iterdir())
