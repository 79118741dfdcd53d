"""Mail becomes the standard input of a program; its exit status says what became of it.

    [gateway.procmail]
    kind = "pipe"
    run = ["/usr/bin/procmail", "-Y", "-f", "{sender}", "-a", "{extension}", "-d", "{user}"]
    user = "vmail"
    from_line = true

    [[domain]]
    name = "lists.example.org"
    courier = "procmail"

There is a run for each recipient, or one for all where ``{recipients}`` is an argument (``arguments`` tells the fields). 0 is
success, other statuses are read as sysexits.h has them (``sysexits``), and ``statuses`` may say otherwise. The beginning of what
the program prints stands in the log and in a bounce.

Programs find little in their environment: PATH, LANG, HOME, USER, LOGNAME, what ``environment`` says, and ``MAILNODE_KEY`` (the same on
every attempt: whoever has seen it has seen the message), ``MAILNODE_MARK`` and ``TRACEPARENT``.

``time_limit`` is for one attempt with all its runs; make ``queue.timeout`` of the gateway longer. Recipients who were served are not served
again when time is over for others.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore, FirstError, gatherResults

from mailnode.couriers.mbox_file import from_line
from mailnode.gateways.api import (
    Answer,
    Delayed,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
    Trouble,
)
from mailnode.shipped.programs import arguments
from mailnode.shipped.programs.identity import Identity, identity_of
from mailnode.shipped.programs.processes import Program, run_to_end, sliced
from mailnode.shipped.programs.sysexits import Meaning, outcome_of_exit

_KEPT_OUTPUT = 2000
_LOOP = Failed("it has been here before: Delivered-To names the recipient already", "5.4.6")
_LATE = Delayed("there was no time left for this recipient", "4.3.2")


@define
class Pipe(Gateway):
    """Hands mail to a program."""

    run: tuple[str, ...] = field()
    """The program and its arguments, with fields in braces; never a shell's line."""
    user: str = field(default="")
    """Who it runs as, when the node is root; empty: nobody, or the node's own user when that is not root."""
    group: str = ""
    """The group it runs as; empty: the user's."""
    folder: str = ""
    """Where it runs; empty: where the node does."""
    environment: Mapping[str, str] = field(factory=dict)
    """Further variables of its environment."""
    from_line: bool = False
    """Begin with a line "From sender date", as in an mbox."""
    return_path: bool = False
    """Put a Return-Path field before the message."""
    delivered_to: bool = False
    """Put a Delivered-To field before the message, and bounce what has that of its recipient already."""
    newlines: Literal["lf", "crlf"] = "lf"
    """How lines end for the program."""
    null_sender: str = "MAILER-DAEMON"
    """What {sender} is for bounces, whose reverse-path is null."""
    time_limit: Seconds = Seconds(100)
    """How long one attempt may take; then programs get SIGTERM, and SIGKILL five seconds later."""
    parallel: int = field(default=5)
    """Runs at the same time; messages at the same time are concurrency of [gateway.NAME.queue]."""
    statuses: Mapping[str, Meaning] = field(factory=dict)
    """What an exit status means, where it is not what sysexits.h says: ``"1" = "failed"``."""

    takes_automatic: ClassVar[bool] = True
    reads: ClassVar[Literal["octets", "text"]] = "octets"

    _identity: Identity | None = field(init=False, default=None)
    _turns: DeferredSemaphore = field(init=False)
    _done: dict[str, Outcome] = field(init=False, factory=dict)
    _run: Any = field(init=False, default=run_to_end)

    def __attrs_post_init__(self) -> None:
        """Make what bounds the runs."""
        self._turns = DeferredSemaphore(self.parallel)

    @run.validator
    def _check_run(self, _: object, value: Sequence[str]) -> None:
        arguments.check(value)

    @user.validator
    def _check_user(self, _: object, value: str) -> None:
        if value == "root":
            raise ValueError("expected another user than root")

    @parallel.validator
    def _check_parallel(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"expected 1 or more, not {value}")

    @statuses.validator
    def _check_statuses(self, _: object, value: Mapping[str, str]) -> None:
        wrong = [status for status in value if not (status.isascii() and status.isdigit() and int(status) < 256)]
        if wrong:
            raise ValueError(f"expected exit statuses, 0 to 255, not {', '.join(wrong)}")

    async def start(self) -> None:
        """Find out whose rights programs have."""
        self._identity = await self.node.disk.run(lambda: identity_of(self.user, self.group))

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Run the program for all, or for each."""
        end = self.node.reactor.seconds() + self.time_limit
        answers = {one: _LOOP for one in recipients if self._is_loop(message, one)}
        wanted = [one for one in recipients if one not in answers]
        groups = [[one] for one in wanted]
        if wanted and arguments.is_for_all(self.run):
            groups = [wanted]
        running = [Deferred.fromCoroutine(self._one(message, group, end)) for group in groups]
        whole = gatherResults(running, consumeErrors=True)
        try:
            outcomes = await whole
        except FirstError as first:
            for one in running:
                one.cancel()  # which ends their programs
            problem: BaseException = first.subFailure.value  # type: ignore[assignment]  # there is one
            raise problem from None
        # Those who were served are remembered only for an attempt that is cut off.
        for group in groups:
            self._done.pop(_key_of(group), None)
        return {**answers, **{one: outcome for group, outcome in zip(groups, outcomes, strict=True) for one in group}}

    async def _one(self, message: OutgoingMessage, group: Sequence[OutgoingRecipient], end: float) -> Outcome:
        """Run it once."""
        key = _key_of(group)
        if key in self._done:
            return self._done[key]
        try:
            values = arguments.values_of(message, group, null_sender=self.null_sender)
            words = arguments.filled(self.run, values)
        except Trouble as trouble:
            return trouble.outcome
        await self._turns.acquire()
        try:
            left = end - self.node.reactor.seconds()
            if left <= 0:
                return _LATE
            outcome = await self._finished(words, message, group, left)
        except OSError as problem:
            return Delayed(f"the program cannot be started: {problem}", "4.3.0")
        finally:
            self._turns.release()
        if not isinstance(outcome, Delayed):
            self._done[key] = outcome
        return outcome

    async def _finished(
        self, words: Sequence[str], message: OutgoingMessage, group: Sequence[OutgoingRecipient], left: float
    ) -> Outcome:
        assert self._identity is not None  # noqa: S101 - ``start`` comes first
        told = {
            "MAILNODE_KEY": group[0].key if len(group) == 1 else message.key, "MAILNODE_MARK": message.mark,
            "TRACEPARENT": message.traceparent,
        }  # fmt: skip
        program = Program(
            words, self._identity.environment({**told, **self.environment}), self.folder or None, self._identity.uid,
            self._identity.gid,
        )  # fmt: skip
        feed = sliced(message.octets(), before=self._before(message, group), newlines=self.newlines)
        done = await self._run(self.node.reactor, program, feed=feed, keep=_KEPT_OUTPUT, limit=left)
        return outcome_of_exit(done, self.statuses)

    def _before(self, message: OutgoingMessage, group: Sequence[OutgoingRecipient]) -> bytes:
        """Write what the program gets before the message."""
        lines = [from_line(message.sender, self.node.clock.seconds())] if self.from_line else []
        if self.return_path:
            lines.append(f"Return-Path: <{message.sender}>\r\n".encode())
        if self.delivered_to:
            lines.extend(f"Delivered-To: {one.mailbox}\r\n".encode() for one in group)
        return b"".join(lines)

    def _is_loop(self, message: OutgoingMessage, one: OutgoingRecipient) -> bool:
        if not self.delivered_to:
            return False
        found = message.header.get_all("Delivered-To", [])
        return any(str(value).strip().lower() == str(one.mailbox).lower() for value in found)


def _key_of(group: Sequence[OutgoingRecipient]) -> str:
    return " ".join(one.key for one in group)
