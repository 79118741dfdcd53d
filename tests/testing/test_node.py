"""Tests of the kit, with gateways that behave well and badly: the node goes on, and the reason can be read."""

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any, ClassVar

import pytest
from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from mailnode.gateways.api import (
    Answer,
    Delayed,
    Delivered,
    Draft,
    Failed,
    Gateway,
    OutgoingMessage,
    OutgoingRecipient,
    Refused,
    Relayed,
    Trouble,
)
from mailnode.mail.envelope import Notify
from mailnode.testing.api import HANG, FakePeer, MemoryNode, now

ANN = "ann@home.example"


@define
class Chat(Gateway):
    """A gateway whose other side is a FakePeer."""

    peer: FakePeer = field(factory=FakePeer)
    default_map = ("{name}@chat.example <-> {name}",)
    troubles: ClassVar[dict[type[Exception], Delayed | Failed]] = {KeyError: Failed("", "5.1.1")}

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Ask the peer, who gives the answer."""
        answer: Answer = await self.peer.call(message, recipients)
        return answer


def words_of(mail: EmailMessage) -> str:
    """Give a report as one line of words."""
    return " ".join(mail.as_string().split())


def chat(*answers: Any, config: str = "") -> tuple[FakePeer, MemoryNode]:
    """Make a node with a chat whose peer will answer like that."""
    peer = FakePeer().will(*answers)
    return peer, MemoryNode(Chat(peer), domain="chat.example", config=config)


def test_mail_reaches_the_other_side_with_its_address_there() -> None:
    """The gateway gets text, subject and who is meant, in words of the other side."""
    peer, node = chat()
    node.send(ANN, "bob@chat.example", text="Lunch?", subject="Today")
    message, (bob,) = peer.calls[0]
    assert (message.text(), message.subject, bob.address) == ("Lunch?", "Today", "bob")
    assert not node.queue()


def test_each_recipient_has_its_own_outcome() -> None:
    """One is done, one waits, one bounces."""
    words = {"a": Delivered(), "b": Delayed("busy"), "c": Failed("no such person", "5.1.1")}

    _, node = chat(lambda _, recipients: {one: words[one.address] for one in recipients})
    node.send(ANN, "a@chat.example", "b@chat.example", "c@chat.example")
    (waiting,) = node.queue()
    assert waiting.to == "b@chat.example"
    assert "busy" in waiting.reason
    (bounce,) = node.mailbox(ANN)
    report = words_of(bounce)
    assert "c@chat.example" in str(report)
    assert "5.1.1" in str(report)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ConnectionRefusedError("refused"), "4.4.1 chat: refused"),
        (Trouble(Delayed("closed today", "4.3.2")), "4.3.2 chat: closed today"),
        (42, "gave no outcome but int"),
        ({}, "no outcome for this recipient"),
        (Delayed("later\r\n250 forged"), "chat: later 250 forged"),
    ],
)
def test_trouble_and_nonsense_keep_the_message_with_the_reason(answer: Any, reason: str) -> None:
    """Whatever comes of an attempt, the queue shows why it waits."""
    _, node = chat(answer)
    node.send(ANN, "bob@chat.example")
    assert reason in node.queue()[0].reason
    node.advance("1h")
    assert not node.queue()


def test_a_bug_delays_is_logged_and_never_bounces(lost_failures: list[dict[str, Any]]) -> None:
    """An exception that stands in no table is the gateway's fault, not the sender's."""
    _, node = chat(ZeroDivisionError("oh"))
    node.send(ANN, "bob@chat.example")
    assert "ZeroDivisionError in peers.py, line" in node.queue()[0].reason
    assert "oh" not in node.queue()[0].reason, "its words may be secrets, and reports show the reason to senders"
    assert lost_failures.pop()["gateway"] == "chat"
    assert not node.mailbox(ANN)


def test_a_class_that_could_not_run_is_not_taken() -> None:
    """As ``mailnode check`` says it, and not by a message that waits for ever."""

    class Sync(Gateway):
        def deliver(self, message: object, recipients: object) -> None:  # type: ignore[override]  # the mistake
            """Do nothing."""

    with pytest.raises(TypeError, match="deliver must be written with async def"):
        MemoryNode(Sync())


def test_an_exception_of_its_own_table_bounces() -> None:
    """A kind says what the exceptions of its library mean."""
    _, node = chat(KeyError("bob"))
    node.send(ANN, "bob@chat.example")
    (bounce,) = node.mailbox(ANN)
    assert "5.1.1" in words_of(bounce)


def test_an_attempt_that_hangs_is_cut_off_while_others_go_on() -> None:
    """After its time limit it is tried again; another gateway is not held up."""
    peer, other = FakePeer().will(HANG), FakePeer()
    config = """
        [[domain]]
        name = "chat.example"
        courier = "slow"
        [[domain]]
        name = "other.example"
        courier = "other"
        [gateway.slow.queue]
        timeout = "30s"
        [gateway.slow]
        [gateway.other.addresses]
        map = ["{name}@other.example <-> {name}"]
    """
    node = MemoryNode({"slow": Chat(peer), "other": Chat(other)}, config=config)
    node.send(ANN, "bob@chat.example")
    node.send(ANN, "eve@other.example")
    assert len(other.calls) == 1
    node.advance("31s")
    assert "no answer within 30s" in node.queue()[0].reason
    node.advance("10m")
    assert not node.queue()


def test_its_own_timetable_and_its_own_end() -> None:
    """[gateway.NAME.queue] says when it is tried again and when the sender gets it back."""
    peer, node = chat(config='[gateway.chat.queue]\nretry = ["10s", "20s"]\ngive_up = "1m"\n')
    peer.always(Delayed("busy"))
    node.send(ANN, "bob@chat.example")
    node.advance("59s")
    assert len(peer.calls) in (3, 4)
    node.advance("30s")
    assert not node.queue()
    (bounce,) = node.mailbox(ANN)
    assert "given up" in words_of(bounce)


def test_the_circuit_breaker_spares_a_dead_other_side() -> None:
    """After some misses nothing is tried for a while; then one attempt probes."""
    config = '[gateway.chat.queue]\nbreaker_after = 2\nbreaker_pause = "10m"\nretry = ["1m"]\n'
    peer, node = chat(config=config)
    peer.always(ConnectionRefusedError("down"))
    for number in range(6):
        node.send(ANN, f"bob{number}@chat.example")
    assert len(peer.calls) == 2
    assert all("not tried" in one.reason or one.attempts == 1 for one in node.queue())
    node.advance("9m")
    assert len(peer.calls) == 2
    peer.always(None)
    node.advance("1h")
    assert not node.queue()
    assert len(peer.calls) == 2 + 6


def test_the_rate_puts_off_without_counting_attempts() -> None:
    """Ten in an hour means ten, and nobody's timetable suffers."""
    peer, node = chat(config='[gateway.chat.queue]\nrate = "10/h"\n')
    for number in range(3):
        node.send(ANN, f"bob{number}@chat.example")
    assert len(peer.calls) == 1
    assert [one.attempts for one in node.queue()] == [0, 0]
    node.advance("1h")
    assert len(peer.calls) == 3


