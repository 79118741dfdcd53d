"""A transaction is answered well only when every copy is durable, and refused with nothing left behind otherwise."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from mailnode.accounts.memory import MemoryDirectory
from mailnode.interfaces import Refused, SpoolTrouble, Transaction
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.envelope import Envelope, Notify, Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry, Peer
from mailnode.mail.outcome import Delayed, Delivered, Failed, Outcome
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply
from mailnode.roles import transaction as transactions
from mailnode.roles.house import House, ReceptionSettings
from mailnode.roles.reception import MailReception
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from tests.kit.results import InlineDisk, now

STRANGER = Peer("192.0.2.1", 4000, "mx", "smtp", hello="c.example", is_extended=True)
LOCAL = Peer("", 0, "unix", "lmtp", hello="c.example", is_extended=True)
FULL = Reply.of(452, "4.3.1", "full")
OVER = Reply.of(552, "5.2.2", "over quota")


class Mailboxes:
    """A courier that answers as it is told, by local part."""

    def __init__(self) -> None:
        self.requests: list[DeliveryRequest] = []
        self.says: dict[str, Outcome] = {}
        self.breaks = False

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Deliver everyone who is not spoken of."""
        if self.breaks:
            raise ZeroDivisionError
        self.requests.append(request)
        fine = Delivered(Reply.of(250, "2.0.0", "Delivered"))
        return {one: self.says.get(one.forward_path.local_part, fine) for one in request.message.envelope.recipients}

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def reached(self) -> list[str]:
        """Tell who was tried."""
        return [str(one.forward_path) for request in self.requests for one in request.message.envelope.recipients]


class Entries:
    """A queue that remembers, or has trouble."""

    def __init__(self) -> None:
        self.entries: list[NewEntry] = []
        self.trouble: Exception | None = None
        self.room = 100
        """So many entries fit in."""

    async def submit(self, entry: NewEntry) -> None:
        """Keep it."""
        if self.trouble is not None:
            raise self.trouble
        if len(self.entries) == self.room:
            raise SpoolTrouble("no room", is_full=True)
        self.entries.append(entry)

    def wake(self) -> None:
        """Nothing to wake."""

    def recall(self, is_meant: Callable[..., bool]) -> None:
        """Nothing to recall."""

    @property
    def kept(self) -> list[str]:
        """Tell for whom."""
        return [str(one.forward_path) for entry in self.entries for one in entry.message.envelope.recipients]


class Stage:
    """A door with everything behind it in sight."""

    def __init__(self, folder: Path, settings: ReceptionSettings | None = None) -> None:
        self.folder = folder
        self.mailboxes = Mailboxes()
        self.queue = Entries()
        self.reported: list[Recipient] = []
        directory = MemoryDirectory([Mailbox(name, "ours.example") for name in ("ann", "bob", "owner-staff")])
        domain = DomainSettings(
            name="ours.example",
            aliases={
                "both": ("ann@ours.example", "far@away.example"),
                "staff": ("ann@ours.example", "bob@ours.example"),
                "owner-staff": ("bob@ours.example",),
                "away": ("far@away.example",),
                "away2": ("farther@away.example",),
            },
        )
        router = TableRouter(hostname="mx.ours.example", domains=[domain], routes=[], directory=directory)
        self.house = House(
            hostname="mx.ours.example",
            router=router,
            queue=self.queue,
            couriers={"maildir": self.mailboxes},
            disk=InlineDisk(),
            clock=Clock(),
            random=Random(1),
            incoming=folder,
            settings=settings or ReceptionSettings(),
            give_up=lambda path: Seconds(60 if path == NULL else 3600),
            report_expansion=self._report,
        )
        self.reception = MailReception(self.house, ())

    async def _report(self, message: Message, recipients: Sequence[Recipient]) -> list[NewEntry]:
        self.reported.extend(recipients)
        return []

    def open(self, *recipients: str, peer: Peer = STRANGER, sender: str = "a@a.example") -> Transaction:
        """Open a transaction with these recipients."""
        path = parse_mailbox(sender) if sender else NULL
        transaction = now(self.reception.begin(peer, Envelope(path), 0))
        for recipient in recipients:
            now(transaction.add_recipient(Recipient(parse_mailbox(recipient))))
        return transaction

    def send(self, *recipients: str, peer: Peer = STRANGER, content: bytes = b"Subject: x\r\n\r\nx\r\n") -> list[Reply]:
        """Send a message."""
        transaction = self.open(*recipients, peer=peer)
        for start in range(0, len(content), 50_000):
            pending = transaction.write(content[start : start + 50_000])
            if pending is not None:
                now(_wait(pending))
        return list(now(transaction.commit()))


