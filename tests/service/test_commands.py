"""Tests of the commands, on rooms that live in memory."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailnode.accounts.memory import MemoryDirectory
from mailnode.interfaces import Refused, Selection
from mailnode.mail.address import Mailbox, parse_mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Message, NewEntry, Peer, QueuedRecipient
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Route
from mailnode.originator.within import to_its_end
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings, RouteSettings
from mailnode.service.asking import CommandFailed, Parts, selection
from mailnode.service.commands import Commands
from mailnode.service.current import REFUSE, CurrentRouter
from mailnode.service.history import History
from mailnode.service.settings import HistorySettings
from mailnode.spool.memory import MemorySpool
from tests.kit.results import InlineDisk, now


class Taken:
    """A transaction that remembers what it was given, and the reception that opens it."""

    def __init__(self) -> None:
        self.envelope: Envelope | None = None
        self.peer: Peer | None = None
        self.recipients: list[Mailbox] = []
        self.content = b""
        self.answer = Reply.of(250, "2.0.0", "Accepted as Q1")
        self.is_aborted = False

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> "Taken":
        """Open it."""
        self.peer, self.envelope = peer, envelope
        return self

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Not asked."""
        raise NotImplementedError

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Not asked."""
        raise NotImplementedError

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Take everybody but nobody."""
        if recipient.forward_path.local_part == "nobody":
            raise Refused(Reply.of(550, "5.1.1", "No such mailbox"))
        self.recipients.append(recipient.forward_path)
        return Reply.of(250, "2.1.5", "OK")

    def write(self, octets: bytes) -> None:
        """Take a block."""
        self.content += octets

    async def commit(self) -> Sequence[Reply]:
        """Answer as the test says."""
        return [self.answer] * len(self.recipients)

    def abort(self) -> None:
        """Note it."""
        self.is_aborted = True


class Asked:
    """Whoever asks."""

    def __init__(self, *blocks: bytes) -> None:
        self.items: list[dict[str, Any]] = []
        self._blocks = list(blocks)

    async def emit(self, item: dict[str, Any]) -> None:
        """Keep the item."""
        self.items.append(item)

    async def read(self) -> bytes:
        """Give the next block."""
        return self._blocks.pop(0) if self._blocks else b""


class Woken:
    """A queue that counts how often it is woken."""

    def __init__(self) -> None:
        self.times = 0
        self.recalls: list[Callable[[Message, QueuedRecipient], bool]] = []

    async def submit(self, entry: NewEntry) -> None:
        """Not asked."""
        raise NotImplementedError

    def wake(self) -> None:
        """Count."""
        self.times += 1

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> None:
        """Keep what was asked."""
        self.recalls.append(is_meant)


