"""The provider of On-Demand Mail Relay: a customer calls, proves who it is, and says ATRN (RFC 2645).

Mail for the customer's domains waits in lanes of their own (``odmr``). ``turn`` looks whether there is any; then the
connection changes hands, and what waits is claimed piece by piece, sent, and settled like every attempt of the queue: what the
customer has acknowledged is done, what it refuses is returned to its sender, all else waits for its next call. Claims are leases,
so whatever happens to the connection, the customer or us, nothing is lost; what was sent without an answer may come twice.
"""

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Any, Protocol

from attrs import Factory, define, field
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IProtocol
from twisted.logger import Logger

from mailnode.couriers.on_demand import TurnedCourier, TurnedSession, turned_session
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Disk, Refused, Settlement, Spool, SpoolTrouble
from mailnode.mail.message import Entry, Peer
from mailnode.mail.route import ON_DEMAND, Lane
from mailnode.queue.attempt import Attempt, Attempts, write_down
from mailnode.queue.lanes import works_of
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settle, Settling
from mailnode.routing.names import domain_key
from mailnode.smtp import remote_queue

log = Logger()

BATCH = 20
"""Recipients claimed at a time: they come back late if we die with them in hand."""

AT_ONCE = 5
"""Connections of one customer at the same time; a customer whose line broke must not wait for the broken one to end."""


class Customers(Protocol):
    """Who may call for which domains."""

    def domains(self, account: str) -> Collection[str]:
        """Give the domains of an account, folded; none for whoever is no customer."""
        ...


@define(eq=False)
class OnDemand:
    """Implements sessions.remote_queue.Turns."""

    spool: Spool
    settle: Settle
    reactor: Any
    random: Random
    disk: Disk
    hostname: str
    customers: Customers
    queue: QueueSettings
    courier: SmtpCourierSettings
    wake: Callable[[], None]
    """Lets the queue look into the spool: what was refused is reported to its sender."""
    _calls: dict["Call", Deferred[None]] = Factory(dict)
    _is_stopping: bool = False

    async def turn(self, peer: Peer, argument: str) -> IProtocol:
        """Make the session for what waits for this client; raises Refused."""
        domains = self._domains(peer.account, argument)
        of_customer = [call for call in self._calls if call.account == peer.account]
        if self._is_stopping or len(of_customer) >= AT_ONCE:
            raise Refused(remote_queue.ATRN_NOT_NOW)
        lanes = [Lane(ON_DEMAND, domain) for domain in domains]
        try:
            waiting = [lane for lane in lanes if await self._has_mail(lane)]
        except SpoolTrouble as trouble:
            log.error("mail cannot be called for: {reason}", event="trouble", reason=str(trouble))
            raise Refused(remote_queue.ATRN_NOT_NOW) from trouble
        if not waiting:
            raise Refused(remote_queue.NO_MAIL)
        return turned_session(
            peer.hello or peer.address or "customer", self.hostname, settings=self.courier, clock=self.reactor,
            disk=self.disk, begin=lambda session: self._begin(peer.account, session, waiting),
        )  # fmt: skip

    async def stop(self) -> None:
        """Break off what is under way, and wait until it is settled."""
        self._is_stopping = True
        for call in list(self._calls):
            call.session.abort()
        await gatherResults(list(self._calls.values()))

    def _domains(self, account: str, argument: str) -> list[str]:
        """Give the domains asked for, all by default; each must be the account's (RFC 2645 section 5.2.1)."""
        theirs = self.customers.domains(account)
        if not argument:
            wanted = sorted(theirs)
        else:
            try:
                wanted = [domain_key(name.strip()) for name in argument.split(",")]
            except ValueError:
                raise Refused(remote_queue.ATRN_SYNTAX) from None
        if not wanted or not set(wanted) <= set(theirs):
            raise Refused(remote_queue.ATRN_REFUSED)
        return list(dict.fromkeys(wanted))

    async def _has_mail(self, lane: Lane) -> bool:
        now = self.reactor.seconds()
        entries = await self.spool.claim_lane(lane, now=now, lease_until=now + self.queue.lease, limit=1)
        await self.give_back(entries)
        return bool(entries)

    async def give_back(self, entries: Sequence[Entry]) -> None:
        """Let what was claimed wait again, as if nothing had been tried."""
        back = [Settlement(one.key, due=entry.expires, counts=False) for entry in entries for one in entry.recipients]
        if back:
            await self.spool.settle(back)

    def _begin(self, account: str, session: TurnedSession, lanes: Sequence[Lane]) -> None:
        call = Call(self, account, session, tuple(lanes))
        # It is in the books before it can end.
        done: Deferred[None] = Deferred()
        self._calls[call] = done
        Deferred.fromCoroutine(call.run()).addErrback(self._failed, call).addBoth(lambda _: self._ended(call, done))

    def _failed(self, failure: Any, call: "Call") -> None:
        if not failure.check(CancelledError):
            log.failure("{account}: sending what waited failed", failure, account=call.account)
        call.session.abort()

    def _ended(self, call: "Call", done: Deferred[None]) -> None:
        del self._calls[call]
        done.callback(None)


