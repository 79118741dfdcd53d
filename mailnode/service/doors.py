"""The listeners: ports bound while the process may still bind them, opened when the house behind them is ready.

A ``Door`` listens with a factory of its own that asks for the current ``ReceiverFactory`` at each connection. So a port
can be bound before privileges are dropped, when no file may be made yet, and so the settings of sessions can change
under an open port: sessions that are there keep theirs. Between binding and opening, connections wait in the backlog.

Where several processes share the work (``crew``), the main one binds for all of them. Each other one adopts its socket;
as long as it does not live, the main process stands in for it, so that no client waits for a process that is not there.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.fronts.arrival import Arrivals
from mailnode.fronts.users import UserNames
from mailnode.service.fronts import arrivals_at, kind_of, with_mode
from mailnode.service.settings import ListenerSettings
from mailnode.service.sockets import Inherited, OpeningForAll, adopt
from mailnode.service.trouble import StartFailed
from mailnode.sessions.factory import ReceiverFactory


class Door(Factory):
    """One listener."""

    noisy = False
    log = Logger()

    def __init__(self, settings: ListenerSettings) -> None:
        self.settings = settings
        self._port: Any = None
        self._others: Sequence[IListeningPort] = ()
        """Sockets that belong to the other processes, for as long as those live."""
        self._family = 0
        self._is_shared = False
        self._receivers: list[ReceiverFactory] = []
        self._arrivals: Arrivals | None = None

    def bind(self, reactor: object, processes: int = 1, owner: tuple[int | None, int | None] = (None, None)) -> None:
        """Listen, for as many processes, but accept nobody yet; raises StartFailed.

        A socket file goes to ``owner``, the user and group that root will become.
        """
        where = with_mode(self.settings)
        opening = OpeningForAll(reactor, processes)
        try:
            listening = serverFromString(reactor if processes == 1 else opening, where).listen(self)
        except Exception as error:
            raise StartFailed(f"listener {self.settings.name}: {where} is no usable endpoint: {error}") from error
        failures: list[Failure] = []
        listening.addCallbacks(self._listens, failures.append)
        if failures:
            raise StartFailed(f"listener {self.settings.name}: {_why(self.settings.endpoint, failures[0].value)}")
        if owner[0] and kind_of(where) == "unix":
            _give(self._port, owner[0], owner[1])
        self._others, self._family, self._is_shared = opening.sockets[1:], opening.family, opening.is_shared
        if not self._receivers:
            self._stand_in_for_all("stopReading")

    def adopt(self, reactor: object, inherited: Inherited) -> None:
        """Listen on a socket that the main process has bound, but accept nobody yet."""
        self._listens(adopt(reactor, inherited, self))

    def _listens(self, port: object) -> None:
        self._port = port
        if not self._receivers:
            _call(port, "stopReading")

    def share_of(self, number: int) -> Inherited | None:
        """Give what another process (1, 2, ...) is to inherit; None when this listener is the main process's alone."""
        if not self._others:
            return None
        port: Any = self._others[number - 1]
        return Inherited(port.fileno(), self._family, self._is_shared)

    def stand_in(self, number: int, *, wanted: bool) -> None:
        """Accept in another process's place, or leave it to that process again."""
        if self._others and self._receivers and not self._is_shared:
            _call(self._others[number - 1], "startReading" if wanted else "stopReading")

    def _stand_in_for_all(self, method: str) -> None:
        if not self._is_shared:
            for port in self._others:
                _call(port, method)

    def open(self, receivers: ReceiverFactory, users: UserNames | None = None) -> None:
        """Let new connections in, to be received by ``receivers`` from now on; ``users`` names those of unix sockets."""
        receivers.doStart()
        if self._arrivals is None and users is not None:
            self._arrivals = arrivals_at(self.settings, users, self._receive)
        self._receivers = [old for old in self._receivers if old.sessions or not _ended(old)]
        self._receivers.append(receivers)
        if len(self._receivers) == 1 and self._port is not None:
            _call(self._port, "startReading")
            self._stand_in_for_all("startReading")
        self.log.info(
            "Listener {listener}: {service} on {where}", event="listening", listener=self.settings.name,
            service=self.settings.service, where=str(self.address),
        )  # fmt: skip

    @property
    def address(self) -> IAddress | str:
        """Tell where it really listens; the endpoint as it was written before it does."""
        return self.settings.endpoint if self._port is None else self._port.getHost()

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Hand a new connection to the current receivers; None (and it is closed) before the door is open."""
        if self._arrivals is not None:
            return cast("Protocol | None", self._arrivals.buildProtocol(addr))
        return self._receivers[-1].buildProtocol(addr) if self._receivers else None

    def _receive(self, address: str, port: int, *, local_address: str = "", user: str = "") -> Protocol | None:
        """Receive a client that is known by now; None (and it is closed) when the door is closed by now."""
        if self._port is None:
            return None
        return self._receivers[-1].receive(address, port, local_address=local_address, user=user)

    async def unbind(self) -> None:
        """Stop listening."""
        ports = [self._port] if self._port is not None else []
        ports += () if self._is_shared else self._others
        self._port, self._others = None, ()
        if self._arrivals is not None:
            self._arrivals.stop()
        for port in ports:
            stopped: Deferred[None] | None = port.stopListening()
            if stopped is not None:
                await stopped

    @property
    def receivers(self) -> list[ReceiverFactory]:
        """Give all receivers that may still have sessions."""
        return list(self._receivers)


def _ended(receivers: ReceiverFactory) -> bool:
    """End receivers without sessions; they have been replaced."""
    receivers.doStop()
    return True


def _give(port: Any, user: int, group: int | None) -> None:
    """Give the file of a unix socket away."""
    os.chown(port.getHost().name, user, -1 if group is None else group)


def _call(port: object, method: str) -> None:
    """Pause or resume a port that can do it; all of Twisted's own can."""
    call: Callable[[], None] | None = getattr(port, method, None)
    if call is not None:
        call()


def _why(where: str, error: BaseException | None) -> str:
    if isinstance(error, CannotListenError):
        reason = getattr(error.socketError, "strerror", None) or error.socketError
        return f"cannot listen on {where}: {reason}"
    return f"cannot listen on {where}: {error}"