class House:
    """Commands and the rooms they work on."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.clock.advance(10_000)
        self.spool = MemorySpool(self.clock)
        self.queue = Woken()
        self.taken = Taken()
        self.directory = MemoryDirectory()
        domain = DomainSettings(name="example.org", aliases={"staff": ("ann", "staff2"), "staff2": ("ann", "staff")})
        router = TableRouter(
            hostname="mx.example.org", domains=[domain], routes=[RouteSettings(courier=REFUSE)],
            directory=self.directory,
        )  # fmt: skip
        history = folder / "history.db"
        self.history = History(history, disk=InlineDisk(), clock=self.clock, settings=HistorySettings())
        self.commands = Commands(
            Parts(
                self.spool, self.queue, self.directory, CurrentRouter(router), self.taken, InlineDisk(), self.clock,
                history, self.history.flush,
            )
        )  # fmt: skip

    def ask(self, command: Any, *blocks: bytes, **request: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Run a command; give its last word and its items."""
        asked = Asked(*blocks)
        return now(self.commands.run({"command": command, **request}, asked)), asked.items

    def fails(self, command: Any, **request: Any) -> CommandFailed:
        """Run a command that fails; give its failure."""
        with pytest.raises(CommandFailed) as raised:
            self.ask(command, **request)
        return raised.value

    def put(self, queue_id: str, sender: str = "ann@example.org", to: str = "bob@example.net") -> None:
        """Put a message into the spool."""
        path, recipient = parse_mailbox(sender), Recipient(parse_mailbox(to))
        message = Message(queue_id, Envelope(path, (recipient,)), Content(b"x" * 7), self.clock.seconds())
        route = Route(Lane("smtp", recipient.forward_path.domain), recipient.forward_path)
        now(self.spool.accept(NewEntry(message, (route,), 99_999), due=20_000))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give a house."""
    return House(tmp_path)


@pytest.mark.parametrize("command", ["nonsense", None, 3, ["send"]])
def test_an_unknown_command_is_an_error_of_usage(house: House, command: Any) -> None:
    """It hears so, whatever it is."""
    assert house.fails(command).code == 64


def test_the_queue_is_listed_by_age_with_filters(house: House) -> None:
    """Entries come oldest first; domain, sender and age narrow them down."""
    house.put("A")
    house.clock.advance(100)
    house.put("B", sender="carl@example.org", to="dora@example.com")
    done, items = house.ask("queue.list")
    assert [item["queue_id"] for item in items] == ["A", "B"]
    assert done == {"messages": 2}
    assert items[0]["recipients"][0]["to"] == "bob@example.net"
    assert items[0]["size"] == 7
    for narrowed, expected in (
        ({"domain": "example.com"}, ["B"]), ({"from": "ann@example.org"}, ["A"]), ({"older": 50}, ["A"]),
    ):  # fmt: skip
        assert [item["queue_id"] for item in house.ask("queue.list", **narrowed)[1]] == expected


def test_a_long_queue_is_listed_whole(house: House) -> None:
    """Listing goes on beyond one page."""
    for number in range(450):
        house.put(f"Q{number:04}")
    assert len(house.ask("queue.list")[1]) == 450


def test_one_message_is_shown(house: House) -> None:
    """``queue.show`` gives exactly the one asked for."""
    house.put("A")
    house.put("B")
    assert [item["queue_id"] for item in house.ask("queue.show", queue_id="B")[1]] == ["B"]
    assert house.fails("queue.show", queue_id="C").code == 67
    assert house.fails("queue.show", queue_id="").code == 67


def test_hold_release_retry_and_remove_change_the_spool(house: House) -> None:
    """Each says how many recipients it changed, and the queue is woken where something became due."""
    house.put("A")
    assert house.ask("queue.hold", queue_id="A")[0] == {"recipients": 1}
    assert house.ask("queue.list")[1][0]["recipients"][0]["held"]
    assert house.ask("queue.release", queue_id="A")[0] == {"recipients": 1}
    assert house.ask("queue.retry", queue_id="A")[0] == {"recipients": 1}
    assert house.queue.times == 2
    assert house.ask("queue.remove", domain="example.net")[0] == {"recipients": 1}
    assert house.ask("status")[0] == {"messages": 0, "recipients": 0}


def test_hold_and_remove_reach_into_the_memory_of_the_queue(house: House) -> None:
    """The queue is told to give back exactly what was held or removed."""
    house.put("A")
    house.put("B", to="carl@example.com")
    listed = now(house.spool.listing(Selection(), limit=9))
    house.ask("queue.hold", domain="EXAMPLE.com")
    house.ask("queue.remove", queue_id="A")
    meant = [
        [one.message.queue_id for one in listed if asks(one.message, one.recipients[0])] for asks in house.queue.recalls
    ]
    assert meant == [["B"], ["A"]]


@pytest.mark.parametrize("request_", [{"older": "4h"}, {"older": -1}, {"domain": 3}, {"queue_id": []}])
def test_a_wrong_filter_is_an_error_of_usage(request_: Mapping[str, Any]) -> None:
    """Nothing is guessed."""
    with pytest.raises(CommandFailed):
        selection(request_, Clock())


def test_no_filter_selects_everything() -> None:
    """Empty fields match all."""
    assert selection({}, Clock()) == Selection()


def test_send_goes_through_the_door(house: House) -> None:
    """Sender, recipients and every block of the content reach the reception; the answer bears the queue id."""
    to = ["bob@example.org", "<dora@example.org>"]
    done, _ = house.ask("send", b"Subject: x\r\n", b"\r\nhello\r\n", **{"from": "ann@example.org", "to": to})
    assert done["queue_id"] == "Q1"
    assert house.taken.recipients == [Mailbox("bob", "example.org"), Mailbox("dora", "example.org")]
    assert house.taken.content == b"Subject: x\r\n\r\nhello\r\n"
    assert house.taken.envelope is not None
    assert house.taken.envelope.reverse_path == Mailbox("ann", "example.org")
    assert not house.taken.envelope.smtputf8


def test_send_knows_the_null_path_and_other_scripts(house: House) -> None:
    """``<>`` is the null reverse-path; an address beyond ASCII asks for SMTPUTF8."""
    house.ask("send", **{"from": "<>", "to": ["bär@example.org"]})
    assert house.taken.envelope is not None
    assert house.taken.envelope.reverse_path == Mailbox("", "")
    assert house.taken.envelope.smtputf8


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"from": "ann@example.org", "to": []}, 64),
        ({"from": "ann@example.org", "to": "bob@example.org"}, 64),
        ({"from": "ann@@example.org", "to": ["bob@example.org"]}, 64),
        ({"from": "ann@example.org", "to": ["nobody@example.org"]}, 69),
    ],
)
def test_send_says_what_is_wrong(house: House, request_: Mapping[str, Any], code: int) -> None:
    """Wrong addresses are usage, refused ones are unavailable; nothing is kept of the transaction."""
    assert house.fails("send", **request_).code == code
    assert house.taken.is_aborted == (code == 69)


@pytest.mark.parametrize(("reply", "code"), [("452", 75), ("554", 69)])
def test_a_refused_commit_is_an_error(house: House, reply: str, code: int) -> None:
    """What the door says at the end is the command's answer."""
    house.taken.answer = Reply.of(int(reply), f"{reply[0]}.3.0", "No")
    assert house.fails("send", **{"from": "a@example.org", "to": ["b@example.org"]}).code == code