async def _wait(pending: object) -> None:
    await pending  # type: ignore[misc]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Make a door."""
    return Stage(tmp_path)


def test_our_own_mailboxes_have_it_before_the_answer(stage: Stage) -> None:
    """A local message goes straight into its mailbox, with our trace field on top, and not through the spool."""
    (reply,) = stage.send("ann@ours.example")
    assert reply.code == 250
    assert stage.mailboxes.reached == ["ann@ours.example"]
    assert stage.queue.entries == []
    octets = stage.mailboxes.requests[0].message.content.read()
    assert octets.startswith(b"Received: from c.example ([192.0.2.1])\r\n\tby mx.ours.example with ESMTP id ")
    assert octets.endswith(b"\r\nSubject: x\r\n\r\nx\r\n")


@pytest.mark.rfc("5321", "7.1")
def test_strangers_may_not_relay(stage: Stage) -> None:
    """A domain that is not ours is 550 5.7.1, unless the client is trusted or local."""
    with pytest.raises(Refused) as refused:
        stage.open("far@away.example")
    assert refused.value.reply.code == 550
    assert str(refused.value.reply.status) == "5.7.1"
    stage.send("far@away.example", peer=LOCAL)
    stage.send("far@away.example", peer=evolve(STRANGER, account="ann"))
    assert stage.queue.kept == ["far@away.example"] * 2


def test_an_unknown_address_is_refused_at_rcpt(stage: Stage) -> None:
    """Nobody has to send the content to learn that the address does not exist."""
    with pytest.raises(Refused) as refused:
        stage.open("nobody@ours.example")
    assert refused.value.reply.code == 550
    assert str(refused.value.reply.status) == "5.1.1"


def test_a_forward_to_outside_is_no_relaying(stage: Stage) -> None:
    """An alias of ours may lead out for anyone; the rest of the message goes its own ways."""
    (reply,) = stage.send("away@ours.example")
    assert reply.is_positive
    assert stage.queue.kept == ["far@away.example"]
    assert stage.queue.entries[0].expires == pytest.approx(3600)


def test_a_full_disk_and_a_full_mailbox_are_answers_at_the_door(stage: Stage) -> None:
    """When nobody got it, the sender hears why, and nothing is kept."""
    stage.mailboxes.says["ann"] = Delayed(FULL)
    assert stage.send("ann@ours.example") == [FULL]
    stage.mailboxes.says["ann"] = Failed(OVER)
    assert stage.send("ann@ours.example") == [OVER]
    stage.mailboxes.says["bob"] = Delayed(FULL)
    assert stage.send("ann@ours.example", "bob@ours.example") == [FULL, FULL]
    assert stage.queue.entries == []


def test_who_missed_out_while_others_got_it_goes_through_the_spool(stage: Stage) -> None:
    """One SMTP answer stands for all: it is good, and the queue looks after the rest."""
    stage.mailboxes.says["bob"] = Failed(OVER)
    replies = stage.send("ann@ours.example", "bob@ours.example")
    assert [reply.code for reply in replies] == [250, 250]
    assert stage.queue.kept == ["bob@ours.example"]


def test_mixed_copies_each_go_their_way_once(stage: Stage) -> None:
    """Local copies are delivered, others kept, and nobody gets two."""
    stage.send("both@ours.example", "ann@ours.example")
    assert stage.mailboxes.reached == ["ann@ours.example"]
    assert stage.queue.kept == ["far@away.example"]


@pytest.mark.rfc("2033", "4.2")
def test_lmtp_answers_each_recipient_for_itself(stage: Stage) -> None:
    """One full mailbox does not hide behind another's success."""
    stage.mailboxes.says["bob"] = Failed(OVER)
    replies = stage.send("ann@ours.example", "bob@ours.example", "far@away.example", peer=LOCAL)
    assert [reply.code for reply in replies] == [250, 552, 250]
    assert stage.queue.kept == ["far@away.example"]


def test_trouble_of_the_spool_is_temporary(stage: Stage) -> None:
    """What could not be kept is not promised: 452 when full, 451 otherwise."""
    stage.queue.trouble = SpoolTrouble("no", is_full=True)
    assert [reply.code for reply in stage.send("far@away.example", peer=LOCAL)] == [452]
    stage.queue.trouble = SpoolTrouble("no")
    assert [reply.code for reply in stage.send("ann@ours.example", "away@ours.example")] == [451, 451]


def test_a_bug_in_a_courier_is_temporary(stage: Stage, lost_failures: list[dict[str, object]]) -> None:
    """An exception of a courier never loses or bounces mail."""
    stage.mailboxes.breaks = True
    assert [reply.code for reply in stage.send("ann@ours.example")] == [451]
    lost_failures.clear()


