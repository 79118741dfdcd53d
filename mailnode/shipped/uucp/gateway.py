"""Mail for a UUCP neighbour: handed to uux(1), as rmail or as a batch for rbsmtp.

    [gateway.mars]
    kind = "uucp"
    neighbour = "mars"
    hostname = "earth"

    [[domain]]
    name = "mars.example.org"
    courier = "mars"

    [gateway.mars.addresses]
    map = ["{user}@mars.example.org <-> {user}"]

uux is run as ``uux - -r mars!rmail (ann) (bob)``: the job is queued for uucico, which somebody else calls. Recipients are what the
address map gives, by default the mail address; ``paths = "bang"`` writes ``example.org!ann``. The From_ line names the sender by a bang path
from ``hostname``, our name in UUCP. Arguments pass through programs of other people and hold only harmless characters.

What comes in is handed to ``mailnode-rmail`` and ``mailnode-rbsmtp`` by uuxqt; uucp's ``sys`` file lists them::

    commands rmail rbsmtp
    command-path /usr/local/lib/mailnode-uucp     # where rmail and rbsmtp are links to them

"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from attrs import define, field

from mailnode.gateways.api import (
    Answer,
    Delayed,
    Failed,
    Gateway,
    Mailbox,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Relayed,
    Seconds,
    Trouble,
    parse_mailbox,
)
from mailnode.shipped.programs.identity import Identity, identity_of
from mailnode.shipped.programs.processes import Program, run_to_end, sliced
from mailnode.shipped.uucp.bang import path_of
from mailnode.shipped.uucp.batch import BEHIND, before, offer_of, part
from mailnode.shipped.uucp.from_line import write_from_line

A_WEEK = 7 * 86400.0
MOST_IN_ONE = 20
"""Recipients of one uux: old systems have short command lines."""
_SAFE = re.compile(r"[A-Za-z0-9._+=%@:!/][A-Za-z0-9._+=%@:!/-]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_KEPT_OUTPUT = 1000


@define
class Uucp(Gateway):
    """Hands mail to uux."""

    neighbour: str = field()
    """The neighbour's name in UUCP."""
    hostname: str = field(default="")
    """Our own; empty: the first part of the node's name."""
    form: Literal["rmail", "rbsmtp"] = "rmail"
    """The program that the neighbour runs: rmail gets one message with its recipients as arguments, rbsmtp a batch."""
    paths: Literal["address", "bang"] = "address"
    """How rmail gets recipients that are mail addresses."""
    uux: tuple[str, ...] = field(default=("/usr/bin/uux", "-", "-r"))
    """How uux is called; the neighbour's program and its arguments follow."""
    user: str = ""
    """Who it runs as, when the node is root; empty: nobody, or the node's own user when that is not root."""
    time_limit: Seconds = Seconds(60)
    """How long it may take."""

    takes_automatic: ClassVar[bool] = True
    reads: ClassVar[Literal["octets", "text"]] = "octets"

    _identity: Identity | None = field(init=False, default=None)
    _run: Any = field(init=False, default=run_to_end)

    @neighbour.validator
    @hostname.validator
    def _check_name(self, _: object, value: str) -> None:
        if value and not _NAME.fullmatch(value):
            raise ValueError(f'expected a name of UUCP, such as "mars", not "{value}"')

    @uux.validator
    def _check_uux(self, _: object, value: Sequence[str]) -> None:
        if not value or not value[0]:
            raise ValueError('expected a program and its arguments: ["/usr/bin/uux", "-", "-r"]')

    async def start(self) -> None:
        """Find out whose rights uux is called with."""
        self._identity = await self.node.disk.run(lambda: identity_of(self.user))

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Hand it over, twenty recipients at a time."""
        answers: dict[OutgoingRecipient, Outcome] = {}
        wanted: list[OutgoingRecipient] = []
        for one in recipients:
            if self.form == "rmail" and not _SAFE.fullmatch(self._argument(one)):
                answers[one] = Failed("the address cannot be an argument of rmail", "5.1.3")
            elif await self.node.recall(f"sent {one.key}"):
                answers[one] = Relayed(f"queued for {self.neighbour}")
            else:
                wanted.append(one)
        for start in range(0, len(wanted), MOST_IN_ONE):
            group = wanted[start : start + MOST_IN_ONE]
            outcome = await self._hand_over(message, group)
            answers |= dict.fromkeys(group, outcome)
        return answers

    async def _hand_over(self, message: OutgoingMessage, group: Sequence[OutgoingRecipient]) -> Outcome:
        assert self._identity is not None  # noqa: S101 - ``start`` comes first
        try:
            words, beginning, octets = self._words(message, group)
        except Trouble as trouble:
            return trouble.outcome
        except ValueError as problem:
            return Failed(str(problem), "5.1.7")
        program = Program(
            [*self.uux, *words], self._identity.environment({}), "/", self._identity.uid, self._identity.gid
        )
        feed = sliced(octets, before=beginning)
        done = await self._run(self.node.reactor, program, feed=feed, keep=_KEPT_OUTPUT, limit=self.time_limit)
        said = done.output.decode("utf-8", "replace")
        if not done.is_success:
            return Delayed(f"uux: {done}: {said}", "4.3.0")
        for one in group:
            await self.node.remember(f"sent {one.key}", "uux", A_WEEK)
        return Relayed(f"queued for {self.neighbour}")

    def _words(
        self, message: OutgoingMessage, group: Sequence[OutgoingRecipient]
    ) -> tuple[Sequence[str], bytes, bytes]:
        """Give the arguments, and what is to be read from standard input."""
        host = self.hostname or self.node.hostname.partition(".")[0]
        if self.form == "rmail":
            # uux takes a word with ``!`` for a file, unless it stands in parentheses.
            words = [f"{self.neighbour}!rmail", *(f"({self._argument(one)})" for one in group)]
            return words, write_from_line(message.sender, host, self.node.clock.seconds()), message.octets()
        offer = offer_of(extended=False, dsn=False)
        batch = part(message, group, [parse_mailbox(one.address) for one in group], offer)
        return [f"{self.neighbour}!rbsmtp"], before(self.node.hostname, offer), batch + BEHIND

    def _argument(self, one: OutgoingRecipient) -> str:
        if self.paths == "address" or "@" not in one.address:
            return one.address
        try:
            mailbox: Mailbox = parse_mailbox(one.address)
            return path_of(mailbox)
        except ValueError:
            return ""
