"""The relay: what becomes of a recipient after an attempt, and who is told (RFC 5321 section 6.1, RFC 3461 section 5.2).

    Delivered, Relayed, Expanded    done; a DSN where NOTIFY=SUCCESS asked for one, except that a next hop that speaks DSN
                                    reports itself
    Failed                          done; a DSN unless NOTIFY forbids it
    Delayed                         due again; a DSN once when it has waited for long; when its time is over it has failed,
                                    with 4.4.7

One report covers all recipients of the attempt that have the same kind of news. Nothing is ever reported to the null
reverse-path, and a report bears it itself: so no report is about a report (section 6.1). A report whose way cannot be
known now waits in a lane of its own (``unrouted``); what it reports is settled meanwhile.
"""

import random as chance
from collections.abc import Sequence

from attrs import define, evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Disk, Router, Settlement
from mailnode.mail.address import NULL
from mailnode.mail.content import Content
from mailnode.mail.envelope import REQUIRETLS, Body, Envelope, Recipient, Return
from mailnode.mail.message import Message, NewEntry, QueuedRecipient
from mailnode.mail.outcome import Delayed, Delivered, Expanded, Failed, Outcome, Relayed
from mailnode.mail.quantity import Seconds
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.report import Action, Kind, Report, Reported, Returned, make_report, take_returned
from mailnode.mail.route import ON_DEMAND, Route
from mailnode.mail.wishes import begun_at, returned_at
from mailnode.queue.attempt import TOO_LATE, Attempt
from mailnode.queue.schedule import expiry, is_warning_due, next_attempt
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settled
from mailnode.roles.relay_wishes import is_late, not_beyond_deadline, owes_relayed
from mailnode.roles.unrouted import UNROUTED
from mailnode.routing.resolution import Resolution, resolve

log = Logger()

_ACTIONS: dict[type[Outcome], Action] = {
    Delivered: Action.DELIVERED,
    Relayed: Action.RELAYED,
    Expanded: Action.EXPANDED,
}


@frozen
class _Fate:
    """What becomes of one recipient."""

    settlement: Settlement
    news: Kind | None = None
    """What its sender is to hear, if anything."""
    reported: Reported | None = None


