"""The customer of On-Demand Mail Relay: calls its provider from time to time and takes what waits there (RFC 2645, RFC 1985).

By ATRN the connection is turned around, and what comes over it is received as by any listener, except that the provider is
nobody's client: it may bring mail for our own domains and for no others, whatever its address is. By ETRN the provider
is only asked to start its queue, and delivers to us as ever. A call that fails is followed by longer pauses, and each
pause is a little different, so that a provider's customers do not all call at once.
"""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from attrs import Factory, define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime
from twisted.logger import Logger

from mailnode.couriers.calling import Caller, ask
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.mail.reply import Reply
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.routing.names import to_a_labels

log = Logger()

JITTER = 0.1
"""Each pause is longer or shorter by up to this part of it."""
MOST_DOUBLINGS = 4
"""After so many failed calls the pauses grow no further."""
_NO_MAIL = 453


Server = Callable[[str], tuple[IProtocol, "Deferred[int]"]]
"""Makes what receives over a connection that was turned around, given the provider's address; with it, when the session is
over, how many messages came."""


@define(eq=False)
class Fetching:
    """Calls one provider. ``serve`` makes the receiving end of a call by ATRN."""

    settings: FetchSettings
    caller: Caller
    serve: Server
    clock: IReactorTime
    random: Random
    _failures: int = 0
    _running: "Deferred[str] | None" = None
    _asked: "list[Deferred[str]]" = Factory(list)
    """Whoever waits for the call that runs."""
    _timer: IDelayedCall | None = None
    _session: SmtpSession | None = None
    _is_open: bool = False

    def start(self) -> None:
        """Call soon, and from then on after each interval."""
        self._is_open = True
        if self.settings.interval:
            self._timer = self.clock.callLater(0, self._call_by_timer)

    async def stop(self) -> None:
        """Call no more; a call that runs is broken off."""
        self._is_open = False
        self._disarm()
        if self._running is not None:
            self._running.cancel()
        if self._session is not None:
            self._session.abort()
        await self.caller.close()

    async def call(self) -> str:
        """Call now, and say what came of it; raises Unavailable. One call at a time: who asks meanwhile gets its result."""
        if self._running is None:
            self._disarm()
            running = self._running = Deferred.fromCoroutine(self._called())
            # Not yet told to anybody: it may have ended already.
            self.clock.callLater(0, running.addBoth, self._ended)
        asked: Deferred[str] = Deferred()
        self._asked.append(asked)
        return await asked

    def _ended(self, result: Any) -> None:
        self._running = self._session = None
        asked, self._asked = self._asked, []
        for one in asked:
            if not one.called:
                one.callback(result)

    def _call_by_timer(self) -> None:
        self._timer = None
        Deferred.fromCoroutine(self.call()).addErrback(self._failed)

    def _failed(self, failure: Any) -> None:
        # What went wrong was logged by the call itself, or is a bug.
        if not failure.check(Unavailable, CancelledError):
            log.failure("{name}: the call failed", failure, name=self.settings.title)

    async def _called(self) -> str:
        try:
            said = await self._done()
        except Unavailable as trouble:
            self._failures += 1
            log.error(
                "{name}: no mail could be fetched: {reply}", event="fetch", name=self.settings.title,
                reply=str(trouble.reply),
            )  # fmt: skip
            raise
        except CancelledError:
            raise
        except Exception:
            self._failures += 1
            raise
        else:
            self._failures = 0
            log.info("{name}: {said}", event="fetch", name=self.settings.title, said=said)
            return said
        finally:
            self._arm()

    async def _done(self) -> str:
        self._session = session = await self.caller.call(self.settings.next_hop)
        return await _METHODS[self.settings.method](self, session)

    async def by_atrn(self, session: SmtpSession) -> str:
        """Turn the connection around and receive."""
        domains = ",".join(map(to_a_labels, self.settings.domains))
        reply = await ask(session, f"ATRN {domains}" if domains else "ATRN")
        if reply.code == _NO_MAIL:
            session.leave()
            return "no mail waits"
        if reply.code != 250:
            session.leave()
            raise _refused(reply)
        peer: Any = session.transport.getPeer()  # type: ignore[union-attr]
        server, ended = self.serve(plain_host(peer))
        session.give_way(server)
        count = await ended
        return f"{count} message(s) were brought"

    async def by_etrn(self, session: SmtpSession) -> str:
        """Have the provider's queue started for each domain."""
        said: list[str] = []
        for domain in self.settings.domains:
            at = "@" if domain.startswith("@") else ""
            reply = await ask(session, f"ETRN {at}{to_a_labels(domain.removeprefix('@'))}")
            if not reply.is_positive:
                session.leave()
                raise _refused(reply)
            said.append(str(reply))
        session.leave()
        return "; ".join(said)

    def _arm(self) -> None:
        if self._is_open and self.settings.interval:
            self._disarm()
            pause = self.settings.interval * 2.0 ** min(self._failures, MOST_DOUBLINGS)
            spread = 1 + JITTER * (2 * self.random.random() - 1)
            self._timer = self.clock.callLater(pause * spread, self._call_by_timer)

    def _disarm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def plain_host(peer: Any) -> str:
    """Give the IP address of a peer; a mapped IPv4 address is one of IPv4."""
    return str(getattr(peer, "host", "")).removeprefix("::ffff:").partition("%")[0]


_METHODS: dict[str, Callable[[Fetching, SmtpSession], Coroutine[Any, Any, str]]] = {
    "atrn": Fetching.by_atrn,
    "etrn": Fetching.by_etrn,
}


def _refused(reply: Reply) -> Unavailable:
    return Unavailable(reply, is_ours=False, is_reached=True)
