"""One mail transaction at the door: recipients routed as they come, content collected, all of it durable at the end.

What ``commit`` does, and why in this order:

1. Our own mailboxes get their copies straight away, without a second write through the spool, so that "disk full" and
   "over quota" are answers at the door and not bounces.
2. Everyone else, and whoever of our own did not get it while others did, becomes an entry of the spool.
3. Only then is the answer positive. If step 2 fails after step 1 succeeded, the client is told to try again and our
   own mailboxes may get the message twice: the promise allows twice, never lost.

A success DSN needs the queue's book-keeping, so recipients with NOTIFY=SUCCESS go through the spool.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Courier, Disk, Queue, Refused, Router, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry, Peer
from mailnode.mail.outcome import Delayed, Delivered, Outcome
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Lane, Refusal, Route
from mailnode.mail.trace import count_hops, received_field
from mailnode.roles.collecting import Collecting, disk_trouble
from mailnode.roles.forwarding import is_circle, marked, sent_on_by
from mailnode.routing.resolution import resolve
from mailnode.smtp import replies

MOST_LOOKED_UP = 10_000
"""Addresses that the recipients of one transaction may stand for: a peer that names a long list again and again, each
time a little differently, must not keep us busy."""


class LocalRouter(Router, Protocol):
    """A router that also knows which addresses are ours."""

    def is_local(self, mailbox: Mailbox) -> bool:
        """Tell whether mail for this address is ours."""
        ...

    async def expand_list(self, mailbox: Mailbox) -> Expansion | None:
        """Give a list's members; None when there is no such list."""
        ...


@frozen
class ReceptionSettings:
    """Bounds on what is accepted."""

    max_size: Octets = Octets(50 * 1024 * 1024)
    """Octets of one message; more is told 552 at MAIL (by SIZE) or at the final dot. 0 for any size."""
    max_hops: int = 100
    """Received fields in a message; more is a loop (RFC 5321 6.3) and told 554 5.4.6."""


@frozen
class House:
    """What every transaction needs of the node."""

    hostname: str
    router: LocalRouter
    queue: Queue
    couriers: Mapping[str, Courier]
    """The couriers of our own mailboxes, by name: these deliver before the 250."""
    disk: Disk
    clock: IReactorTime
    random: Random
    incoming: Path
    """The folder where large contents are collected, on the spool's file system."""
    settings: ReceptionSettings
    give_up: Callable[[Mailbox], Seconds]
    """How long mail from this reverse-path is tried."""
    report_expansion: Callable[[Message, Sequence[Recipient]], Awaitable[Sequence[NewEntry]]]
    """Writes the report for lists that were expanded here (RFC 3461 5.2.7.3)."""


@frozen(eq=False)
class _Job:
    """One copy to be made: for whom, from whom, along which route."""

    recipient: Recipient
    route: Route
    reverse_path: Mailbox
    """A list's copies bear its owner's address; all others the sender's own."""
    sent_on_by: Mailbox
    """The address of ours that sends it on to another house; NULL when none does."""

    @property
    def is_direct(self) -> bool:
        """Tell whether it goes into a mailbox of ours before the answer."""
        return self.route.is_local and not self.recipient.wants_success