@define
class RelayRole:
    """Settles attempts; ``settle`` is the queue's Settle."""

    router: Router
    hostname: str
    """Stands in reports as Reporting-MTA and in their From."""
    settings: QueueSettings
    clock: IReactorTime
    random: chance.Random
    disk: Disk

    async def settle(self, attempt: Attempt) -> Settled:
        """Decide for every recipient of the attempt, and write the reports that are owed."""
        now = self.clock.seconds()
        fates = [
            self._fate(queued, outcome, attempt, now)
            for queued, outcome in zip(attempt.recipients, attempt.outcomes, strict=True)
        ]
        notices: list[tuple[NewEntry, float]] = []
        for kind in Kind:
            reported = tuple(one.reported for one in fates if one.reported is not None and one.news is kind)
            if reported:
                notices.extend((entry, now) for entry in await self._notice(kind, attempt.message, reported, now))
        return Settled(tuple(one.settlement for one in fates), tuple(notices))

    async def report_expansion(self, message: Message, recipients: Sequence[Recipient]) -> list[NewEntry]:
        """Write the report for lists that were expanded at the door, to be submitted beside their copies (RFC 3461 5.2.7.3)."""
        if message.envelope.reverse_path == NULL:
            return []
        expanded = Reply.of(250, "2.1.5", "The list was expanded")
        now = self.clock.seconds()
        reported = tuple(
            Reported(one, Action.EXPANDED, expanded, last_attempt=now) for one in recipients if one.wants_success
        )
        return await self._notice(Kind.SUCCESS, message, reported, now) if reported else []

    async def report_receipt(self, kind: Kind, message: Message, reported: Reported) -> list[NewEntry]:
        """Write the report on what another message system has told later (RFC 3464); to be submitted by the caller."""
        if message.envelope.reverse_path == NULL:
            return []
        return await self._notice(kind, message, (reported,), self.clock.seconds())

    # --- what becomes of each

    def _fate(self, queued: QueuedRecipient, outcome: Outcome, attempt: Attempt, now: float) -> _Fate:
        if isinstance(outcome, Delayed):
            return self._delayed(queued, outcome, attempt, now)
        done = Settlement(queued.key, done=True, last=outcome.reply, last_remote=outcome.remote)
        if isinstance(outcome, Failed):
            return self._failed(queued, outcome, attempt, done, has_expired=False)
        is_theirs = isinstance(outcome, Delivered | Relayed) and outcome.passes_dsn
        is_asked_for = queued.recipient.wants_success and not is_theirs
        is_owed = is_asked_for or owes_relayed(attempt.message, queued.recipient, outcome)
        if not is_owed or attempt.message.envelope.reverse_path == NULL:
            return _Fate(done)
        return _Fate(done, Kind.SUCCESS, _reported(queued, _ACTIONS[type(outcome)], outcome, attempt))

    def _delayed(self, queued: QueuedRecipient, outcome: Delayed, attempt: Attempt, now: float) -> _Fate:
        if now >= returned_at(attempt.message):
            late = Failed(TOO_LATE)
            done = Settlement(queued.key, done=True, last=late.reply)
            return self._failed(queued, late, attempt, done, has_expired=False)
        wait = next_attempt(queued.attempts + 1, attempt.expires - now, self.settings, self.random)
        if wait is not None and outcome.retry_after is not None:
            wait = Seconds(min(outcome.retry_after, attempt.expires - now))
        if wait is not None:
            wait = not_beyond_deadline(wait, attempt.message, now)
        settlement = Settlement(
            queued.key,
            last=outcome.reply,
            last_remote=outcome.remote,
            due=now + (wait or 0.0),
            counts=outcome.is_tried,
        )
        if wait is None:
            return self._failed(queued, outcome, attempt, evolve(settlement, done=True), has_expired=True)
        message = attempt.message
        if (
            queued.warned
            or attempt.lane.courier == ON_DEMAND  # it waits for its owner and not for us
            or not queued.recipient.wants_delay
            or message.envelope.reverse_path == NULL
            or not (is_late(message, now) or is_warning_due(now - begun_at(message), self.settings))
        ):
            return _Fate(settlement)
        reported = evolve(
            _reported(queued, Action.DELAYED, outcome, attempt),
            retry_until=attempt.expires,
            has_expired=is_late(message, now),
        )
        return _Fate(evolve(settlement, warned=True), Kind.DELAY, reported)

    def _failed(
        self,
        queued: QueuedRecipient,
        outcome: Failed | Delayed,
        attempt: Attempt,
        done: Settlement,
        *,
        has_expired: bool,
    ) -> _Fate:
        if attempt.message.envelope.reverse_path == NULL:
            _drop(
                attempt.message.queue_id, f"a notification to <{queued.recipient.forward_path}> failed: {outcome.reply}"
            )
            return _Fate(done)
        if not queued.recipient.wants_failure:
            return _Fate(done)
        reported = evolve(_reported(queued, Action.FAILED, outcome, attempt), has_expired=has_expired)
        return _Fate(done, Kind.FAILURE, reported)

    # --- who is told

    async def _notice(self, kind: Kind, about: Message, reported: tuple[Reported, ...], now: float) -> list[NewEntry]:
        """Write one report and say where it goes; nothing when it can go nowhere."""
        routes = await self._routes(about)
        if not routes:
            return []
        queue_id = new_queue_id(now, self.random)
        returned = await self._returned(kind, about)
        octets = make_report(Report(kind, about, reported, self.hostname, queue_id, now, returned))
        envelope = Envelope(
            NULL,
            tuple(recipient for recipient, _ in routes),
            body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT_MIME,
            smtputf8=about.envelope.reverse_path.needs_smtputf8,
            # RFC 8689 section 5: what is said of a message is to be as safe as the message.
            extra=((REQUIRETLS, ""),) if about.envelope.requires_tls else (),
        )
        log.info(
            "{queue_id}: {kind} notification to <{reverse_path}> is {notice_id}",
            event="notice",
            queue_id=about.queue_id,
            kind=kind.value.lower(),
            reverse_path=str(about.envelope.reverse_path),
            notice_id=queue_id,
        )
        message = Message(queue_id, envelope, Content(octets), now)
        return [NewEntry(message, tuple(route for _, route in routes), expiry(now, self.settings, is_notice=True))]

    async def _routes(self, about: Message) -> list[tuple[Recipient, Route]]:
        """Find where the sender's mail goes from here, through aliases and lists; what cannot be known now is found later."""
        sender = about.envelope.reverse_path
        found = await resolve(self.router, Recipient(sender))
        if isinstance(found, Resolution):
            return list(found.routes)
        if found.reply.is_transient:
            return [(Recipient(sender), Route(UNROUTED, sender))]
        _drop(about.queue_id, f"no notification to <{sender}>: {found.reply}")
        return []

    async def _returned(self, kind: Kind, about: Message) -> Returned | None:
        """Read what is given back: all of a small message that failed; else, and for RET=HDRS or REQUIRETLS, its header."""
        envelope = about.envelope
        is_whole = kind is Kind.FAILURE and envelope.returns is not Return.HEADERS and not envelope.requires_tls
        limit = self.settings.return_limit if is_whole else -1
        try:
            if about.content.path is None:
                return take_returned(about.content, whole_up_to=limit)
            return await self.disk.run(lambda: take_returned(about.content, whole_up_to=limit))
        except (OSError, EOFError) as trouble:
            # A report without the message is better than none.
            _drop(about.queue_id, f"its content cannot be given back: {trouble}")
            return None


def _reported(queued: QueuedRecipient, action: Action, outcome: Outcome, attempt: Attempt) -> Reported:
    return Reported(
        queued.recipient, action, outcome.reply, outcome.remote, last_attempt=attempt.ended, tls=outcome.tls
    )


def _drop(queue_id: str, reason: str) -> None:
    log.info("{queue_id}: dropped: {reason}", event="dropped", queue_id=queue_id, reason=reason)