@define(eq=False)
class Call:
    """One customer's call: everything that waits in its lanes goes out over one session."""

    house: OnDemand
    account: str
    session: TurnedSession
    lanes: tuple[Lane, ...]
    sent: int = 0
    _settling: Settling = field(init=False)
    _attempts: Attempts = field(init=False)

    def __attrs_post_init__(self) -> None:
        house = self.house
        courier = TurnedCourier(
            self.session, reactor=house.reactor, hostname=house.hostname, disk=house.disk, random=house.random,
            settings=house.courier,
        )  # fmt: skip
        self._settling = Settling(house.spool, house.settle, house.reactor, house.queue, lambda: None)
        self._attempts = Attempts({ON_DEMAND: courier}, house.reactor, house.queue, set())

    async def run(self) -> None:
        """Send all that waits, then say goodbye."""
        try:
            await self.session.open()
            for lane in self.lanes:
                await self._empty(lane)
        except Unavailable as trouble:
            log.info("{account}: took no mail: {reply}", event="odmr", account=self.account, reply=str(trouble.reply))
        except SpoolTrouble as trouble:
            log.error(
                "{account}: no more can be sent: {reason}", event="trouble", account=self.account, reason=str(trouble)
            )
        if self.session.is_ready:
            self.session.leave()
        log.info(
            "{account}: called for its mail; {count} recipient(s) were served", event="odmr", account=self.account,
            count=self.sent,
        )  # fmt: skip

    async def _empty(self, lane: Lane) -> None:
        """Send what waits in one lane, by the order in which it came."""
        house, last = self.house, 0
        while self.session.is_ready:
            now = house.reactor.seconds()
            lease = now + house.queue.lease
            entries = await house.spool.claim_lane(lane, now=now, lease_until=lease, limit=BATCH, after=last)
            if not entries:
                return
            last = max(one.key for entry in entries for one in entry.recipients)
            for place, entry in enumerate(entries):
                now = house.reactor.seconds()
                if not self.session.is_ready or now + house.queue.attempt_limit > lease:
                    await house.give_back(entries[place:])
                    last = min(one.key for one in entry.recipients) - 1
                    break
                await self._send(entry, lease)

    async def _send(self, entry: Entry, lease: float) -> None:
        for work in works_of(entry, lease, len(entry.recipients)):
            outcomes = await self._attempts.make(work)
            attempt = Attempt(
                work.message, work.lane, work.recipients, outcomes, work.expires, ended=self.house.reactor.seconds()
            )
            write_down(attempt)
            if await self._settling.finish(attempt) <= self.house.reactor.seconds():
                self.house.wake()
            self.sent += len(work.recipients)