def test_who_is_nobody_there_is_refused_at_the_door() -> None:
    """An address that no template fits is known to be wrong before the message is taken."""
    _, node = chat(config='[gateway.chat.addresses]\nmap = ["room-{name}@chat.example <-> {name}"]\n')
    with pytest.raises(Refused, match=r"5\.1\.1"):
        node.send(ANN, "bob@chat.example")


@pytest.mark.rfc("3834", "2")
def test_no_bounce_and_no_automatic_reply_gets_into_a_chat() -> None:
    """Machines' answers end at the gateway; alarms that a machine sends by itself do not."""
    peer, node = chat()
    node.send("", "bob@chat.example")
    node.send(ANN, "bob@chat.example", extra=[("Auto-Submitted", "auto-replied")])
    assert not peer.calls
    node.send(ANN, "bob@chat.example", is_automatic=True)
    assert len(peer.calls) == 1
    assert not node.queue()


def test_four_days_pass_at_once_also_in_an_async_test() -> None:
    """The clock is in the test's hand; advance may be awaited."""
    peer, node = chat()
    peer.always(Delayed("busy"))

    async def story() -> None:
        node.send(ANN, "bob@chat.example")
        await node.advance("6d")

    now(story())
    assert [str(one["Subject"]) for one in node.mailbox(ANN)] == [
        "Your message is delayed",
        "Your message could not be delivered",
    ]