def test_a_success_notice_needs_the_queue(stage: Stage) -> None:
    """NOTIFY=SUCCESS goes through the spool even for a mailbox of ours."""
    transaction = stage.open()
    now(transaction.add_recipient(Recipient(parse_mailbox("ann@ours.example"), Notify.SUCCESS)))
    transaction.write(b"x\r\n")
    assert now(transaction.commit())[0].is_positive
    assert stage.queue.kept == ["ann@ours.example"]
    assert stage.mailboxes.requests == []


def test_a_list_with_an_owner_bears_the_owners_address(stage: Stage) -> None:
    """Copies of a list come from its owner; a recipient beside it keeps the sender."""
    stage.mailboxes.says["bob"] = Delayed(FULL)
    stage.send("staff@ours.example", "away@ours.example", content=b"y" * 800_000)
    assert {str(entry.message.envelope.reverse_path) for entry in stage.queue.entries} == {
        "owner-staff@ours.example",
        "a@a.example",
    }
    assert len({entry.message.queue_id for entry in stage.queue.entries}) == 2
    assert len({entry.message.content.path for entry in stage.queue.entries}) == 2
    assert all(entry.message.content.read().endswith(b"y" * 800_000) for entry in stage.queue.entries)


def test_trouble_with_one_of_several_entries_leaves_no_file(stage: Stage) -> None:
    """When the spool takes only some of the entries nothing is kept here of those it did not take."""
    stage.queue.room = 0
    stage.mailboxes.says["bob"] = Delayed(FULL)
    (*_, reply) = stage.send("staff@ours.example", "away@ours.example", content=b"y" * 800_000)
    assert reply.code == 452
    assert list(stage.folder.iterdir()) == []


def test_a_bug_at_the_final_dot_leaves_no_file(stage: Stage) -> None:
    """Whatever goes wrong with a commit, the collected file is removed."""
    stage.queue.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        stage.send("away@ours.example", content=b"y" * 800_000)
    assert list(stage.folder.iterdir()) == []


def test_a_refused_list_is_not_reported_as_expanded(stage: Stage) -> None:
    """Who is told that nobody has the message hears of no expansion."""
    stage.mailboxes.says = {"ann": Delayed(FULL), "bob": Delayed(FULL)}
    transaction = stage.open()
    now(transaction.add_recipient(Recipient(parse_mailbox("staff@ours.example"), Notify.SUCCESS)))
    (reply,) = now(transaction.commit())
    assert reply.code == 452
    assert stage.reported == []


@pytest.mark.rfc("3461", "5.2.7.3")
def test_an_expanded_list_is_reported_when_success_was_asked_for(stage: Stage) -> None:
    """Who wants to hear of success hears that the list was expanded; an alias of one is not a list."""
    transaction = stage.open()
    for name in ("staff", "away"):
        now(transaction.add_recipient(Recipient(parse_mailbox(f"{name}@ours.example"), Notify.SUCCESS)))
    transaction.write(b"x\r\n")
    now(transaction.commit())
    assert [one.forward_path.local_part for one in stage.reported] == ["staff"]


@pytest.mark.rfc("5321", "6.3")
def test_a_message_that_goes_in_circles_is_stopped(stage: Stage) -> None:
    """More hops than allowed are 554 5.4.6."""
    (reply,) = stage.send("ann@ours.example", content=b"Received: x\r\n" * 101 + b"\r\n")
    assert (reply.code, str(reply.status)) == (554, "5.4.6")


@pytest.mark.rfc("1870", "6.1")
def test_what_is_too_big_is_refused_before_and_while_it_comes(tmp_path: Path) -> None:
    """SIZE is believed at MAIL, and the octets are counted all the same; nothing stays on disk."""
    stage = Stage(tmp_path, ReceptionSettings(max_size=Octets(150_000)))
    with pytest.raises(Refused) as refused:
        now(stage.reception.begin(STRANGER, Envelope(NULL), 150_001))
    assert refused.value.reply.code == 552
    assert [reply.code for reply in stage.send("ann@ours.example", content=b"x" * 800_000)] == [552]
    assert list(tmp_path.iterdir()) == []


def test_a_large_content_leaves_no_file_when_all_was_delivered(stage: Stage) -> None:
    """The collected file is removed once the mailboxes have their copies, and when the client gives up."""
    stage.send("ann@ours.example", content=b"x" * 800_000)
    transaction = stage.open("ann@ours.example")
    pending = transaction.write(b"x" * 800_000)
    assert pending is not None
    now(_wait(pending))
    transaction.abort()
    assert list(stage.folder.iterdir()) == []


