"""One mail transaction at the door: recipients routed as they come, content collected, all of it durable at the end.

What ``commit`` does, and why in this order:

1. Our own mailboxes get their copies straight away, without a second write through the spool, so that "disk full" and
   "over quota" are answers at the door and not bounces.
2. Everyone else, and whoever of our own did not get it while others did, becomes an entry of the spool.
3. Only then is the answer positive. If step 2 fails after step 1 succeeded, the client is told to try again and our
   own mailboxes may get the message twice: the promise allows twice, never lost.

A success DSN needs the queue's book-keeping, so recipients with NOTIFY=SUCCESS go through the spool.
"""

from collections.abc import Awaitable, Collection, Mapping, Sequence

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailnode.interfaces import Refused, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message, Peer
from mailnode.mail.outcome import Delayed, Delivered, Outcome
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Refusal
from mailnode.mail.trace import count_hops, received_field
from mailnode.mail.wishes import released_at
from mailnode.roles.allowance import Loan
from mailnode.roles.collecting import Collecting, disk_trouble
from mailnode.roles.forwarding import is_circle, sent_on_by
from mailnode.roles.house import House
from mailnode.roles.keeping import Copy, Keeping, Key
from mailnode.roles.literals import at_home
from mailnode.roles.verbose import with_details
from mailnode.routing.resolution import resolve
from mailnode.smtp import replies

MOST_LOOKED_UP = 10_000
"""Addresses that the recipients of one transaction may stand for: a peer that names a long list again and again, each
time a little differently, must not keep us busy."""