def test_accounts_are_added_listed_and_removed(house: House) -> None:
    """Doing it twice is said, not done."""
    assert house.ask("account.add", address="Ann@example.org")[0]
    assert house.fails("account.add", address="ann@EXAMPLE.org").code == 65
    assert [item["address"] for item in house.ask("account.list")[1]] == ["ann@example.org"]
    assert house.ask("account.list", domain="example.net")[1] == []
    assert house.ask("account.remove", address="ann@example.org")[0]
    assert house.fails("account.remove", address="ann@example.org").code == 67
    assert house.fails("account.add", address="ann").code == 64


def test_explain_follows_lists_to_their_ends(house: House) -> None:
    """Each address is met once, circles end, and every step has its reason."""
    house.ask("account.add", address="ann@example.org")
    _, steps = house.ask("explain", address="staff@example.org")
    assert [(step["address"], step["outcome"]) for step in steps] == [
        ("staff@example.org", "list"),
        ("ann@example.org", "route"),
        ("staff2@example.org", "list"),
        ("ann@example.org", "seen"),
        ("staff@example.org", "seen"),
    ]
    assert all(step["why"] for step in steps)


def test_explain_shows_refusals(house: House) -> None:
    """What nobody gets, and what may not leave."""
    assert house.ask("explain", address="nobody@example.org")[1][0]["reply"].startswith("550 5.1.1")
    assert house.ask("explain", address="x@example.com")[1][0]["reply"].startswith("550 5.7.1")


def test_trace_tells_the_steps_and_what_still_waits(house: House) -> None:
    """Steps come from the history, even those not written yet; the spool says what waits."""
    house.put("A")
    house.history({"log_format": "taken", "log_time": 1.0, "queue_id": "A", "event": "accepted", "size": 7})
    done, steps = house.ask("trace", queue_id="A")
    assert [(step["event"], step["message"], step["fields"]) for step in steps] == [("accepted", "taken", {"size": 7})]
    assert done["waiting"]["queue_id"] == "A"
    assert house.fails("trace", queue_id="B").code == 67
    now(house.history.close())


def test_what_must_end_ends_though_nobody_waits() -> None:
    """Cancelling the waiting does not cancel a commit."""
    inner: Deferred[int] = Deferred()
    ended: list[int] = []

    async def commit() -> int:
        ended.append(await inner)
        return 1

    waiting = Deferred.fromCoroutine(to_its_end(commit()))
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    inner.callback(5)
    assert ended == [5]
