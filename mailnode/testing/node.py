"""A whole node in memory: real reception, queue, relay role and gateway couriers around a spool, mailboxes and a clock.

Everything happens at once, in the call that causes it, so plain functions can be tests. What takes time waits for
``advance``, which an async test may also await. Nothing sleeps and no port is opened; four days take milliseconds.
"""

import math
import shutil
import tempfile
import weakref
from collections.abc import Coroutine, Mapping
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import attrs
from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from mailnode.accounts.memory import MemoryDirectory
from mailnode.gateways.composing import Draft, compose
from mailnode.gateways.gateway import Gateway, misfits_of
from mailnode.gateways.http import HttpClient
from mailnode.gateways.node import Submitted
from mailnode.gateways.outcomes import Delayed, Delivered, Failed
from mailnode.gateways.settings import GatewaySettings
from mailnode.interfaces import Courier, Refused, Selection
from mailnode.mail.address import NULL, Mailbox, parse_mailbox, parse_reverse_path
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Seconds, parse_seconds
from mailnode.queue.runner import DeliveryQueue
from mailnode.roles.house import House
from mailnode.roles.reception import MailReception
from mailnode.roles.relay import RelayRole
from mailnode.roles.unrouted import UNROUTED, UnroutedCourier
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from mailnode.service.config import parse
from mailnode.service.current import CurrentReception, CurrentRouter
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.gateway_station import GatewayGround, GatewayStation
from mailnode.service.gateways import faults
from mailnode.service.settings import NodeSettings
from mailnode.spool.memory import MemorySpool
from mailnode.testing.couriers import Mailboxes, Outside, read

T = TypeVar("T")

HOME = "home.example"
"""The domain of people with mailboxes: anybody there has one."""
HOSTNAME = "mx.home.example"
BEGINNING = 1_800_000_000.0
"""When a node in memory comes into being, seconds since the epoch."""
MOST_STEPS = 1_000_000


@frozen
class Waiting:
    """One recipient in the queue."""

    queue_id: str
    to: str
    attempts: int
    reason: str
    """What the last attempt heard."""
    due_in: float
    """Seconds until the next one."""


