"""Copies become entries of the spool; those that the spool does not take leave nothing behind."""

from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.task import Clock

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Message
from mailnode.mail.quantity import Seconds
from mailnode.mail.route import Lane, Route
from mailnode.roles.house import House, ReceptionSettings
from mailnode.roles.keeping import Copy, Keeping
from tests.kit.results import InlineDisk, now

ANN, OWNER = Mailbox("ann", "away.example"), Mailbox("owner-staff", "ours.example")


def house(folder: Path) -> House:
    """Give a house of which only what entries need is there."""
    nothing: Any = None
    return House(
        "mx.ours.example", nothing, nothing, {}, InlineDisk(), Clock(), Random(1), folder, ReceptionSettings(),
        lambda path: Seconds(10 if path == OWNER else 20), nothing,
    )  # fmt: skip


def test_each_reverse_path_has_an_entry_of_its_own(tmp_path: Path) -> None:
    """The entries bear different queue ids and files of the same octets, and each its own time; a discard removes the twin."""
    path = tmp_path / "Q1"
    path.write_bytes(b"text")
    sender = Mailbox("a", "a.example")
    message = Message("Q1", Envelope(sender), Content(b"Received: x\r\n", path, 4), 100.0)
    route = Route(Lane("smtp", "away.example"), ANN)
    copies = [Copy(Recipient(ANN), route, by, Mailbox("", "")) for by in (OWNER, sender)]
    keeping = Keeping(house(tmp_path))
    entries = now(keeping.entries(message, copies, ()))
    assert [entry.message.envelope.reverse_path for entry in entries] == [OWNER, sender]
    assert [entry.expires for entry in entries] == [110.0, 120.0]
    assert len({entry.message.queue_id for entry in entries}) == 2
    assert [entry.message.content.read() for entry in entries] == [b"Received: x\r\ntext"] * 2
    keeping.discard()
    assert list(tmp_path.iterdir()) == [path]
