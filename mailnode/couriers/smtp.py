"""The SMTP courier: carries messages to the mail hosts of a domain, or to a host that the lane names.

One ``carry`` takes a session that is still open for the lane, or finds the hosts for the next hop and goes through them
until every recipient has an outcome (``smtp_carriage`` says what makes another host worth a try). All recipients the host
can take go in one transaction. A session that ends well is kept for the next message.

Cancelling drops the connection; whoever had an answer by then keeps it. A message whose end of data was already sent may
arrive twice, never not at all.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from mailnode.couriers.smtp_carriage import Carriage
from mailnode.couriers.smtp_conversions import Conversions
from mailnode.couriers.smtp_idle import IdleSessions
from mailnode.couriers.smtp_prepare import Prepared, prepare
from mailnode.couriers.smtp_reaching import Reaching
from mailnode.couriers.smtp_requiring import is_relaxed, requires_tls, unfit
from mailnode.couriers.smtp_securing import LateTls, references, securing
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_session import SmtpSession, Submission
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.couriers.smtp_wishes import objection, passes_time
from mailnode.interfaces import Disk, Resolver
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Failed, Outcome
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.mail.wishes import for_next_hop
from mailnode.routing.exchanges import Hop, NoHops, hosts_for
from mailnode.routing.terms import IMPLICIT_PORT, LOWERED, Terms
from mailnode.smtp.asking import mail_line, rcpt_line
from mailnode.smtp.peeroffer import PeerOffer

FindHosts = Callable[..., Awaitable[Sequence[Hop]]]
"""routing.exchanges.hosts_for, or a stand-in with the same arguments."""


class SmtpCourier:
    """Sends by SMTP; implements interfaces.Courier."""

    log = Logger()
    is_lmtp = False
    """It speaks LMTP, to a server that puts messages into mailboxes."""

    def __init__(
        self,
        *,
        reactor: Any,
        resolver: Resolver,
        hostname: str,
        disk: Disk,
        random: Random,
        settings: SmtpCourierSettings = SmtpCourierSettings(),  # noqa: B008 - frozen
        exchanges: FindHosts = hosts_for,
        own_names: Collection[str] = (),
        own_addresses: Collection[str] = (),
        scratch: Path | None = None,
        terms: Terms = Terms(),  # noqa: B008 - frozen
        tls: LateTls | None = None,
    ) -> None:
        """Prepare; ``terms`` are those of the lanes it serves, ``tls`` may be shared with other couriers."""
        self._clock = reactor
        self._settings = settings
        self._resolver = resolver
        self._disk = disk
        self._random = random
        self._exchanges = exchanges
        self._own_names = {hostname, *own_names}
        self._own_addresses = frozenset(own_addresses)
        self._conversions = Conversions(disk, settings.conversion_limit, scratch)
        self._idle = IdleSessions(settings.max_idle)
        self._open: set[SmtpSession] = set()
        self._closing: Deferred[None] | None = None
        self._terms = terms
        self._may_be_lowered = settings.obey_tls_required and not terms.username
        self._securing = securing(terms, settings, tls or LateTls(settings.ca_file, disk, reactor), disk)
        self._port = IMPLICIT_PORT if self._securing.level == "implicit" else settings.port
        self._reaching = Reaching(reactor, hostname, settings, disk, self.is_lmtp, self._watch, self._securing)

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Make one try; an outcome for every recipient. Cancelling drops the connection.

        Cancelled after some have theirs, it gives those alone: a host that takes recipients slowly, one a transaction, must not
        get the first of them again and again and the last of them never.
        """
        carriage = Carriage(request, is_final=self.is_lmtp)
        try:
            await self._try(carriage)
        except CancelledError:
            if not carriage.outcomes:
                raise
        return carriage.outcomes

    async def _try(self, carriage: Carriage) -> None:
        request = carriage.request
        session = self._take(request)
        if session is not None:
            carriage.arrive(session.host)
            if not await self._talk(session, carriage) or carriage.here:
                # The session was stale or used up: that says nothing about its host.
                carriage.tried.discard(session.host)
        if not carriage.is_done:
            await self._travel(carriage)

    def _take(self, request: DeliveryRequest) -> SmtpSession | None:
        """Take a kept session, unless it is one that the message must not go over: a new one may be better."""
        session = self._idle.take(request.lane)
        if session is None or not requires_tls(request.message) or unfit(session) is None:
            return session
        if not self._keep(session, request.lane):
            self._part(session)
        return None

    async def close(self) -> None:
        """Say goodbye on idle sessions and wait until all are gone; those at work finish first, unless they are cancelled."""
        for session in list(self._open):
            if session.is_ready:
                self._part(session)
        if self._open:
            self._closing = Deferred()
            await self._closing

    # --- from host to host ------------------------------------------------------------------------------------

    async def _travel(self, carriage: Carriage) -> None:
        try:
            hops = await self._find(carriage.request.lane.next_hop)
        except NoHops as none:
            carriage.note_trouble(none.reply, "")
            carriage.give_up()
            return
        sessions = 0
        for hop in [hop for hop in hops if hop.host not in carriage.tried][: self._settings.max_hosts]:
            sessions += await self._visit(hop, carriage)
            if carriage.is_done or sessions >= self._settings.max_sessions:
                break
        carriage.give_up()

    def _written(self, next_hop: str) -> str:
        """Give a lane's next hop as ``hosts_for`` reads it."""
        return next_hop

    async def _find(self, next_hop: str) -> Sequence[Hop]:
        return await self._exchanges(
            self._written(next_hop), self._resolver,
            own_names=self._own_names, own_addresses=self._own_addresses,
            random=self._random, default_port=self._port,
        )  # fmt: skip

    async def _visit(self, hop: Hop, carriage: Carriage) -> bool:
        """Try one host, in several sessions if it limits them; tell whether it was reached at all."""
        carriage.arrive(hop.host)
        while carriage.here:
            try:
                session = await self._reach(hop, carriage.request)
            except Unavailable as trouble:
                self.log.debug(
                    "{host}: no session: {reply}", event="no-session", host=hop.host, reply=str(trouble.reply)
                )
                carriage.note_trouble(trouble.reply, "" if trouble.is_ours else hop.host)
                return trouble.is_reached
            if not await self._talk(session, carriage):
                break
        return True

    async def _reach(self, hop: Hop, request: DeliveryRequest) -> SmtpSession:
        level = self._securing.level
        if self._may_be_lowered and level in LOWERED and await is_relaxed(request.message, self._disk):
            level = "may"
        return await self._reaching.open(hop, references(hop, self._written(request.lane.next_hop), self._terms), level)

    # --- one session ------------------------------------------------------------------------------------------

    async def _talk(self, session: SmtpSession, carriage: Carriage) -> bool:
        """Make transactions until nobody is left or the session is used up; False when it was lost."""
        carriage.note_session()
        reason = unfit(session) if requires_tls(carriage.request.message) else None
        if reason is not None:
            carriage.note_unfit(reason)
        prepared: Prepared | Reply | None = None
        try:
            while carriage.here and session.is_ready and not self._is_used_up(session):
                prepared = prepared or await self._prepare(session, carriage)
                if isinstance(prepared, Reply):
                    carriage.refuse(prepared)
                else:
                    await self._transact(session, carriage, prepared)
        finally:
            if isinstance(prepared, Prepared):
                self._conversions.let_go(prepared.file)
        is_kept = session.is_ready
        if is_kept and not self._keep(session, carriage.request.lane):
            self._part(session)
        return is_kept

    async def _prepare(self, session: SmtpSession, carriage: Carriage) -> Prepared | Reply:
        message = carriage.request.message
        reason = None if self.is_lmtp else objection(message, session.offer, self._clock.seconds())
        if reason is not None:
            return reason
        try:
            return await prepare(message, session.offer, self._disk, self._conversions)
        except CancelledError:
            session.abort()
            raise

    async def _transact(self, session: SmtpSession, carriage: Carriage, prepared: Prepared) -> None:
        offer = session.offer
        batch, rcpts = self._batch(carriage, offer, smtputf8=prepared.smtputf8)
        if not batch:
            return
        try:
            mail = mail_line(
                for_next_hop(carriage.request.message, self._clock.seconds()), offer,
                size=prepared.content.size, body=prepared.body, smtputf8=prepared.smtputf8,
            )  # fmt: skip
        except ValueError as error:
            carriage.refuse(Reply.of(553, "5.1.7", f"The sender's address cannot be sent: {error}"))
            return
        answers = await session.send(Submission(mail, tuple(rcpts), prepared.content))
        passes_by = passes_time(carriage.request.message, offer)
        carriage.hear(
            batch, answers, session.host, passes_dsn=offer.dsn, passes_by=passes_by, tls=str(session.security)
        )

    def _batch(self, carriage: Carriage, offer: PeerOffer, *, smtputf8: bool) -> tuple[list[Recipient], list[bytes]]:
        """Take as many recipients as one transaction may have (RFC 9422); those whose address cannot be sent fail."""
        limit = min(self._settings.max_recipients, offer.rcpt_max or self._settings.max_recipients)
        batch: list[Recipient] = []
        rcpts: list[bytes] = []
        domains: set[str] = set()
        later: list[Recipient] = []
        for index, recipient in enumerate(carriage.here):
            if len(batch) == limit:
                later += carriage.here[index:]
                break
            domain = recipient.forward_path.domain.lower()
            if offer.domain_max and len(domains | {domain}) > offer.domain_max:
                later.append(recipient)
                continue
            try:
                rcpts.append(rcpt_line(recipient, offer, smtputf8=smtputf8))
            except ValueError as error:
                carriage.settle(recipient, Failed(_unsendable(recipient, error)))
                continue
            domains.add(domain)
            batch.append(recipient)
        carriage.here = later
        return batch, rcpts

    # --- sessions ---------------------------------------------------------------------------------------------

    def _is_used_up(self, session: SmtpSession) -> bool:
        limit = self._settings.max_transactions
        return session.transactions >= min(limit, session.offer.mail_max or limit)

    def _keep(self, session: SmtpSession, lane: Lane) -> bool:
        is_own = self._closing is None and session.security.is_own
        return is_own and not self._is_used_up(session) and self._idle.put(lane, session)

    def _part(self, session: SmtpSession) -> None:
        self._idle.forget(session)
        session.leave()

    def _watch(self, session: SmtpSession) -> None:
        self._open.add(session)
        session.ended = self._ended

    def _ended(self, session: SmtpSession) -> None:
        self._idle.forget(session)
        self._open.discard(session)
        if self._closing is not None and not self._open:
            closing, self._closing = self._closing, None
            closing.callback(None)


def _unsendable(recipient: Recipient, error: ValueError) -> Reply:
    if recipient.forward_path.local_part.isascii():
        return Reply.of(553, "5.1.3", f"The address cannot be sent: {error}")
    return Reply.of(553, "5.6.7", "The next hop takes no UTF-8 addresses")