class InboundTransaction:
    """Implements interfaces.Transaction."""

    log = Logger()

    def __init__(self, house: House, peer: Peer, envelope: Envelope, *, may_relay: bool) -> None:
        self._house = house
        self._peer = peer
        self._envelope = envelope
        self._may_relay = may_relay
        self._queue_id = new_queue_id(house.clock.seconds(), house.random)
        self._jobs: dict[tuple[Lane, Mailbox, Mailbox], _Job] = {}
        self._accepted: list[tuple[Recipient, tuple[_Job, ...]]] = []
        self._lists: set[int] = set()
        """Places among the accepted of lists whose expansion the sender wants to hear of."""
        self._looked_up = 0
        self._collecting = Collecting(house.incoming / self._queue_id, house.disk, house.settings.max_size)
        self._twins: list[Path] = []
        """Further names of the content's file, one for each further entry."""

    # --- while it comes ---------------------------------------------------------------------------------------

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Route the recipient now, so that a bad address is refused now (RFC 5321 3.3)."""
        path = recipient.forward_path
        if not (self._may_relay or self._house.router.is_local(path)):
            raise Refused(replies.RELAYING_DENIED)
        if self._looked_up >= MOST_LOOKED_UP:
            raise Refused(replies.TOO_MANY_RECIPIENTS)
        resolution = await resolve(self._house.router, recipient)
        if isinstance(resolution, Refusal):
            raise Refused(resolution.reply)
        self._looked_up += len(resolution.routes) + len(resolution.refusals)
        reverse_path = resolution.owner if resolution.has_owner else self._envelope.reverse_path
        jobs = tuple(
            self._job(_Job(member, route, reverse_path, sent_on_by(path, route))) for member, route in resolution.routes
        )
        if resolution.is_list and recipient.wants_success:
            self._lists.add(len(self._accepted))
        self._accepted.append((recipient, jobs))
        for member, refusal in resolution.refusals:
            self.log.warn(  # noqa: G010 - the method of twisted.logger
                "{queue_id}: <{member}>, whom <{forward_path}> stands for too, is not to be had: {reply}",
                event="trouble", queue_id=self._queue_id, member=str(member), forward_path=str(path),
                reply=str(refusal.reply),
            )  # fmt: skip
        return replies.RECIPIENT_OK

    def _job(self, job: _Job) -> _Job:
        """Take the job up, or find the one that already serves this address."""
        return self._jobs.setdefault((job.route.lane, job.route.forward_path, job.reverse_path), job)

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Collect a block of content."""
        return self._collecting.write(octets)

    def abort(self) -> None:
        """Forget everything."""
        self._collecting.discard()
        twins, self._twins = self._twins, []
        if twins:
            removal = Deferred.fromCoroutine(self._house.disk.run(lambda: _remove(twins)))
            removal.addErrback(lambda failure: failure.trap(OSError, CancelledError))

    # --- at the final dot -------------------------------------------------------------------------------------

    async def commit(self) -> Sequence[Reply]:
        """Deliver, keep, then answer."""
        try:
            return await self._commit()
        except BaseException:
            self.abort()
            raise

    async def _commit(self) -> Sequence[Reply]:
        try:
            message = self._seal(await self._content())
        except Refused as no:
            self.abort()
            return [no.reply] * len(self._accepted)
        outcomes = await self._deliver(message)
        refused = self._refused(outcomes)
        trouble = await self._keep(message, self._left_over(outcomes, refused), refused)
        if trouble is not None or all(job.is_direct for job in self._jobs.values()):
            self.abort()
        answers = self._answers(refused, trouble, outcomes)
        self._log_accepted(message, answers)
        for job, outcome in outcomes.items():
            self._log_attempt(message, job, outcome)
        return answers

    async def _content(self) -> Content:
        """Give what was collected; Refused when it must not be accepted."""
        collecting = self._collecting
        content = await collecting.finish() if collecting.fault is None else Content(b"")
        if collecting.fault is not None:
            raise Refused(collecting.fault)
        if count_hops(collecting.start) > self._house.settings.max_hops:
            raise Refused(replies.TOO_MANY_HOPS)
        if is_circle(collecting.start, (_sender_on(jobs) for _, jobs in self._accepted)):
            raise Refused(replies.CIRCLE)
        return content

    def _seal(self, content: Content) -> Message:
        """Put our trace field on top; the envelope's recipients come in with each copy."""
        now = self._house.clock.seconds()
        only = self._accepted[0][0].forward_path if len(self._accepted) == 1 else None
        field = received_field(
            self._peer, hostname=self._house.hostname, queue_id=self._queue_id, only_recipient=only,
            smtputf8=self._envelope.smtputf8, now=now,
        )  # fmt: skip
        return Message(self._queue_id, self._envelope, content.with_head(field), now)

    async def _deliver(self, message: Message) -> dict[_Job, Outcome]:
        """Put copies into our own mailboxes; a courier's bug is a delay."""
        groups: dict[tuple[Lane, Mailbox], list[_Job]] = {}
        for job in self._jobs.values():
            if job.is_direct:
                groups.setdefault((job.route.lane, job.reverse_path), []).append(job)
        outcomes: dict[_Job, Outcome] = {}
        for (lane, reverse_path), jobs in groups.items():
            recipients = tuple(job.recipient for job in jobs)
            envelope = evolve(message.envelope, reverse_path=reverse_path, recipients=recipients)
            request = DeliveryRequest(evolve(message, envelope=envelope), lane)
            said = await self._carry(request)
            for job in jobs:
                outcomes[job] = said.get(job.recipient) or Delayed(replies.LOCAL_TROUBLE)
        return outcomes

    async def _carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        try:
            return await self._house.couriers[request.lane.courier].carry(request)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - never a lost message because of our bug
            self.log.failure("{queue_id}: the courier failed", queue_id=request.message.queue_id)
            return {}

    def _refused(self, outcomes: Mapping[_Job, Outcome]) -> Collection[int]:
        """Tell which recipients are refused at the door, by their place.

        A recipient none of whose copies was made can be refused. LMTP answers each recipient for itself; in SMTP one
        answer stands for all, so only all can be refused, and whoever missed out goes through the spool.
        """
        missed = {
            index
            for index, (_, jobs) in enumerate(self._accepted)
            if all(job.is_direct and not isinstance(outcomes[job], Delivered) for job in jobs)
        }
        if self._peer.service == "lmtp" or len(missed) == len(self._accepted):
            return missed
        return ()

    def _left_over(self, outcomes: Mapping[_Job, Outcome], refused: Collection[int]) -> list[_Job]:
        """Collect the copies for the spool: not direct, or direct and missed though their recipient is not refused."""
        wanted = {job for index, (_, jobs) in enumerate(self._accepted) if index not in refused for job in jobs}
        return [job for job in self._jobs.values() if job in wanted and not isinstance(outcomes.get(job), Delivered)]

    async def _keep(self, message: Message, jobs: Sequence[_Job], refused: Collection[int]) -> Reply | None:
        """Give the rest to the queue; what went wrong is the answer."""
        expanded = [
            one for index, (one, _) in enumerate(self._accepted) if index not in refused and index in self._lists
        ]
        try:
            for entry in await self._entries(message, jobs, expanded):
                await self._house.queue.submit(entry)
        except OSError as error:
            return disk_trouble(error)
        except SpoolTrouble as trouble:
            self.log.error(
                "{queue_id}: not kept: {reason}", event="trouble", queue_id=message.queue_id, reason=str(trouble)
            )
            return replies.NO_ROOM if trouble.is_full else replies.LOCAL_TROUBLE
        return None

    async def _entries(self, message: Message, jobs: Sequence[_Job], expanded: Sequence[Recipient]) -> list[NewEntry]:
        """Make the entries of the spool: one for each reverse-path and mark, and the report for lists, if one is owed."""
        entries: list[NewEntry] = []
        if expanded:
            entries.extend(await self._house.report_expansion(message, expanded))
        groups: dict[tuple[Mailbox, Mailbox], list[_Job]] = {}
        for job in jobs:
            groups.setdefault((job.reverse_path, job.sent_on_by), []).append(job)
        for number, ((path, by), mine) in enumerate(groups.items(), start=1):
            envelope = evolve(message.envelope, reverse_path=path, recipients=tuple(job.recipient for job in mine))
            own = evolve(message, envelope=envelope, content=marked(message.content, by))
            if number < len(groups):
                own = await self._twin(own)
            expires = message.arrived + self._house.give_up(path)
            entries.append(NewEntry(own, tuple(job.route for job in mine), expires))
        return entries

    async def _twin(self, message: Message) -> Message:
        """Make the message another of its own, since the spool takes the file of each entry over."""
        queue_id = new_queue_id(self._house.clock.seconds(), self._house.random)
        content, path = message.content, self._house.incoming / queue_id
        original = content.path
        if original is not None:
            self._twins.append(path)
            await self._house.disk.run(lambda: path.hardlink_to(original))
            content = evolve(content, path=path)
        return evolve(message, queue_id=queue_id, content=content)

    def _answers(
        self, refused: Collection[int], trouble: Reply | None, outcomes: Mapping[_Job, Outcome]
    ) -> list[Reply]:
        accepted = Reply.of(250, "2.0.0", f"Accepted as {self._queue_id}")
        answers: list[Reply] = []
        for index, (_, jobs) in enumerate(self._accepted):
            if index in refused:
                answers.append(_worst([outcomes[job].reply for job in jobs]))
            elif trouble is not None and any(not isinstance(outcomes.get(job), Delivered) for job in jobs):
                answers.append(trouble)
            else:
                answers.append(accepted)
        if self._peer.service != "lmtp":
            return [_worst(answers)] * len(answers)
        return answers

    # --- the log ----------------------------------------------------------------------------------------------

    def _log_accepted(self, message: Message, answers: Sequence[Reply]) -> None:
        taken = sum(answer.is_positive for answer in answers)
        self.log.info(
            "{queue_id}: {verb} from=<{reverse_path}> to {recipients} recipient(s), {size} octets, peer={peer}: {reply}",
            event="accepted" if taken else "rejected", verb="accepted" if taken else "rejected",
            queue_id=message.queue_id, reverse_path=str(message.envelope.reverse_path), recipients=len(answers),
            size=message.content.size, peer=self._peer.address, listener=self._peer.listener, hello=self._peer.hello,
            account=self._peer.account, reply=str(answers[0]),
        )  # fmt: skip

    def _log_attempt(self, message: Message, job: _Job, outcome: Outcome) -> None:
        self.log.info(
            "{queue_id}: to=<{forward_path}> lane={courier} attempt=1 outcome={outcome} ({diagnostic})",
            event="attempt", queue_id=message.queue_id, reverse_path=str(job.reverse_path),
            forward_path=str(job.recipient.forward_path), courier=job.route.lane.courier, next_hop="", attempt=1,
            outcome=type(outcome).__name__.lower(), status=str(outcome.reply.status or ""),
            diagnostic=str(outcome.reply), delay=self._house.clock.seconds() - message.arrived,
        )  # fmt: skip


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sender_on(jobs: Sequence[_Job]) -> Mailbox:
    """Give the address that sends one of these on; NULL when none is sent on."""
    return next((job.sent_on_by for job in jobs if job.sent_on_by != NULL), NULL)


def _worst(said: Sequence[Reply]) -> Reply:
    """Choose the reply that stands for all: one that may be tried again, before a final one, before success."""
    return min(said, key=lambda reply: (not reply.is_transient, not reply.is_permanent))
