"""Asking the servers one question: in turn, over UDP and then TCP, with an end (RFC 1035 section 7.2)."""

from random import Random

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import TryLater
from mailnode.routing.settings import ResolverSettings
from mailnode.routing.system import NameServer, parse_server, read_servers
from mailnode.routing.transport import Unanswered, Wire
from mailnode.routing.wire import Found, Missing, Moved, Query, Question, Reading, Truncated, Unusable, without_ad


class Servers:
    """The servers of the settings, in the order they are worth asking."""

    _log = Logger()

    def __init__(self, settings: ResolverSettings, wire: Wire, *, random: Random, clock: IReactorTime) -> None:
        """Read the list of servers; ``random`` makes the ids and must not be guessable (random.SystemRandom)."""
        self._settings = settings
        self._wire = wire
        self._random = random
        self._clock = clock
        self._order = [parse_server(text) for text in settings.servers] or list(read_servers(settings.resolv_conf))
        self._places = DeferredSemaphore(max(1, settings.concurrency))

    async def ask(self, question: Question, until: float) -> Found | Missing | Moved:
        """Give what a server says; TryLater when none says anything useful before ``until`` on the clock.

        Raises CnameLoop.
        """
        await self._places.acquire()
        try:
            return await self._ask(question, until)
        finally:
            self._places.release()

    async def _ask(self, question: Question, until: float) -> Found | Missing | Moved:
        last = "no time left"
        for server in list(self._order) * max(1, self._settings.attempts):
            seconds = min(self._settings.timeout, until - self._clock.seconds())
            if seconds <= 0:
                break
            try:
                reading = await self._ask_one(server, question, seconds)
            except Unanswered as silence:
                last = str(silence)
                self._ask_last(server)
                continue
            if isinstance(reading, Found | Missing | Moved):
                return reading if self._is_trusted(server) else without_ad(reading)
            last = f"{server}: {reading.reason if isinstance(reading, Unusable) else 'truncated over TCP'}"
        self._log.info("the DNS does not tell about {name}: {reason}", name=question.name, reason=last)
        raise TryLater(f"{question.name}: {last}")

    async def _ask_one(self, server: NameServer, question: Question, seconds: float) -> Reading:
        reading = await self._exchange(server, self._query(question), seconds)
        if isinstance(reading, Unusable) and reading.dislikes_edns:
            reading = await self._exchange(server, self._query(question, uses_edns=False), seconds)
        return reading

    async def _exchange(self, server: NameServer, query: Query, seconds: float) -> Reading:
        reading = await self._wire.datagram(server, query.octets, query.read, seconds)
        if isinstance(reading, Truncated):
            return await self._wire.stream(server, query.octets, query.read, seconds)
        return reading

    def _query(self, question: Question, *, uses_edns: bool = True) -> Query:
        return Query(question, self._random.getrandbits(16), uses_edns=uses_edns)

    def _ask_last(self, server: NameServer) -> None:
        self._order.remove(server)
        self._order.append(server)

    def _is_trusted(self, server: NameServer) -> bool:
        trust = self._settings.trust_ad
        return trust == "always" or (trust == "loopback" and server.is_loopback)
