"""Tests of originating within the node: a draft becomes a mail transaction like any other."""

import io
from random import Random

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.originate import Originator
from mailnode.originator.draft import Draft
from mailnode.originator.receipt import NotSent
from mailnode.originator.within import Within
from tests.kit.reception import StagedReception
from tests.kit.results import InlineDisk, now


def within(door: StagedReception) -> Within:
    """Make one before a staged door."""
    return Within(door, InlineDisk(), Clock(), Random(1), lambda: "example.org")


def draft(*recipients: str, sender: str = "ann") -> Draft:
    """Make a draft."""
    return Draft(sender, recipients, io.BytesIO(b"Bcc: eve\r\nSubject: x\r\n\r\n" + b"body\r\n" * 50_000))


def test_a_draft_goes_through_the_door() -> None:
    """Completed, whole, from a peer that is this machine; the queue id comes from the answer."""
    door = StagedReception()
    door.answers = [Reply.of(250, "2.0.0", "Accepted as abc")] * 2
    receipt = now(within(door).submit(draft("bob", "carl@example.net")))
    assert receipt.queue_id == "abc"
    (message,) = door.messages
    assert message.peer == Peer("", listener="local", service="submission", hello="localhost", is_extended=True)
    assert str(message.envelope.reverse_path) == "ann@example.org"
    assert [str(one.forward_path) for one in message.recipients] == ["bob@example.org", "carl@example.net"]
    header, _, body = message.content.partition(b"\r\n\r\n")
    assert b"Bcc" not in header
    assert b"From: ann@example.org" in header
    assert body == b"body\r\n" * 50_000


def test_who_is_refused_stands_in_the_receipt() -> None:
    """The others are served, unless all or none was wanted."""
    door = StagedReception()
    receipt = now(within(door).submit(draft("nobody", "bob")))
    assert [(one.address, one.reply.code, one.code) for one in receipt.refused] == [("nobody@example.org", 550, 67)]
    assert len(door.messages) == 1
    with pytest.raises(NotSent, match="nobody"):
        now(within(door).submit(draft("nobody", "bob"), all_or_none=True))
    assert door.begun[-1].is_aborted


@pytest.mark.parametrize("people", [("nobody",), ("nobody", "nobody@example.net")])
def test_refused_for_everybody_is_an_exception(people: tuple[str, ...]) -> None:
    """It says for whom and why, and bears an exit code."""
    with pytest.raises(NotSent) as trouble:
        now(within(StagedReception()).submit(draft(*people)))
    assert trouble.value.code == 67
    assert len(trouble.value.refused) == len(people)


def test_a_sender_may_be_refused_too() -> None:
    """Then there is no transaction at all."""
    door = StagedReception()
    with pytest.raises(NotSent) as trouble:
        now(within(door).submit(draft("bob", sender="spammer")))
    assert (trouble.value.code, len(trouble.value.refused), door.begun) == (69, 1, [])


def test_a_refusal_at_the_end_counts() -> None:
    """What the final dot hears is the answer."""
    door = StagedReception()
    door.answers = [Reply.of(452, "4.3.1", "No room")]
    with pytest.raises(NotSent) as trouble:
        now(within(door).submit(draft("bob")))
    assert trouble.value.code == 75


def test_cancelled_before_the_end_it_leaves_nothing() -> None:
    """Past it, the answer is worked out and only the waiting ends."""
    for word, is_committed in (("rcpt", False), ("write", False), ("commit", True)):
        door = StagedReception()
        pause: Deferred[None] = Deferred()
        door.waits[word] = pause
        ends: list[object] = []
        waiting = Deferred.fromCoroutine(within(door).submit(draft("bob")))
        waiting.addErrback(lambda failure: failure.trap(CancelledError)).addBoth(ends.append)
        waiting.cancel()
        assert ends == [CancelledError]
        if is_committed:
            pause.callback(None)
        assert (door.begun[0].is_committed, door.begun[0].is_aborted) == (is_committed, not is_committed)


def test_the_python_call_of_a_gateway() -> None:
    """``Originator`` takes a message of the standard library, and reads the addresses in it."""
    door = StagedReception()
    text = "From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: x\n\nhi\n"
    now(Originator(within(door)).send(text))
    assert str(door.messages[0].envelope.reverse_path) == "ann@example.org"
    now(Originator(within(door)).send(text.encode(), sender="<>", recipients=["carl"]))
    assert str(door.messages[1].recipients[0].forward_path) == "carl@example.org"
    assert str(door.messages[1].envelope.reverse_path) == ""