# --- from the other side


def test_what_comes_in_reaches_mailboxes_and_hosts_only_where_it_may() -> None:
    """Its people may write to our domains; to the world only with relay."""
    _, node = chat()
    node.inject(Draft("bob@chat.example", [ANN], "Yes!", subject="Re: Today"), protocol="XMPP")
    (mail,) = node.mailbox(ANN)
    assert mail.get_content().strip() == "Yes!"
    assert "with XMPP id" in str(mail["Received"])
    with pytest.raises(Refused, match="relay"):
        node.inject(Draft("bob@chat.example", ["x@world.example"], "Hi"))
    open_node = chat(config="[gateway.chat.source]\nrelay = true\n")[1]
    open_node.inject(Draft("bob@chat.example", ["x@world.example"], "Hi"))
    assert len(open_node.sent()) == 1


def test_a_key_makes_a_repetition_harmless() -> None:
    """A broker that delivers twice causes one message."""
    _, node = chat()
    first = node.inject(Draft("bob@chat.example", [ANN], "Hi"), key="17")
    again = node.inject(Draft("bob@chat.example", [ANN], "Hi"), key="17")
    assert (again.queue_id, again.message_id, again.is_repeated) == (first.queue_id, first.message_id, True)
    assert len(node.mailbox(ANN)) == 1


def test_a_flood_is_turned_away() -> None:
    """One sender cannot fill a mailbox, nor one gateway the node."""
    _, node = chat(config='[gateway.chat.source]\nrate_per_sender = "5/m"\nrate = "1/s"\n')
    taken = 0
    for _ in range(100):
        try:
            node.inject(Draft("bob@chat.example", [ANN], "Hi"))
        except Refused as refused:
            assert refused.reply.is_transient  # noqa: PT017 - it may also be taken
        else:
            taken += 1
    assert taken == 5
    for number in range(100):
        with pytest.raises(Refused) if number >= 5 else _nothing():
            node.inject(Draft(f"bob{number}@chat.example", [ANN], "Hi"))


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_a_traceparent_goes_through() -> None:
    """The trace that the other side began is the one that the next gateway gets."""
    peer, node = chat()
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    node.inject(Draft("bob@chat.example", ["eve@chat.example"], "Hi"), traceparent=given)
    message = peer.calls[0][0]
    assert message.traceparent.split("-")[1] == given.split("-")[1]


@define
class Troubled(Gateway):
    """A gateway whose source cannot start at first."""

    fails: int = 2
    opened: list[str] = field(factory=list, init=False)

    async def start(self) -> None:
        """Fail for a while."""
        self.fails -= 1
        if self.fails >= 0:
            raise ConnectionRefusedError("no broker")

    def source(self) -> IService:
        """Note that it was opened."""
        self.opened.append("source")
        return Service()


def test_a_source_that_cannot_start_is_tried_again() -> None:
    """Later each time, and nothing else waits for it."""
    gateway = Troubled()
    node = MemoryNode(gateway)
    assert not gateway.opened
    node.advance("1m")
    assert gateway.opened == ["source"]


# --- receipts


