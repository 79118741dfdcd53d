"""What a program prints becomes mail: of one that runs now and then, as cron does it, or of one that runs on and on.

    [gateway.disk-report]
    kind = "program"
    run = ["/usr/local/bin/disk-report"]
    every = "1h"
    to = ["ann@example.org"]
    sender = "disk@example.org"

With ``every`` it is run so often, never twice at the same time, and one mail holds all it has printed: ``mail_when`` is
"output" (it printed something or failed), "failure" or "always". Without, it runs for ever, and each frame of its standard
output is a mail: a line, a block (up to a blank line), what stands before a NUL, or a message of an mbox. What it says on its standard
error goes to the log. When it ends it is started again, later each time, unless it had run for a while.

``form`` tells what a frame is: text for a mail that is written around it, or a message with a header of its own (an mbox has no
other). A mail is submitted before more is read than ``MOST_PENDING`` of them; what cannot be submitted now is kept in the gateway's folder.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from attrs import define, field
from twisted.application.service import IService
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.task import deferLater

from mailnode.gateways.api import Draft, Gateway, Octets, Refused, Seconds, header_line, parse_mailbox
from mailnode.gateways.composing import compose
from mailnode.shipped.programs.framing import Framer, Frames, crlf, without_from_line
from mailnode.shipped.programs.identity import Identity, identity_of
from mailnode.shipped.programs.processes import Exit, Run, run_to_end
from mailnode.shipped.programs.processes import Program as Process
from mailnode.shipped.programs.shelf import Kept, Shelf
from mailnode.shipped.running import Runs

MOST_PENDING = 50
"""Mails that wait to be submitted before a program has to wait with printing more."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds until a program that has ended is started again."""
LONG = 60.0
"""Seconds after which a program that ended counts as one that worked."""
SHELF_EVERY = 60.0
"""Seconds between two tries with what could not be submitted."""
_KEPT_ERROR = 2000