class InlineDisk:
    """A Disk that works at once."""

    async def run(self, work: Any) -> Any:
        """Run it now."""
        return work()


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Give what a coroutine gives, or raise what it raises; AssertionError when it waits for something."""
    results: list[T] = []
    failures: list[Failure] = []
    Deferred.fromCoroutine(coroutine).addCallbacks(results.append, failures.append)
    if failures:
        failures[0].raiseException()
    assert results, "it waits for something that does not happen by itself: see MemoryNode.advance"  # noqa: S101
    return results[0]


class MemoryNode:
    """A node with gateways, in memory.

    ``MemoryNode(Sms(url="x"), domain="sms.example")`` has one gateway, named after its class in small letters, that takes
    the mail of a domain. Several are given as a mapping of names, and ``config`` is TOML as in mailnode.toml for whatever
    else is wanted: ``[gateway.sms.queue]``, more domains, or gateways made by their ``kind``.

    ``http`` stands for all web servers (FakeHttp); ``reactor`` is for tests that speak with a real other side. TypeError for
    a gateway's class that ``mailnode check`` would not take.
    """

    def __init__(
        self,
        gateways: Gateway | Mapping[str, Gateway] | None = None,
        *,
        domain: str = "gateway.example",
        config: str = "",
        http: HttpClient | None = None,
        reactor: Any = None,
        seed: int = 1,
    ) -> None:
        made = {type(gateways).__name__.lower(): gateways} if isinstance(gateways, Gateway) else dict(gateways or {})
        if misfits := [misfit for one in made.values() for misfit in misfits_of(type(one))]:
            raise TypeError("; ".join(misfits))
        self.settings = _settings(config, made, domain if isinstance(gateways, Gateway) else "")
        self.clock = MemoryReactorClock()
        self.clock.advance(BEGINNING)
        self.reactor = reactor or self.clock
        self.spool = MemorySpool(self.clock)
        self.mailboxes = Mailboxes()
        self.outside = Outside()
        self._folder = Path(tempfile.mkdtemp(prefix="mailnode-"))
        self._removal = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._random = Random(seed)  # noqa: S311 - tests are to be repeatable
        self._build(made, http)
        now(self.queue_runner.start())
        self.station.open()
        self.clock.advance(0)

    def _build(self, made: Mapping[str, Gateway], http: HttpClient | None) -> None:
        settings, disk, couriers = self.settings, InlineDisk(), dict[str, Courier]()
        router = CurrentRouter(
            TableRouter(hostname=HOSTNAME, domains=settings.domain, routes=settings.route, directory=MemoryDirectory())
        )
        relay = RelayRole(router, HOSTNAME, settings.queue, self.clock, self._random, disk)
        self.queue_runner = DeliveryQueue(
            spool=self.spool, couriers=couriers, settle=relay.settle, clock=self.clock, random=self._random,
            settings=settings.queue,
        )  # fmt: skip
        self.reception = CurrentReception()
        ground = GatewayGround(
            hostname=HOSTNAME, reactor=self.reactor, clock=self.clock, random=self._random, disk=disk, relay=relay,
            queue=self.queue_runner, reception=self.reception, home=self._folder / "gateways", ledger=None,
            key=b"a key for tests, as long as it must be", http=http,
        )  # fmt: skip
        self.station = GatewayStation.build(settings, ground, made)
        self.station.sweep_every = 3600.0
        couriers |= {"maildir": self.mailboxes, "smtp": self.outside, **self.station.couriers}
        couriers[UNROUTED.courier] = UnroutedCourier(
            router, self.queue_runner, settings.queue, self.clock, self._random
        )
        router.books = {name: one.node.addresses for name, one in self.station.couriers.items()}
        house = House(
            hostname=HOSTNAME, router=router, queue=self.queue_runner, couriers={"maildir": self.mailboxes}, disk=disk,
            clock=self.clock, random=self._random, incoming=self._folder, settings=settings.reception,
            give_up=lambda path: settings.queue.bounce_give_up if path == NULL else settings.queue.give_up,
            report_expansion=relay.report_expansion,
        )  # fmt: skip
        self.reception.current = MailReception(house, ())

    # --- mail ---------------------------------------------------------------------------------------------------

    def send(
        self,
        sender: str,
        *to: str,
        text: str = "Hello.",
        subject: str = "Hello",
        octets: bytes | None = None,
        notify: Notify = Notify.UNSPECIFIED,
        **draft: Any,
    ) -> str:
        """Let somebody send mail, as Draft says or as octets; gives its queue id, or raises Refused.

        ``sender`` may be ``""`` for a bounce.
        """
        if octets is None:
            made = Draft(sender or f"MAILER-DAEMON@{HOSTNAME}", to, text, subject=subject, **draft)
            message_id = f"<{self._random.getrandbits(64):x}@{HOSTNAME}>"
            octets = compose(made, now=self.clock.seconds(), message_id=message_id)
        queue_id = now(self._send(parse_reverse_path(f"<{sender}>"), list(map(parse_mailbox, to)), octets, notify))
        self.clock.advance(0)
        return queue_id

    async def _send(self, sender: Mailbox, to: list[Mailbox], octets: bytes, notify: Notify) -> str:
        peer = Peer("", listener="test", hello="test.example", is_extended=True)
        is_utf8 = any(one.needs_smtputf8 for one in (sender, *to))
        transaction = await self.reception.begin(
            peer, Envelope(sender, body=Body.EIGHT_BIT_MIME, smtputf8=is_utf8), len(octets)
        )
        for one in to:
            await transaction.add_recipient(Recipient(one, notify))
        pending = transaction.write(octets)
        if pending is not None:
            await pending
        reply = (await transaction.commit())[0]
        if not reply.is_positive:
            raise Refused(reply)
        return reply.lines[-1].rpartition(" ")[2]

    def mailbox(self, address: str) -> list[EmailMessage]:
        """Give the messages in a mailbox at home, the oldest first."""
        return [read(octets) for octets in self.mailboxes.kept.get(address.lower(), [])]

    def sent(self) -> list[EmailMessage]:
        """Give the messages that have left to other mail hosts."""
        return [read(message.content.read()) for message in self.outside.sent]

    def queue(self) -> list[Waiting]:
        """Tell what waits, and why: what ``mailnode queue show`` would say."""
        entries = now(self.spool.listing(Selection(), limit=1000))
        return [
            Waiting(
                entry.message.queue_id, str(one.recipient.forward_path), one.attempts, str(one.last or ""),
                one.due - self.clock.seconds(),
            )
            for entry in entries for one in entry.recipients
        ]  # fmt: skip

    # --- the other side -----------------------------------------------------------------------------------------

    def gateway(self, name: str = "") -> Gateway:
        """Give a gateway by its name; without one the only one there is."""
        return self.station.gateway(name or next(iter(self.station.couriers)))

    def inject(self, mail: Draft | bytes, *, gateway: str = "", protocol: str = "TEST", **how: Any) -> Submitted:
        """Submit what comes from the other side, as the source of a gateway would (GatewayNode.submit)."""
        done = now(self.gateway(gateway).node.submit(mail, protocol=protocol, **how))
        self.clock.advance(0)
        return done

    def receipt(self, receipt_id: str, outcome: Delivered | Delayed | Failed, *, gateway: str = "") -> bool:
        """Let the other side say what became of something."""
        known = now(self.gateway(gateway).node.receipt(receipt_id, outcome))
        self.clock.advance(0)
        return known

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self, time: str | float) -> Deferred[None]:
        """Let time pass, ``"4d"`` or seconds; all that is due in between happens. May be awaited, need not be.

        With a real ``reactor`` it must be awaited: then each attempt gets the real time it needs while the clock stands.
        """
        end = self.clock.seconds() + (parse_seconds(time) if isinstance(time, str) else time)
        if self.reactor is not self.clock:
            return Deferred.fromCoroutine(self._advance_slowly(end))
        for _ in range(MOST_STEPS):
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=math.inf)
            if due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        self.clock.advance(max(0.0, end - self.clock.seconds()))
        return succeed(None)

    async def _advance_slowly(self, end: float) -> None:
        for _ in range(MOST_STEPS):
            await self.settled()
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=math.inf)
            if due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        self.clock.advance(max(0.0, end - self.clock.seconds()))
        await self.settled()

    async def settled(self, seconds: float = 10.0) -> None:
        """Wait, on a real ``reactor``, until no attempt runs any more; AssertionError when that takes too long."""
        for _ in range(int(seconds * 100)):
            self.clock.advance(0)
            if not self.queue_runner.activity[0]:
                return
            await deferLater(self.reactor, 0.01)
        raise AssertionError(f"attempts still run after {seconds} seconds")

    async def stop(self) -> None:
        """Stop everything in order; only tests with a real other side need it."""
        await self.station.close_sources()
        await self.queue_runner.stop(0)
        for courier in self.station.couriers.values():
            await courier.close()
        self._removal()


def _settings(config: str, made: Mapping[str, Gateway], domain: str) -> NodeSettings:
    """Read the configuration, and put in what is not written: a home, a domain for a single gateway, a patient queue."""
    settings = parse(config, source="config", thorough=False)
    gateways = {name: settings.gateway.get(name, GatewaySettings()) for name in made} | dict(settings.gateway)
    domains = [one for one in settings.domain if one.name != HOME]
    name = next(iter(made), "")
    if domain and not any(one.courier == name for one in domains):
        domains.append(DomainSettings(name=domain, courier=name))
    domains = [evolve(one, accounts="any") if one.courier in gateways else one for one in domains]
    home = [one for one in settings.domain if one.name == HOME] or [DomainSettings(name=HOME, accounts="any")]
    queue = settings.queue
    if queue.look_every == type(queue)().look_every:
        queue = attrs.evolve(queue, look_every=Seconds(6 * 3600))
    settings = attrs.evolve(settings, gateway=gateways, domain=(*home, *domains), queue=queue)
    unmade = attrs.evolve(settings, gateway={name: one for name, one in gateways.items() if name not in made})
    found = list(faults(unmade))
    if found:
        raise ConfigurationFaults("config", found)
    return settings
