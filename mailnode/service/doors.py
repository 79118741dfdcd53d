"""The listeners: ports bound while the process may still bind them, opened when the house behind them is ready.

A ``Door`` listens with a factory of its own that asks for the current ``ReceiverFactory`` at each connection. So a port
can be bound before privileges are dropped, when no file may be made yet, and so the settings of sessions can change
under an open port: sessions that are there keep theirs. Between binding and opening, connections wait in the backlog.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.service.settings import ListenerSettings
from mailnode.service.trouble import StartFailed
from mailnode.sessions.factory import ReceiverFactory


class Door(Factory):
    """One listener."""

    noisy = False
    log = Logger()

    def __init__(self, settings: ListenerSettings) -> None:
        self.settings = settings
        self._port: IListeningPort | None = None
        self._receivers: list[ReceiverFactory] = []

    def bind(self, reactor: object) -> None:
        """Listen, but accept nobody yet; raises StartFailed."""
        where = self.settings.endpoint
        try:
            listening = serverFromString(reactor, where).listen(self)
        except Exception as error:
            raise StartFailed(f"listener {self.settings.name}: {where} is no usable endpoint: {error}") from error
        failures: list[Failure] = []
        listening.addCallbacks(self._listens, failures.append)
        if failures:
            raise StartFailed(f"listener {self.settings.name}: {_why(where, failures[0].value)}")

    def _listens(self, port: IListeningPort) -> None:
        self._port = port
        if not self._receivers:
            _call(port, "stopReading")

    def open(self, receivers: ReceiverFactory) -> None:
        """Let new connections in, to be received by ``receivers`` from now on."""
        receivers.doStart()
        self._receivers = [old for old in self._receivers if old.sessions or not _ended(old)]
        self._receivers.append(receivers)
        if len(self._receivers) == 1 and self._port is not None:
            _call(self._port, "startReading")
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
        return self._receivers[-1].buildProtocol(addr) if self._receivers else None

    async def unbind(self) -> None:
        """Stop listening."""
        port, self._port = self._port, None
        if port is not None:
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


def _call(port: IListeningPort, method: str) -> None:
    """Pause or resume a port that can do it; all of Twisted's own can."""
    call: Callable[[], None] | None = getattr(port, method, None)
    if call is not None:
        call()


def _why(where: str, error: BaseException | None) -> str:
    if isinstance(error, CannotListenError):
        reason = getattr(error.socketError, "strerror", None) or error.socketError
        return f"cannot listen on {where}: {reason}"
    return f"cannot listen on {where}: {error}"