@define
class Program(Gateway):
    """Mails what a program prints."""

    run: tuple[str, ...] = field()
    """The program and its arguments; never a shell's line."""
    to: tuple[str, ...] = field()
    """Who gets the mail."""
    sender: str = field()
    """Who it is from."""
    every: Seconds = Seconds(0)
    """How often it is run; "0s": it runs for ever."""
    subject: str = ""
    """The subject of the mail; empty: the program's name and its exit status, or the first line of a frame."""
    mail_when: Literal["output", "failure", "always"] = "output"
    """When a run with ``every`` is worth a mail."""
    frames: Frames = "lines"
    """What one mail holds of a program that runs for ever."""
    form: Literal["text", "message"] = "text"
    """What a frame is."""
    largest: Octets = field(default=Octets(1_000_000))
    """Octets of output in one mail; more are left out, and the mail says so."""
    user: str = field(default="")
    """Who it runs as, when the node is root; empty: nobody, or the node's own user when that is not root."""
    group: str = ""
    """The group it runs as; empty: the user's."""
    folder: str = ""
    """Where it runs; empty: where the node does."""
    environment: Mapping[str, str] = field(factory=dict)
    """Further variables of its environment."""
    time_limit: Seconds = Seconds(3600)
    """How long a run with ``every`` may take; then it gets SIGTERM, and SIGKILL five seconds later."""

    _identity: Identity | None = field(init=False, default=None)
    _shelf: Shelf = field(init=False, default=None)
    _order: DeferredLock = field(init=False, factory=DeferredLock)
    _pending: int = field(init=False, default=0)
    _number: int = field(init=False, default=0)
    _once: Any = field(init=False, default=run_to_end)
    _running: Run | None = field(init=False, default=None)
    _takings: set[Deferred[None]] = field(init=False, factory=set)

    @run.validator
    def _check_run(self, _: object, value: Sequence[str]) -> None:
        if not value or not value[0]:
            raise ValueError('expected a program and its arguments: ["/usr/bin/program", "-x"]')

    @to.validator
    def _check_to(self, _: object, value: Sequence[str]) -> None:
        for one in value:
            parse_mailbox(one)
        if not value:
            raise ValueError("expected somebody who gets the mail")

    @sender.validator
    def _check_sender(self, _: object, value: str) -> None:
        parse_mailbox(value)

    @user.validator
    def _check_user(self, _: object, value: str) -> None:
        if value == "root":
            raise ValueError("expected another user than root")

    @largest.validator
    def _check_largest(self, _: object, value: int) -> None:
        if value < 100:
            raise ValueError(f"expected 100 octets or more, not {value}")

    async def start(self) -> None:
        """Find out whose rights the program has, and what was left to submit."""
        self._identity = await self.node.disk.run(lambda: identity_of(self.user, self.group))
        self._shelf = Shelf(await self.node.disk.run(lambda: self.node.folder))

    async def stop(self) -> None:
        """Wait until the program is gone."""
        if self._running is not None and self._running.transport is not None:
            await self._running.gone

    def source(self) -> IService:
        """Give the service that runs it."""
        return Runs([self._again if self.every else self._for_ever, self._empty_shelf], self._takings, self.node.log)

    # --- now and then

    async def _again(self) -> None:
        while True:
            began = self.node.clock.seconds()
            try:
                done = await self._once(
                    self.node.reactor, self._process(), feed=iter(()), keep=self.largest, limit=self.time_limit
                )
            except OSError as problem:
                done = Exit(127, output=str(problem).encode())
            if self._is_worth_it(done):
                subject = self.subject or f"{self.run[0].rpartition('/')[2]}: {done}"
                await self._mail(self._text(done.output, is_cut=done.is_cut), subject)
            await deferLater(self.node.clock, max(0.0, began + self.every - self.node.clock.seconds()))

    def _is_worth_it(self, done: Exit) -> bool:
        if self.mail_when == "always" or not done.is_success:
            return True
        return self.mail_when == "output" and bool(done.output.strip())

    def _process(self) -> Process:
        assert self._identity is not None  # noqa: S101 - ``start`` comes first
        return Process(
            self.run, self._identity.environment(self.environment), self.folder or None, self._identity.uid,
            self._identity.gid,
        )  # fmt: skip

    # --- for ever

    async def _for_ever(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self.node.clock.seconds()
            done = await self._run_on()
            pause = FIRST_PAUSE if self.node.clock.seconds() - began >= LONG else min(pause * 2, LONGEST_PAUSE)
            self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                "gateway {gateway}: the program ended, {exit}; it is started again in {pause}s: {output}", event="trouble",
                gateway=self.node.name, exit=str(done), pause=pause, output=header_line(_readable(done.output)),
            )  # fmt: skip
            await deferLater(self.node.clock, pause)

    async def _run_on(self) -> Exit:
        framer = Framer(self.frames, self.largest, self._hear)
        self._running = Run(self.node.reactor, keep=_KEPT_ERROR, hear=framer.feed)
        try:
            done = await self._running.start(self._process())
        except OSError as problem:
            return Exit(127, output=str(problem).encode())
        framer.end()
        return done

    def _hear(self, frame: bytes, is_cut: bool) -> None:
        """Take a frame; the program waits when there are too many."""
        self._pending += 1
        self._hold_back()
        taking = Deferred.fromCoroutine(self._take(frame, is_cut=is_cut))
        self._takings.add(taking)
        taking.addErrback(lambda failure: self.node.log.failure("a frame is lost", failure))
        taking.addCallback(lambda _: self._takings.discard(taking))

    def _hold_back(self) -> None:
        transport = getattr(self._running, "transport", None)
        if transport is None:
            return
        if self._pending >= MOST_PENDING:
            transport.pauseProducing()
        elif self._pending == MOST_PENDING // 2:
            transport.resumeProducing()

    async def _take(self, frame: bytes, *, is_cut: bool) -> None:
        try:
            if self.form == "message" or self.frames == "mbox":
                _, octets = without_from_line(frame)
                await self._submit(crlf(octets))
            else:
                text = self._text(frame, is_cut=is_cut)
                await self._mail(text, self.subject or header_line(text.strip().partition("\n")[0])[:80])
        finally:
            self._pending -= 1
            self._hold_back()

    # --- mail

    def _text(self, octets: bytes, *, is_cut: bool) -> str:
        text = _readable(octets)
        return f"{text}\n[... more than {self.largest} octets; the rest is left out]" if is_cut else text

    async def _mail(self, text: str, subject: str) -> None:
        await self._submit(Draft(self.sender, self.to, text, subject=subject, is_automatic=True))

    async def _submit(self, mail: Draft | bytes) -> None:
        """Submit in order; what is not taken now is kept."""
        await self._order.acquire()
        try:
            await self.node.submit(mail, protocol="PIPE", sender=self.sender, to=self.to)
        except CancelledError:
            raise
        except Refused as refused:
            await self._keep(mail, str(refused.reply))
        except Exception as problem:  # noqa: BLE001 - a bug must not cost the message
            self.node.log.failure("gateway {gateway} could not submit", gateway=self.node.name)
            await self._keep(mail, f"{type(problem).__name__}: {problem}")
        finally:
            self._order.release()

    async def _keep(self, mail: Draft | bytes, why: str) -> None:
        now = self.node.clock.seconds()
        self._number += 1
        name = f"{int(now * 1000):014x}-{self._number:06}"
        message_id = f"<{name}.{self.node.name}@{self.node.hostname}>"
        octets = mail if isinstance(mail, bytes) else compose(mail, now=now, message_id=message_id)
        kept = Kept(self.sender, self.to, octets, name)
        await self.node.disk.run(partial(self._shelf.put, name, kept))
        self.node.log.warn("gateway {gateway}: {name} waits: {why}", gateway=self.node.name, name=name, why=why)  # noqa: G010

    async def _empty_shelf(self) -> None:
        """Try what was kept, now and then."""
        while True:
            try:
                for name in await self.node.disk.run(self._shelf.names):
                    if not await self._try_again(name):
                        break
            except (OSError, ValueError) as problem:
                self.node.log.error(
                    "gateway {gateway}: what was kept waits: {why}",
                    event="trouble",
                    gateway=self.node.name,
                    why=str(problem),
                )
            await deferLater(self.node.clock, SHELF_EVERY)

    async def _try_again(self, name: str) -> bool:
        kept = await self.node.disk.run(partial(self._shelf.get, name))
        try:
            await self.node.submit(kept.octets, protocol="PIPE", sender=kept.sender, to=kept.to, key=kept.key)
        except Refused as refused:
            if refused.reply.is_transient:
                return False
            self.node.log.error(
                "gateway {gateway}: {name} is laid aside: {why}", event="trouble", gateway=self.node.name, name=name,
                why=str(refused.reply),
            )  # fmt: skip
            await self.node.disk.run(partial(self._shelf.lay_aside, name))
            return True
        await self.node.disk.run(partial(self._shelf.remove, name))
        return True


def _readable(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").replace("\r\n", "\n")
