"""The watch over attempts: counts failures, delays answers, locks out, and says so in the log.

What is counted, each against its own limit:

* a *pair* of account and client network. Who guesses at an account locks out their own network and nobody else;
* a *network*, whatever accounts it tries: against one password tried on a thousand accounts. Trusted networks are left
  out, since all users of a web mailer come from one address; their pairs count like all others;
* an *account*, from all networks: the much higher limit against a thousand machines that try one account. Networks from
  which the account has logged in of late are not touched by it.

An attempt that is under way counts as a failure, for else a thousand sent at once would all be tried. But nobody is
refused for those: who would be beyond a limit because of them waits until they have ended. ``attempt`` gives an
``Attempt``, which must be ended in exactly one way: ``succeeded``, ``failed``, or ``withdrawn`` when it says nothing about
guessing (an expired token, trouble of ours, a client that left before anything was compared).
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.authentication.counts import Counts
from mailnode.authentication.settings import AuthSettings
from mailnode.interfaces import Refused
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.smtp import replies

LATELY = 30 * 86400.0
"""Seconds for which a network is known as one that an account has logged in from."""


def network_of(address: str) -> str:
    """Give what is equal for addresses that are one client's: 64 bits of IPv6 (RFC 4291 section 2.5.1)."""
    return IPv6Address(address).packed[:8].hex() if ":" in address else address


class Watch:
    """Watches all attempts of a process."""

    log = Logger()

    def __init__(self, settings: AuthSettings, clock: IReactorTime, is_trusted: Callable[[str], bool]) -> None:
        self._settings = settings
        self._clock = clock
        self._is_trusted = is_trusted
        window, tracked = settings.window, settings.tracked
        self._pairs = Counts(settings.account_failures, window, tracked)
        self._networks = Counts(settings.client_failures, window, tracked)
        self._accounts = Counts(settings.account_failures_everywhere, window, tracked)
        self._known: OrderedDict[Hashable, float] = OrderedDict()
        self._tracked = tracked
        self._under_way: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[Deferred[None]]] = {}

    async def attempt(self, peer: Peer, account: str, mechanism: str) -> "Attempt":
        """Open an attempt, as soon as there is room for it; raises Refused for whoever is locked out.

        ``account`` is what the client claims, existing or not; empty when it does not say (a token may).
        """
        attempt = Attempt(self, peer, account, mechanism)
        waited_for: Hashable = None
        while True:
            now = self._clock.seconds()
            full: Hashable = None
            attempt.limits = self.limits_for(peer, account)
            for counts, key, reply in attempt.limits:
                if not counts.has_room(key, now):
                    self._locked_out(attempt, reply)
                if not counts.has_room(key, now, self._under_way[key]):
                    full = key
            if full is None:
                break
            if waited_for not in (None, full):
                self._next(waited_for)  # the room there is for somebody else now
            waited_for = full
            await self._room(full)
        self._under_way.update(key for _, key, _ in attempt.limits)
        return attempt

    def limits_for(self, peer: Peer, account: str) -> tuple[tuple[Counts, Hashable, Reply], ...]:
        """Give what an attempt counts against, with the answer where a limit is reached."""
        network = network_of(peer.address)
        limits: list[tuple[Counts, Hashable, Reply]] = []
        if account:
            limits.append((self._pairs, (account, network), replies.TOO_MANY_FAILURES))
        if self._knows(account, network):
            return tuple(limits)
        if account:
            limits.append((self._accounts, account, replies.TOO_MANY_FAILURES))
        if peer.address and not self._is_trusted(peer.address):
            limits.append((self._networks, ("network", network), replies.CLIENT_LOCKED_OUT))
        return tuple(limits)

    def _knows(self, account: str, network: str) -> bool:
        """Tell whether the account has logged in from there of late."""
        return self._known.get((account, network), -LATELY) + LATELY > self._clock.seconds()

    def _locked_out(self, attempt: "Attempt", reply: Reply) -> None:
        self._next_at(attempt)
        attempt.report("locked out")
        raise Refused(reply)

    # --- waiting for room -------------------------------------------------------------------------------------

    async def _room(self, key: Hashable) -> None:
        """Wait until an attempt that counts against ``key`` has ended."""
        turn: Deferred[None] = Deferred(lambda one: self._left(key, one))
        self._waiting.setdefault(key, deque()).append(turn)
        await turn

    def _left(self, key: Hashable, turn: "Deferred[None]") -> None:
        """Hear that one who waited is gone; was it to look just now, another one does."""
        waiting = self._waiting.get(key, deque())
        if turn in waiting:
            waiting.remove(turn)
        else:
            self._next(key)

    def _next_at(self, attempt: "Attempt") -> None:
        """Let others look again, at each limit of an attempt that has ended or was refused."""
        for _, key, _ in attempt.limits:
            self._next(key)

    def _next(self, key: Hashable) -> None:
        """Let the next one that waits look again; not at once, for a thousand would then wake one another in one stack."""
        waiting = self._waiting.get(key)
        if waiting:
            self._clock.callLater(0, _wake, waiting.popleft())
        else:
            self._waiting.pop(key, None)

    # --- the end of an attempt --------------------------------------------------------------------------------

    def ended(self, attempt: "Attempt") -> None:
        """Let go of what the attempt held."""
        for _, key, _ in attempt.limits:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
        self._next_at(attempt)

    def count(self, attempt: "Attempt") -> float:
        """Count a failure; give for how many seconds its answer is to wait."""
        now = self._clock.seconds()
        for counts, key, _ in attempt.limits:
            counts.add(key, now)
        most = max(
            (counts.of(key, now) for counts, key, _ in attempt.limits if counts is not self._accounts), default=1
        )
        doublings = min(most - 1, 16)
        return min(self._settings.delay * 2.0**doublings, self._settings.max_delay)

    def welcome(self, attempt: "Attempt", account: str) -> None:
        """Remember that the account has logged in from there, and forget how often it failed there."""
        network = network_of(attempt.peer.address)
        self._pairs.forget((account, network))
        self._known[account, network] = self._clock.seconds()
        self._known.move_to_end((account, network))
        if len(self._known) > self._tracked:
            self._known.popitem(last=False)

    async def wait(self, seconds: float) -> None:
        """Hold an answer back."""
        if seconds > 0:
            await deferLater(self._clock, seconds)