@pytest.mark.rfc("3461", "5.2.7")
def test_a_receipt_becomes_a_report_when_the_sender_asked() -> None:
    """Relayed now says nothing yet; the receipt is the success that NOTIFY asked for."""
    _, node = chat(Relayed(receipt_id="r1"))
    node.send(ANN, "bob@chat.example", notify=Notify.SUCCESS | Notify.FAILURE)
    assert not node.mailbox(ANN)
    assert node.receipt("r1", Delivered("read on a phone"))
    (report,) = node.mailbox(ANN)
    assert "delivered" in words_of(report)
    assert not node.receipt("r1", Delivered())


def test_a_failed_receipt_bounces_and_silence_does_too() -> None:
    """Who did not ask hears of failures only."""
    _, node = chat(Relayed(receipt_id="r1"), Relayed(receipt_id="r2"), Relayed(receipt_id="r3"))
    for _ in range(3):
        node.send(ANN, "bob@chat.example")
    node.receipt("r1", Failed("phone is off", "5.4.1"))
    node.receipt("r2", Delivered())
    assert len(node.mailbox(ANN)) == 1
    node.advance("4d")
    assert "no receipt came within 3d" in words_of(node.mailbox(ANN)[1])
    assert len(node.mailbox(ANN)) == 2


def test_one_id_may_stand_for_all_recipients() -> None:
    """Each sender's wish is kept for each recipient; a delay is told once."""
    _, node = chat(Relayed(receipt_id="r1"))
    node.send(ANN, "bob@chat.example", "eve@chat.example", notify=Notify.SUCCESS | Notify.DELAY)
    for _ in range(3):
        assert node.receipt("r1", Delayed("phone is off"))
    assert len(node.mailbox(ANN)) == 2
    node.receipt("r1", Delivered())
    assert len(node.mailbox(ANN)) == 4


def test_a_receipt_may_overtake_the_answer() -> None:
    """It is kept until the one arrives who awaits it."""
    peer, node = chat(HANG)
    node.send(ANN, "bob@chat.example", notify=Notify.SUCCESS)
    assert not node.receipt("r1", Delivered())
    waiting: Deferred[Any] = peer.waiting[0]
    waiting.callback(Relayed(receipt_id="r1"))
    node.advance(0)
    assert len(node.mailbox(ANN)) == 1


# --- loops


@define
class Parrot(Gateway):
    """Answers everything that it gets, and carries the mark."""

    heard: list[str] = field(factory=list, init=False)

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Answer at once."""
        for one in recipients:
            self.heard.append(message.text())
            answer = Draft(str(one.mailbox), [str(message.sender)], "And you?", in_reply_to=message.message_id)
            await self.node.submit(answer, protocol="PARROT", mark=message.mark)
        return None


@pytest.mark.rfc("5321", "6.3")
def test_two_gateways_that_answer_each_other_end_with_one_notice(events: list[dict[str, Any]]) -> None:
    """The hop limit ends it; the one notice goes to a machine, and is not answered."""
    first, second = Parrot(), Parrot()
    config = """
        [[domain]]
        name = "a.example"
        courier = "a"
        [[domain]]
        name = "b.example"
        courier = "b"
    """
    node = MemoryNode({"a": first, "b": second}, config=config)
    node.inject(Draft("x@a.example", ["y@b.example"], "How are you?"), gateway="a")
    node.advance("10d")
    assert len(first.heard) + len(second.heard) == 10
    assert [one["event"] for one in events if one.get("event") in ("loop", "notice")] == ["loop", "notice"]
    assert not node.queue()


@pytest.fixture
def events() -> Any:
    """Collect what is logged."""
    seen: list[dict[str, Any]] = []
    observer = implementer(ILogObserver)(lambda event: seen.append(event))  # noqa: PLW0108 - a method bears no interface
    globalLogPublisher.addObserver(observer)
    yield seen
    globalLogPublisher.removeObserver(observer)
