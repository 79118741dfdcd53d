"""One attempt: a request to a courier, an outcome for every recipient, a line in the log.

Whatever a courier does, the answer here is complete: a recipient it forgot, an outcome that is none, an exception, a
courier that is not configured any more and an attempt that takes too long all read as Delayed.
"""

from collections.abc import Iterator, Mapping

from attrs import define, evolve, frozen
from twisted.internet.defer import CancelledError, Deferred, TimeoutError  # noqa: A004 - it is what addTimeout raises
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Courier
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message, QueuedRecipient
from mailnode.mail.outcome import Delayed, Delivered, Expanded, Failed, Outcome, Relayed
from mailnode.mail.quantity import render_seconds
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.queue.lanes import LaneState, Work
from mailnode.queue.settings import QueueSettings

log = Logger()

OUR_TROUBLE = Reply.of(451, "4.3.0", "Local trouble, will try again")
NO_ANSWER = Reply.of(451, "4.3.0", "The courier gave no answer for this recipient, will try again")

TOO_LATE = Reply.of(554, "5.4.7", "It could not be delivered by the time its sender has set")
"""RFC 2852 section 4.1.4: what was to be returned when it is late."""

_WORDS: dict[type[Outcome], str] = {
    Delivered: "delivered",
    Relayed: "relayed",
    Expanded: "expanded",
    Delayed: "delayed",
    Failed: "failed",
}


@frozen
class Attempt:
    """What came of one try for some recipients of one message."""

    message: Message
    """Its envelope has no recipients."""
    lane: Lane
    recipients: tuple[QueuedRecipient, ...]
    outcomes: tuple[Outcome, ...]
    """One for each recipient, in the same order."""
    expires: float
    """When to give up."""
    ended: float
    """Seconds since the epoch."""


@define
class Attempts:
    """Makes attempts."""

    couriers: Mapping[str, Courier]
    clock: IReactorTime
    settings: QueueSettings
    carrying: set[Deferred[Mapping[Recipient, Outcome]]]
    """What runs; may be cancelled."""

    async def make(self, work: Work) -> tuple[Outcome, ...]:
        """Try once, within the time limit; CancelledError when it was cancelled from outside."""
        courier = self.couriers.get(work.lane.courier)
        if courier is None:
            reply = Reply.of(451, "4.3.5", f"No courier named {work.lane.courier!r} is configured, will try again")
            return (Delayed(reply),) * len(work.recipients)
        try:
            return _complete(await self._carry(courier, request_of(work)), work)
        except TimeoutError:
            limit = render_seconds(self.settings.attempt_limit)
            return (Delayed(Reply.of(451, "4.4.2", f"The attempt took longer than {limit}")),) * len(work.recipients)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - a courier's bug must not cost the message
            log.failure(
                "{queue_id}: courier {courier} failed", queue_id=work.message.queue_id, courier=work.lane.courier
            )
            return (Delayed(OUR_TROUBLE),) * len(work.recipients)

    def cancel(self) -> None:
        """Cancel all that runs."""
        for one in list(self.carrying):
            one.cancel()

    async def _carry(self, courier: Courier, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        carried = Deferred.fromCoroutine(_carried(courier, request))
        carried.addTimeout(self.settings.attempt_limit, self.clock)
        self.carrying.add(carried)
        try:
            return await carried
        finally:
            self.carrying.discard(carried)


async def _carried(courier: Courier, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
    return await courier.carry(request)


def _complete(said: Mapping[Recipient, Outcome], work: Work) -> tuple[Outcome, ...]:
    """Give an outcome for every recipient; what a courier says that is none counts as no answer."""
    outcomes: Iterator[object] = (said.get(one.recipient) for one in work.recipients)
    return tuple(one if isinstance(one, Outcome) else Delayed(NO_ANSWER) for one in outcomes)


def request_of(work: Work) -> DeliveryRequest:
    """Make what a courier is asked for: the message with exactly the recipients of the work."""
    envelope = evolve(work.message.envelope, recipients=tuple(one.recipient for one in work.recipients))
    attempt = max(one.attempts for one in work.recipients) + 1
    return DeliveryRequest(evolve(work.message, envelope=envelope), work.lane, attempt)


def suspended(state: LaneState) -> Delayed:
    """Give the outcome of work that is put off without a try, its host being dead."""
    heard = f": {state.last.reply}" if state.last else ""
    text = f"Not tried now, {state.lane.next_hop or state.lane.courier} could not be reached before{heard}"
    return Delayed(Reply.of(451, "4.4.1", text), host_unreachable=True)


_START = "{queue_id}: to=<{forward_path}> relay={relay} lane={courier}:{next_hop}"
_END = " attempt={attempt} delay={delay:.1f} dsn={status} outcome={outcome} ({diagnostic})"
_LINE = _START + _END
_LINE_WITH_TLS = _START + " tls={tls}" + _END


def write_down(attempt: Attempt) -> None:
    """Log one event for each recipient."""
    message, lane = attempt.message, attempt.lane
    for queued, outcome in zip(attempt.recipients, attempt.outcomes, strict=True):
        reply = outcome.reply
        log.info(
            _LINE_WITH_TLS if outcome.tls else _LINE,
            event="attempt",
            queue_id=message.queue_id,
            reverse_path=str(message.envelope.reverse_path),
            forward_path=str(queued.recipient.forward_path),
            relay=outcome.remote or "none",
            tls=outcome.tls,
            courier=lane.courier,
            next_hop=lane.next_hop,
            attempt=queued.attempts + 1,
            delay=attempt.ended - message.arrived,
            status=str(reply.status or f"{reply.code // 100}.0.0"),
            outcome=_WORDS[type(outcome)],
            diagnostic=str(reply),
        )
