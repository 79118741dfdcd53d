"""What a courier and its process aside say to each other arrives as it was meant."""

import socket
from pathlib import Path

import pytest
from twisted.python.failure import Failure

from mailnode.couriers import maildir_frames as frames
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_outcome import ALL, DELIVERED, TROUBLE
from mailnode.mail.content import Content
from mailnode.mail.outcome import Outcome
from tests.kit.deliveries import TEXT, address, request_for


def test_a_batch_and_its_outcomes_go_there_and_back() -> None:
    """Contents travel once each; every outcome a writer gives has its number; trouble and notes come along."""
    here, there = socket.socketpair()
    request = request_for(address("ann"), address("bob"), content=Content(TEXT, Path("/x"), 7))
    original = Original(request.message.content, is_unix=True)
    batch = [Delivery(request, recipient, original) for recipient in request.message.envelope.recipients]
    with here, there:
        frames.send(here, frames.packed_batch(batch))
        read = frames.read_batch(frames.receive(there), is_unix=True)
        assert [one.recipient for one in read] == [address("ann"), address("bob")]
        assert read[0].original is read[1].original
        assert read[0].original.content == Content(TEXT, Path("/x"), 7)
        assert read[0].request.message.envelope.reverse_path == request.message.envelope.reverse_path
        read[0].outcome, read[1].outcome, read[1].trouble = DELIVERED, TROUBLE, Failure(OSError("a bad disk"))
        frames.send(there, frames.packed_outcomes(read, [("said", "why")]))
        assert frames.take_outcomes(frames.receive(here), batch) == [("said", "why")]
    assert [one.outcome for one in batch] == [DELIVERED, TROUBLE]
    assert batch[1].trouble is not None
    assert "a bad disk" in batch[1].trouble.getErrorMessage()


def test_every_outcome_can_be_told() -> None:
    """The table of outcomes has all that the room of outcomes has."""
    from mailnode.couriers import maildir_outcome

    assert {id(one) for one in ALL} == {id(one) for one in vars(maildir_outcome).values() if isinstance(one, Outcome)}


def test_the_end_is_heard() -> None:
    """A side that closes in the middle of a frame is not waited for."""
    here, there = socket.socketpair()
    with there:
        here.sendall(b"\0\0\0\x09half")
        here.close()
        with pytest.raises(EOFError):
            frames.receive(there)


def test_a_charter_goes_there() -> None:
    """What the process is to be is told it once."""
    charter = frames.Charter("/mail", "mx", "node-aside", 1, 2, is_unix=True, has_journal=False)
    assert frames.read_charter(frames.packed_charter(charter)) == charter
