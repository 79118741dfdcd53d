"""Tests of the intake: what a broker's message becomes, and what the gateway is to say to its broker."""

import json
from typing import Any

from attrs import define, field

from mailnode.gateways.api import Gateway, Refused
from mailnode.mail.reply import Reply
from mailnode.shipped.intake import Bad, Intake, Item, Later, Taken, Verdict
from mailnode.testing.api import MemoryNode, now

ANN, BOB, EVE = "ann@home.example", "bob@home.example", "eve@home.example"
RAW = b"From: r@x.example\r\nSubject: raw\r\n\r\nHi\r\n"


@define
class Source(Gateway):
    """A gateway that only brings."""

    def source(self) -> None:
        """Nothing comes by itself."""


def taking(config: str = "", sender: str = "", to: tuple[str, ...] = ()) -> tuple[MemoryNode, Any]:
    """Make a node and what takes items for it."""
    node = MemoryNode({"bus": Source()}, config=config)
    intake = Intake(node.gateway().node, "BUS", sender, to)

    def take(body: bytes, key: str = "", kind: str = "", **headers: str) -> Verdict:
        fields = {f"x-mailnode-{name}": value for name, value in headers.items()}
        verdict = now(intake.take(Item(body, key, kind, fields)))
        node.clock.advance(0)
        return verdict

    return node, take


def told(**fields: Any) -> bytes:
    """Write JSON."""
    return json.dumps(fields).encode()


def test_raw_and_json_are_told_apart() -> None:
    """By their type, and without one by what they look like."""
    node, take = taking(sender="r@x.example", to=(ANN,))
    assert take(RAW) == take(RAW, kind="message/rfc822") == take(told(text="a")) == Taken()
    assert take(b' {"text": "b"}', kind="application/json; charset=utf-8") == Taken()
    assert take(told(text="c"), kind="application/vnd.x+json") == Taken()
    assert len(node.mailbox(ANN)) == 5
    assert "with BUS id" in node.mailbox(ANN)[0].as_string()


def test_the_envelope_comes_from_the_headers_or_the_settings() -> None:
    """Nobody to send to is bad."""
    node, take = taking()
    assert take(RAW, to=f"{ANN}, {BOB}", **{"from": ""}) == Taken()
    assert len(node.mailbox(ANN)) == len(node.mailbox(BOB)) == 1
    assert isinstance(take(RAW), Bad)
    assert isinstance(take(b"", to=ANN), Bad)
    assert isinstance(take(RAW, to="no address"), Bad)
    assert isinstance(take(RAW, to="x@elsewhere.example"), Bad)


def test_a_key_makes_it_once() -> None:
    """However often it comes."""
    node, take = taking(to=(ANN,), sender="r@x.example")
    assert [take(told(text="a"), key="k") for _ in range(3)] == [Taken()] * 3
    assert len(node.mailbox(ANN)) == 1


def test_too_many_is_later_and_then_taken() -> None:
    """The rate of the source is a pause and no loss."""
    node, take = taking('[gateway.bus.source]\nrate_per_sender = "1/m"', "r@x.example", (ANN,))
    assert take(told(text="a"), key="1") == Taken()
    assert isinstance(take(told(text="b"), key="2"), Later)
    node.advance("2m")
    assert take(told(text="b"), key="2") == Taken()
    assert len(node.mailbox(ANN)) == 2


def test_of_several_recipients_each_gets_it_once_even_if_one_is_nobody() -> None:
    """Also when the message comes again."""
    node, take = taking(sender="r@x.example")
    body = told(to=[ANN, "x@elsewhere.example", EVE], text="a")
    assert take(body, key="k") == take(body, key="k") == Taken()
    assert len(node.mailbox(ANN)) == len(node.mailbox(EVE)) == 1


def test_who_was_refused_for_now_gets_it_later() -> None:
    """A repetition tells who was refused the first time; only he is tried again."""
    node, take = taking(sender="r@x.example")
    inner: Any = node.gateway().node
    inner.reception = door = Busy(inner.reception)
    body = told(to=[ANN, EVE], text="a")
    assert isinstance(take(body, key="k"), Later)
    assert isinstance(take(body, key="k"), Later)
    door.is_busy = False
    assert take(body, key="k") == Taken()
    assert take(body, key="k") == Taken()
    assert door.asked == [ANN, EVE, EVE, EVE, EVE]
    assert len(node.mailbox(ANN)) == len(node.mailbox(EVE)) == 1


@define
class Busy:
    """A reception, and its transactions, that refuse Eve for now."""

    inner: Any
    is_busy: bool = True
    asked: list[str] = field(factory=list)

    async def begin(self, *arguments: Any) -> Any:
        """Begin; the transaction's recipients are asked about here."""
        transaction = await self.inner.begin(*arguments)
        add = transaction.add_recipient

        async def add_recipient(recipient: Any) -> None:
            self.asked.append(str(recipient.forward_path))
            if self.is_busy and self.asked[-1] == EVE:
                raise Refused(Reply.of(451, "4.2.1", "busy"))
            await add(recipient)

        return Turned(transaction, add_recipient)


@define
class Turned:
    """A transaction with another add_recipient."""

    inner: Any
    add_recipient: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_bug_is_later(lost_failures: list[dict[str, Any]]) -> None:
    """And is logged with its traceback; the message stays with the broker."""
    node, take = taking(sender="r@x.example", to=(ANN,))

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise LookupError("a bug")

    node.gateway().node.reception = Broken()  # type: ignore[attr-defined]
    assert take(told(text="a")) == Later("LookupError: a bug")
    (failure,) = lost_failures
    assert failure["log_failure"].check(LookupError)
    lost_failures.clear()