class InboundTransaction:
    """Implements interfaces.Transaction."""

    log = Logger()

    def __init__(self, house: House, peer: Peer, envelope: Envelope, *, may_relay: bool) -> None:
        self._house = house
        self._peer = peer
        self._envelope = envelope
        self._may_relay = may_relay
        self._queue_id = new_queue_id(house.clock.seconds(), house.random)
        self._is_held = released_at(envelope) > house.clock.seconds()
        self._copies: dict[Key, Copy] = {}
        self._accepted: list[tuple[Recipient, tuple[Copy, ...]]] = []
        self._lists: set[int] = set()
        """Places among the accepted of lists whose expansion the sender wants to hear of."""
        self._looked_up = 0
        loan = Loan(house.allowance)
        self._collecting = Collecting(house.incoming / self._queue_id, house.disk, house.settings.max_size, loan)
        self._keeping = Keeping(house)

    # --- while it comes ---------------------------------------------------------------------------------------

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Route the recipient now, so that a bad address is refused now (RFC 5321 3.3)."""
        path = at_home(recipient.forward_path, self._peer, self._house.router.home)
        if not (self._may_relay or self._house.router.is_local(path)):
            raise Refused(replies.RELAYING_DENIED)
        if self._looked_up >= MOST_LOOKED_UP:
            raise Refused(replies.TOO_MANY_RECIPIENTS)
        resolution = await resolve(
            self._house.router, recipient if path is recipient.forward_path else evolve(recipient, forward_path=path)
        )
        if isinstance(resolution, Refusal):
            raise Refused(resolution.reply)
        self._looked_up += len(resolution.routes) + len(resolution.refusals)
        reverse_path = resolution.owner if resolution.has_owner else self._envelope.reverse_path
        copies = tuple(
            self._copy(Copy(member, route, reverse_path, sent_on_by(path, route), self._is_held))
            for member, route in resolution.routes
        )
        if resolution.is_list and recipient.wants_success:
            self._lists.add(len(self._accepted))
        self._accepted.append((recipient, copies))
        for member, refusal in resolution.refusals:
            self.log.warn(  # noqa: G010 - the method of twisted.logger
                "{queue_id}: <{member}>, whom <{forward_path}> stands for too, is not to be had: {reply}",
                event="trouble", queue_id=self._queue_id, member=str(member), forward_path=str(path),
                reply=str(refusal.reply),
            )  # fmt: skip
        if resolution.moved_to != NULL:
            return replies.will_forward_to(resolution.moved_to)
        return replies.RECIPIENT_OK

    def _copy(self, copy: Copy) -> Copy:
        """Take the copy up, or find the one that already serves this address and unite what is wished for both."""
        found = self._copies.setdefault(copy.key, copy)
        if found is not copy:
            found.recipient = found.recipient.united(copy.recipient)
        return found

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Collect a block of content."""
        return self._collecting.write(octets)

    def abort(self) -> None:
        """Forget everything."""
        self._collecting.discard()
        self._keeping.discard()

    # --- at the final dot -------------------------------------------------------------------------------------

    async def commit(self) -> Sequence[Reply]:
        """Deliver, keep, then answer."""
        try:
            return await self._commit()
        except BaseException:
            self.abort()
            raise
        finally:
            self._collecting.done()

    async def _commit(self) -> Sequence[Reply]:
        try:
            message = self._seal(await self._content())
        except Refused as no:
            self.abort()
            return [no.reply] * len(self._accepted)
        outcomes = await self._deliver(message)
        refused = self._refused(outcomes)
        trouble = await self._keep(message, self._left_over(outcomes, refused), refused)
        if trouble is not None or all(copy.is_direct for copy in self._copies.values()):
            self.abort()
        answers = self._answers(refused, trouble, outcomes)
        self._log_accepted(message, answers)
        for copy, outcome in outcomes.items():
            self._log_attempt(message, copy, outcome)
        return answers

    async def _content(self) -> Content:
        """Give what was collected; Refused when it must not be accepted."""
        collecting = self._collecting
        content = await collecting.finish() if collecting.fault is None else Content(b"")
        if collecting.fault is not None:
            raise Refused(collecting.fault)
        if count_hops(collecting.start) > self._house.settings.max_hops:
            raise Refused(replies.TOO_MANY_HOPS)
        if is_circle(collecting.start, (_sender_on(copies) for _, copies in self._accepted)):
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

    async def _deliver(self, message: Message) -> dict[Copy, Outcome]:
        """Put copies into our own mailboxes; a courier's bug is a delay."""
        groups: dict[tuple[Lane, Mailbox], list[Copy]] = {}
        for copy in self._copies.values():
            if copy.is_direct:
                groups.setdefault((copy.route.lane, copy.reverse_path), []).append(copy)
        outcomes: dict[Copy, Outcome] = {}
        for (lane, reverse_path), copies in groups.items():
            recipients = tuple(copy.recipient for copy in copies)
            envelope = evolve(message.envelope, reverse_path=reverse_path, recipients=recipients)
            request = DeliveryRequest(evolve(message, envelope=envelope), lane)
            said = await self._carry(request)
            for copy in copies:
                outcomes[copy] = said.get(copy.recipient) or Delayed(replies.LOCAL_TROUBLE)
        return outcomes

    async def _carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        try:
            return await self._house.couriers[request.lane.courier].carry(request)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - never a lost message because of our bug
            self.log.failure("{queue_id}: the courier failed", queue_id=request.message.queue_id)
            return {}

    def _refused(self, outcomes: Mapping[Copy, Outcome]) -> Collection[int]:
        """Tell which recipients are refused at the door, by their place.

        A recipient none of whose copies was made can be refused. LMTP answers each recipient for itself; in SMTP one
        answer stands for all, so only all can be refused, and whoever missed out goes through the spool.
        """
        missed = {
            index
            for index, (_, copies) in enumerate(self._accepted)
            if all(copy.is_direct and not isinstance(outcomes[copy], Delivered) for copy in copies)
        }
        if self._peer.service == "lmtp" or len(missed) == len(self._accepted):
            return missed
        return ()

    def _left_over(self, outcomes: Mapping[Copy, Outcome], refused: Collection[int]) -> list[Copy]:
        """Collect the copies for the spool: not direct, or direct and missed though their recipient is not refused."""
        wanted = {copy for index, (_, copies) in enumerate(self._accepted) if index not in refused for copy in copies}
        return [
            copy for copy in self._copies.values() if copy in wanted and not isinstance(outcomes.get(copy), Delivered)
        ]

    async def _keep(self, message: Message, copies: Sequence[Copy], refused: Collection[int]) -> Reply | None:
        """Give the rest to the queue; what went wrong is the answer."""
        expanded = [
            one for index, (one, _) in enumerate(self._accepted) if index not in refused and index in self._lists
        ]
        try:
            for entry in await self._keeping.entries(message, copies, expanded):
                await self._house.queue.submit(entry)
        except OSError as error:
            return disk_trouble(error)
        except SpoolTrouble as trouble:
            self.log.error(
                "{queue_id}: not kept: {reason}", event="trouble", queue_id=message.queue_id, reason=str(trouble)
            )
            return replies.NO_ROOM if trouble.is_full else replies.LOCAL_TROUBLE
        return None

    def _answers(
        self, refused: Collection[int], trouble: Reply | None, outcomes: Mapping[Copy, Outcome]
    ) -> list[Reply]:
        accepted = Reply.of(250, "2.0.0", f"Accepted as {self._queue_id}")
        if self._peer.is_verbose and self._may_relay:
            accepted = with_details(accepted, self._accepted, outcomes)
        answers: list[Reply] = []
        for index, (_, copies) in enumerate(self._accepted):
            if index in refused:
                answers.append(_worst([outcomes[copy].reply for copy in copies]))
            elif trouble is not None and any(not isinstance(outcomes.get(copy), Delivered) for copy in copies):
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

    def _log_attempt(self, message: Message, copy: Copy, outcome: Outcome) -> None:
        self.log.info(
            "{queue_id}: to=<{forward_path}> lane={courier} attempt=1 outcome={outcome} ({diagnostic})",
            event="attempt", queue_id=message.queue_id, reverse_path=str(copy.reverse_path),
            forward_path=str(copy.recipient.forward_path), courier=copy.route.lane.courier, next_hop="", attempt=1,
            outcome=type(outcome).__name__.lower(), status=str(outcome.reply.status or ""),
            diagnostic=str(outcome.reply), delay=self._house.clock.seconds() - message.arrived,
        )  # fmt: skip


def _sender_on(copies: Sequence[Copy]) -> Mailbox:
    """Give the address that sends one of these on; NULL when none is sent on."""
    return next((copy.sent_on_by for copy in copies if copy.sent_on_by != NULL), NULL)


def _worst(said: Sequence[Reply]) -> Reply:
    """Choose the reply that stands for all: one that may be tried again, before a final one, before success."""
    return min(said, key=lambda reply: (not reply.is_transient, not reply.is_permanent))