class Attempt:
    """One attempt of a client to prove an account."""

    def __init__(self, watch: Watch, peer: Peer, account: str, mechanism: str) -> None:
        self.peer = peer
        self.account = account
        self._mechanism = mechanism
        self._watch = watch
        self._is_open = True
        self.limits = watch.limits_for(peer, account)

    def succeeded(self, account: str) -> None:
        """End it: the client is ``account``."""
        self._end()
        self.account = account
        self._watch.welcome(self, account)
        self.report("authenticated")

    async def failed(self, why: str) -> None:
        """End it: nothing was proved; returns when the client may hear so."""
        delay = self._watch.count(self) if self._is_open else 0.0
        self._end()
        self.report("not authenticated", why)
        await self._watch.wait(delay)

    def abandoned(self) -> None:
        """End it: the client left before it could hear the answer, which counts as a failure."""
        if self._is_open:
            self._watch.count(self)
            self._end()
            self.report("not authenticated", "the client has left")

    def withdrawn(self, why: str) -> None:
        """End it: it says nothing about guessing."""
        self._end()
        self.report("not authenticated", why)

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._watch.ended(self)

    def report(self, outcome: str, why: str = "") -> None:
        """Write down what came of it."""
        self._watch.log.info(
            "{peer}: {outcome} as {account} by {mechanism} {reason}",
            event="authentication", peer=self.peer.address, listener=self.peer.listener, outcome=outcome,
            account=_shown(self.account), mechanism=self._mechanism, reason=why,
        )  # fmt: skip


def _shown(account: str) -> str:
    """Show a name that a client has made up: on one line, and no longer than an address can be."""
    return "".join(one if one.isprintable() else "?" for one in account[:254]) or "?"


def _wake(turn: "Deferred[None]") -> None:
    if not turn.called:
        turn.callback(None)
