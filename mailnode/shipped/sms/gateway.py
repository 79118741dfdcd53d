"""The gateway: its settings, and how its parts are put together."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal
from zlib import crc32

from attrs import define, field
from twisted.application.internet import TimerService
from twisted.application.service import IService
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import clientFromString
from twisted.python.failure import Failure

from mailnode.gateways.api import (
    Answer,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
    own_words,
    parse_mailbox,
    with_attachments,
)
from mailnode.shipped.sms.assembly import Assembly
from mailnode.shipped.sms.incoming import Inbox
from mailnode.shipped.sms.link import Link
from mailnode.shipped.sms.outgoing import Sender
from mailnode.shipped.sms.pdu import Number
from mailnode.shipped.sms.receipts import PartReceipts
from mailnode.shipped.sms.segments import Carried, carried, written
from mailnode.shipped.sms.settings import Access, Pace
from mailnode.shipped.sms.words import MOST, dialled

LOOK = 30.0
"""Seconds between two looks for texts whose parts are missing."""
_BAD_NUMBER = Failed("this is no number that can be dialled", "5.1.3")
_EMPTY = Failed("the message has no text", "5.6.0")
_LETTERS = re.compile(r"[A-Za-z0-9 ._-]{1,11}", re.ASCII)


@define
class Sms(Gateway):
    """Text messages by SMPP 3.4."""

    endpoint: str = field()
    """Where the SMSC is: "tcp:HOST:PORT" or "tls:HOST:PORT", as Twisted writes clients."""
    system_id: str = field()
    """The name to bind with."""
    password_file: str = ""
    """The file whose first line is the password; only the node's user should be able to read it. Empty: no password."""
    system_type: str = ""
    """What some SMSCs want beside the name."""
    number: str = field(default="")
    """Our number or name that the recipients see; empty: the SMSC knows."""
    to: str = field(default="")
    """Who gets what comes in; empty: it is refused where nothing else says."""
    numbers: Mapping[str, str] = field(factory=dict)
    """Whose mail it is that comes to one of our numbers: "4915770001" = "office@example.org"."""
    answers: bool = True
    """What a number sends goes to whoever wrote to it last, within a month, if that is one of us."""
    max_parts: int = field(default=6)
    """Parts of a text; what does not fit is left out, and said so."""
    alphabet: Literal["auto", "gsm", "ucs2"] = "auto"
    """auto: UCS-2 where the GSM alphabet does not hold the text; gsm: what it does not hold becomes a question mark."""
    default_alphabet: Literal["gsm", "latin1"] = "gsm"
    """What the SMSC takes octets of data_coding 0 for."""
    segmentation: Literal["udh", "sar"] = "udh"
    """How parts are told apart: a header in the text, or TLVs."""
    subject: bool = False
    """Put the subject before the text; without any text it is sent at all events."""
    quotes: bool = False
    """Leave quotations and signatures in the text."""
    attachments: Literal["drop", "reject"] = "drop"
    """What happens to files: a line tells of each, or the message bounces."""
    receipts: bool = True
    """Ask for delivery receipts."""
    message_ids: Literal["same", "hexadecimal"] = "same"
    """hexadecimal: the SMSC answers with hexadecimal digits and writes decimal ones into its receipts."""
    window: int = field(default=10)
    """Parts that wait for their answers at the same time."""
    per_second: float = field(default=0.0)
    """Parts a second; 0: any number."""
    hold: Seconds = Seconds(30)
    """For how long nothing is sent once the SMSC has said that it is too much."""
    answer_timeout: Seconds = Seconds(30)
    """How long to wait for an answer; then the connection is made anew."""
    enquire: Seconds = Seconds(30)
    """After how long a silence to ask whether the SMSC is still there."""
    parts_wait: Seconds = Seconds(3600)
    """How long to wait for the missing parts of what comes in."""
    redelivery: Seconds = Seconds(300)
    """For how long the same message is known again when it comes by another connection; "0s": never."""
    statuses: Mapping[str, Literal["delayed", "failed"]] = field(factory=dict)
    """What a command_status means, where it is not what is usual: "0x401" = "failed"."""

    default_map: ClassVar[Sequence[str]] = ("{number}@sms.example.org <-> {number}",)
    one_process: ClassVar[bool] = True

    _link: Link = field(init=False, repr=False, eq=False)
    _inbox: Inbox = field(init=False, repr=False, eq=False)
    _sender: Sender = field(init=False, repr=False, eq=False)

    @endpoint.validator
    def _check_endpoint(self, _: object, value: str) -> None:
        if not re.match(r"(tcp|tls|ssl|unix):.", value):
            raise ValueError(f'expected "tcp:HOST:PORT" or "tls:HOST:PORT", not "{value}"')

    @system_id.validator
    def _check_system_id(self, _: object, value: str) -> None:
        if not value.isascii() or not 0 < len(value) < 16:
            raise ValueError("expected a name of at most 15 ASCII characters")

    @number.validator
    def _check_number(self, _: object, value: str) -> None:
        if value and not dialled(value) and not _LETTERS.fullmatch(value):
            raise ValueError(f'expected a number, or a name of at most 11 letters, not "{value}"')

    @to.validator
    def _check_to(self, _: object, value: str) -> None:
        if value:
            parse_mailbox(value)

    @numbers.validator
    def _check_numbers(self, _: object, value: Mapping[str, str]) -> None:
        for number, address in value.items():
            if not dialled(number):
                raise ValueError(f'expected a number, not "{number}"')
            parse_mailbox(address)

    @statuses.validator
    def _check_statuses(self, _: object, value: Mapping[str, str]) -> None:
        for status in value:
            if not re.fullmatch(r"0x[0-9A-Fa-f]{1,8}", status):
                raise ValueError(f'expected a command_status such as "0x58", not "{status}"')

    @max_parts.validator
    @window.validator
    def _check_few(self, _: object, value: int) -> None:
        if not 1 <= value <= 100:
            raise ValueError(f"expected 1 to 100, not {value}")

    @per_second.validator
    def _check_per_second(self, _: object, value: float) -> None:
        if value < 0:
            raise ValueError("expected 0 or more")

    # --- life

    async def start(self) -> None:
        """Begin to keep a bind; that it cannot be made yet is no reason not to start."""
        node = self.node
        book = PartReceipts(node, self.message_ids == "hexadecimal")
        self._inbox = Inbox(
            node, book, Assembly(node, self.parts_wait, self.redelivery), self.to,
            {dialled(number): address for number, address in self.numbers.items()}, self.answers, self.redelivery,
            self.default_alphabet,
        )  # fmt: skip
        pace = Pace(self.window, self.answer_timeout, self.enquire, self.per_second, self.hold)
        self._link = Link(
            clientFromString(node.reactor, self.endpoint), self._access, pace, node.clock, node.random, self._inbox.take,
            node.log,
        )  # fmt: skip
        statuses = {int(status, 16): word for status, word in self.statuses.items()}
        self._sender = Sender(node, self._link, book, self._source(), self.receipts, statuses)
        self._link.start()

    async def stop(self) -> None:
        """Unbind."""
        await self._link.stop()

    def source(self) -> IService:
        """Look for texts whose parts do not come; what comes in is brought by the bind."""
        service = _Incoming(LOOK, self._look)
        service.clock = self.node.clock
        service.inbox = self._inbox
        return service

    def _look(self) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self._inbox.look())
        return looking.addErrback(lambda failure: self.node.log.failure("looking for missing parts failed", failure))

    async def _access(self) -> Access:
        password = ""
        if self.password_file:
            first = await self.node.disk.run(self._first_line)
            password = first.decode("ascii")
        return Access(self.system_id, self.system_type, password)

    def _first_line(self) -> bytes:
        with Path(self.password_file).open("rb") as file:
            return file.readline(100).strip()

    def _source(self) -> Number:
        if not self.number:
            return Number()
        digits = dialled(self.number)
        if not digits:
            return Number(self.number, ton=5)
        return Number(digits, ton=1 if self.number.startswith("+") else 0, npi=1)

    # --- out

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Send the text to each number."""
        text = self._text(message)
        if not text:
            return _EMPTY
        beyond = max(0, len(message.text()) - MOST)
        whole = written(text, self.alphabet, self.max_parts, self.default_alphabet, beyond=beyond)
        sending = [
            Deferred.fromCoroutine(self._one(message, one, carried(
                whole, crc32(one.key.encode()), self.segmentation, self.default_alphabet
            )))
            for one in recipients
        ]  # fmt: skip
        outcomes = await DeferredList(sending, consumeErrors=True)  # every one is seen to its end, or all are cancelled
        for _, outcome in outcomes:
            if isinstance(outcome, Failure):
                outcome.raiseException()
        return {one: outcome for one, (_, outcome) in zip(recipients, outcomes, strict=True)}

    async def _one(self, message: OutgoingMessage, one: OutgoingRecipient, parts: list[Carried]) -> Outcome:
        digits = dialled(one.address)
        if not digits:
            return _BAD_NUMBER
        await self._inbox.note_talk(digits, message.sender, message)
        return await self._sender.send(parts, Number(digits, ton=1, npi=1), one)

    def _text(self, message: OutgoingMessage) -> str:
        said = message.text()
        own = said[:MOST].strip() if self.quotes else own_words(said)
        whole = with_attachments(own, message.attachments, self.attachments).text
        if self.subject or not whole:
            whole = f"{message.subject}\n{whole}".strip()
        return whole


class _Incoming(TimerService):
    """Closes the inbox when the node wants nothing more to come in."""

    inbox: Inbox

    def stopService(self) -> Deferred[None]:
        """Let the SMSC keep what it has."""
        self.inbox.is_closed = True
        stopped: Deferred[None] = super().stopService()
        return stopped
