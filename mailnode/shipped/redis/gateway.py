"""The class behind ``kind = "redis"``: its settings, and what they make of a message."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from attrs import define, field
from twisted.application.service import IService

from mailnode.gateways.api import (
    Answer,
    Delivered,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
)
from mailnode.shipped.broker import Place, Trust
from mailnode.shipped.forms import FORMS, key_for
from mailnode.shipped.intake import FROM, MARK, QUEUE_ID, TO, TRACE, Intake
from mailnode.shipped.naming import check_template, fill, to_each_name
from mailnode.shipped.redis.entry import Adder, Entry

PORTS = {"redis": 6379, "rediss": 6379, "unix": 0}


@define
class RedisStreams(Gateway):
    """Adds mail to streams, and makes mail of what a stream holds."""

    url: str = field()
    """Where Redis is: ``rediss://host:port/database``; redis is without TLS; or ``unix:///path``."""
    credentials: str = ""
    """A file whose first line is user:password; the user may be empty. No file: no AUTH."""
    authorities: str = ""
    """A PEM file of who may sign the server's certificate; empty: the system's authorities."""
    certificate: str = ""
    """A PEM file of our own certificate and its private key; empty: none."""
    stream: str = field(default="mail")
    """The stream that mail is added to; may hold {address}, {local_part}, {domain} and {sender_domain}."""
    form: Literal["json", "raw"] = "json"
    """json: fields, text and files; raw: the message as it is."""
    most: int = field(default=0)
    """About how many entries a stream keeps, the oldest go; 0: all."""
    once: Seconds = Seconds(86400)
    """For how long Redis remembers keys, so that no entry is added twice; "0s": not at all."""
    consume: str = ""
    """The stream whose entries become mail; empty: none."""
    group: str = "mailnode"
    """The consumer group; made if it is not there, and then it begins with the stream's first entry."""
    consumer: str = ""
    """Our name in the group, the same after a restart; empty: hostname and the gateway's name."""
    dead: str = ""
    """The stream of what could never be mail; empty: that of ``consume`` with ":dead"."""
    sender: str = ""
    """Who has written entries that do not say it."""
    to: tuple[str, ...] = ()
    """Who gets entries that do not say it."""
    prefetch: int = field(default=20)
    """How many entries may be on their way to the node at once."""
    idle: Seconds = Seconds(300)
    """After how long we take over what another consumer of the group has read and not acknowledged."""
    timeout: Seconds = Seconds(20)
    """How long an answer may take."""

    adder: Adder | None = field(init=False, default=None)
    """Made with the first mail."""

    takes_automatic: ClassVar[bool] = True
    needs: ClassVar[Sequence[str]] = ("hiredis (mailnode[redis])",)

    @url.validator
    def _check_url(self, _: object, value: str) -> None:
        place = Place.parse(value, PORTS)
        if place.host and place.path and not (place.path.isascii() and place.path.isdigit()):
            raise ValueError(f'expected the number of a database behind the host, not "{place.path}"')

    @stream.validator
    def _check_stream(self, _: object, value: str) -> None:
        check_template(value)

    @prefetch.validator
    def _check_prefetch(self, _: object, value: int) -> None:
        if not 1 <= value <= 10_000:
            raise ValueError(f"expected 1 to 10000, not {value}")

    @most.validator
    def _check_most(self, _: object, value: int) -> None:
        if value < 0:
            raise ValueError(f"expected 0 or more, not {value}")

    @property
    def place(self) -> Place:
        """Give where the server is."""
        return Place.parse(self.url, PORTS)

    @property
    def trust(self) -> Trust:
        """Give the files of TLS."""
        return Trust(self.authorities, self.certificate)

    # --- out

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Add it, once for all or once for each, as the stream's name wants."""
        return await to_each_name(self.stream, recipients, partial(self._add, message))

    async def _add(self, message: OutgoingMessage, group: Sequence[OutgoingRecipient]) -> Outcome:
        content_type, body = FORMS[self.form](message, group)
        key = key_for(group)
        fields: dict[str, str | bytes] = {
            "message_id": key,
            "content_type": content_type,
            TRACE: message.traceparent,
            QUEUE_ID: message.queue_id,
            MARK: message.mark,
            FROM: str(message.sender),
            TO: ", ".join(str(one.mailbox) for one in group),
            "body": body,
        }
        if self.adder is None:
            self.adder = self._adder()
        entry = Entry(fill(self.stream, message, group[0]), key, fields)
        return Delivered(f"added to {entry.stream} as {await self.adder.add(entry)}")

    def _adder(self) -> Adder:
        from mailnode.shipped.redis.adding import StreamAdder  # noqa: PLC0415 - hiredis is only there if it is needed
        from mailnode.shipped.redis.connecting import Server  # noqa: PLC0415

        server = Server(self.node, self.place, self.trust, self.credentials, self.timeout)
        return StreamAdder(server, most=self.most, once=int(self.once))

    async def stop(self) -> None:
        """Close what adds."""
        adder, self.adder = self.adder, None
        if adder is not None:
            await adder.close()

    # --- in

    def source(self) -> IService | None:
        """Read a stream, if one is named."""
        if not self.consume:
            return None
        from mailnode.shipped.redis.connecting import Server  # noqa: PLC0415
        from mailnode.shipped.redis.reading import GroupReader, Membership  # noqa: PLC0415

        membership = Membership(
            self.consume, self.group, self.consumer or f"{self.node.hostname} {self.node.name}",
            self.dead or f"{self.consume}:dead", self.prefetch, int(self.idle * 1000),
        )  # fmt: skip
        server = Server(self.node, self.place, self.trust, self.credentials, self.timeout)
        return GroupReader(server, Intake(self.node, "REDIS", self.sender, self.to), membership)