def test_submission_wants_someone_known(stage: Stage) -> None:
    """On a submission listener a stranger is told 530 at MAIL (RFC 6409 section 4.3)."""
    with pytest.raises(Refused) as refused:
        stage.open(peer=evolve(STRANGER, service="submission"))
    assert refused.value.reply.code == 530


@pytest.mark.rfc("5321", "3.5")
def test_lists_are_shown_to_who_may_relay(stage: Stage) -> None:
    """EXPN gives the members, one a line, to the trusted only; others learn nothing, by VRFY neither."""
    reply = now(stage.reception.expand(LOCAL, "staff@ours.example"))
    assert reply.lines == ("<ann@ours.example>", "<bob@ours.example>")
    assert now(stage.reception.expand(STRANGER, "staff@ours.example")).code == 252
    assert now(stage.reception.expand(LOCAL, "ann@ours.example")).code == 550
    assert now(stage.reception.expand(LOCAL, "!!")).code == 550
    assert now(stage.reception.verify(STRANGER, "ann")).code == 252


@pytest.mark.rfc("5321", "6.3")
def test_what_is_sent_on_bears_a_mark_and_is_not_sent_on_again(stage: Stage) -> None:
    """Copies that leave by different addresses bear each its own Delivered-To; what comes back with it is refused."""
    transaction = stage.open("both@ours.example", "away2@ours.example", "x@away.example", peer=LOCAL)
    transaction.write(b"Subject: x\r\n\r\ntext\r\n")
    assert all(reply.is_positive for reply in now(transaction.commit()))
    tops = {
        str(one.forward_path): entry.message.content.read().partition(b"\r\n")[0]
        for entry in stage.queue.entries
        for one in entry.message.envelope.recipients
    }
    assert tops["far@away.example"] == b"Delivered-To: both@ours.example"
    assert tops["farther@away.example"] == b"Delivered-To: away2@ours.example"
    assert tops["x@away.example"].startswith(b"Received: ")
    back = stage.open("both@ours.example")
    back.write(b"Received: y\r\nDelivered-To: both@ours.example\r\n\r\ntext\r\n")
    assert [str(reply)[:9] for reply in now(back.commit())] == ["554 5.4.6"]
    assert len(stage.mailboxes.requests) == 1


def test_a_list_named_again_and_again_has_an_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the recipients stand for is bounded too; those that were taken stay taken."""
    monkeypatch.setattr(transactions, "MOST_LOOKED_UP", 6)
    transaction = stage.open("staff@ours.example", "Staff@ours.example", "STAFF@ours.example")
    with pytest.raises(Refused) as refused:
        now(transaction.add_recipient(Recipient(Mailbox("sTaff", "ours.example"))))
    assert refused.value.reply.code == 452
    assert all(answer.is_positive for answer in now(transaction.commit()))
    assert sorted(stage.mailboxes.reached) == ["ann@ours.example", "bob@ours.example"]


@pytest.mark.rfc("3461", "4.1")
def test_wishes_for_one_mailbox_by_two_names_are_united(stage: Stage) -> None:
    """Two recipients that lead to one mailbox are one copy, and who asked for success is owed its report."""
    transaction = stage.open()
    for notify, original in ((Notify.NEVER, "rfc822;one@x.example"), (Notify.SUCCESS, "rfc822;two@x.example")):
        now(transaction.add_recipient(Recipient(parse_mailbox("ann@ours.example"), notify, original)))
    transaction.write(b"x\r\n")
    assert all(reply.is_positive for reply in now(transaction.commit()))
    (entry,) = stage.queue.entries
    (one,) = entry.message.envelope.recipients
    assert (one.notify, one.original) == (Notify.SUCCESS, "rfc822;two@x.example")
    assert stage.mailboxes.requests == []


@pytest.mark.rfc("1123", "5.2.17")
@pytest.mark.rfc("5321", "4.1.3")
def test_the_literal_of_the_address_that_was_reached_is_ours(stage: Stage) -> None:
    """A stranger may send to user@[address of this machine]; no other literal is ours, nor is the loopback's."""
    peer = evolve(STRANGER, local_address="198.51.100.7")
    transaction = stage.open("ann@[198.51.100.7]", peer=peer)
    transaction.write(b"x\r\n")
    assert all(reply.is_positive for reply in now(transaction.commit()))
    assert stage.mailboxes.reached == ["ann@ours.example"]
    for path, reached in (("ann@[198.51.100.8]", "198.51.100.7"), ("ann@[127.0.0.1]", "127.0.0.1")):
        with pytest.raises(Refused):
            stage.open(path, peer=evolve(STRANGER, local_address=reached))
