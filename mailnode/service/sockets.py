"""Listening sockets for several processes: opened once, before privileges are dropped, inherited by the others.

A TCP port gets a socket for each process, all bound to it with SO_REUSEPORT: the kernel spreads new connections over
them by a hash. A single socket that all accept from was measured too: of twenty connections that came at once one
process took all twenty, because whoever wakes first empties the backlog. What cannot be bound more than once (unix
sockets, sockets that systemd made) is that one socket all the same, and there each other process takes a connection a
turn (``SharedPort``).
"""

import contextlib
import socket
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from twisted.internet.abstract import isIPv6Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReadDescriptor
from twisted.internet.main import CONNECTION_DONE
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer


@frozen
class Inherited:
    """A listening socket that a process was given."""

    descriptor: int
    family: int
    """The address family, such as AF_INET6."""
    is_shared: bool
    """Others accept from it too; else it is this process's own."""


class OpeningForAll:
    """Stands for the reactor when an endpoint listens, and opens a socket for each process.

    What an endpoint opens in another way (TLS in the endpoint itself) goes to the reactor as it is: then ``sockets``
    stays empty, and the main process serves that listener alone.
    """

    def __init__(self, reactor: Any, processes: int) -> None:
        self._reactor = reactor
        self._processes = processes
        self.family = 0
        self.is_shared = False
        self.sockets: list[IListeningPort] = []
        """One for each process; all the same when it is shared."""

    def __getattr__(self, name: str) -> Any:
        """Give what the reactor has."""
        return getattr(self._reactor, name)

    def listenTCP(self, port: int, factory: IProtocolFactory, backlog: int = 50, interface: str = "") -> IListeningPort:
        """Bind a socket for each process; raises CannotListenError. The first port is given, which is our own."""
        self.family = socket.AF_INET6 if isIPv6Address(interface) else socket.AF_INET
        try:
            opened = _bound(self.family, interface, port, backlog, self._processes)
        except OSError as error:
            raise CannotListenError(interface, port, error) from error
        for one in opened:
            with one:
                # It makes a descriptor of its own of the one it is given.
                self.sockets.append(self._reactor.adoptStreamPort(one.fileno(), self.family, factory))
        return self.sockets[0]

    def listenUNIX(self, *arguments: Any, **named: Any) -> IListeningPort:
        """Open the one socket there can be."""
        return self._one_for_all(socket.AF_UNIX, self._reactor.listenUNIX(*arguments, **named))

    def adoptStreamPort(self, descriptor: int, family: int, factory: IProtocolFactory) -> IListeningPort:
        """Take what was opened before us."""
        return self._one_for_all(family, self._reactor.adoptStreamPort(descriptor, family, factory))

    def _one_for_all(self, family: int, port: IListeningPort) -> IListeningPort:
        self.family, self.is_shared = family, True
        self.sockets = [port] * self._processes
        return port


def _bound(family: int, interface: str, port: int, backlog: int, count: int) -> Sequence[socket.socket]:
    """Open and bind ``count`` sockets for one port."""
    opened: list[socket.socket] = []
    with contextlib.ExitStack() as undone:
        place: Any = (interface, port)
        for _ in range(count):
            one = undone.enter_context(socket.socket(family, socket.SOCK_STREAM))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if opened:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(place)
            # After the first one's bind, not before: a port that anybody else listens on is in use, even for us.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            place = one.getsockname()
            opened.append(one)
        for one in opened:
            one.listen(backlog)
        undone.pop_all()
    return opened


def adopt(reactor: Any, inherited: Inherited, factory: IProtocolFactory) -> "IListeningPort | SharedPort":
    """Listen on a socket that was inherited; the descriptor itself is closed."""
    with socket.socket(fileno=inherited.descriptor) as listening:
        if inherited.is_shared:
            port = SharedPort(listening.dup(), factory, reactor)
            port.startReading()
            return port
        listens: IListeningPort = reactor.adoptStreamPort(listening.fileno(), inherited.family, factory)
        return listens


@implementer(IReadDescriptor)
class SharedPort:
    """Accepts from a socket that other processes accept from too: one connection a turn, so that each gets some.

    (Twisted's port for unix sockets would also change the file's mode to its own default.)
    """

    log = Logger()

    def __init__(self, listening: socket.socket, factory: IProtocolFactory, reactor: Any) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._factory = factory
        self._reactor = reactor

    def fileno(self) -> int:
        """Give the descriptor; the reactor asks."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """Name it in the reactor's log."""
        return "shared port"

    def getHost(self) -> Any:
        """Tell where it listens: for a unix socket its path, else host and port."""
        return self._socket.getsockname()

    def startReading(self) -> None:
        """Accept from now on."""
        self._reactor.addReader(self)

    def stopReading(self) -> None:
        """Accept no more for now."""
        self._reactor.removeReader(self)

    def doRead(self) -> None:
        """Accept one connection, if no other process was quicker."""
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # it was taken, or its peer has gone again; without descriptors, the next turn tries anew
        with connection:
            connection.setblocking(False)
            try:
                self._reactor.adoptStreamConnection(connection.fileno(), connection.family, self._factory)
            except OSError as error:
                self.log.info("A connection was gone before it was received: {reason}", reason=str(error))

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - IReadDescriptor
        """Hear that the reactor has given it up."""
        self._socket.close()

    def stopListening(self) -> None:
        """Let go of the socket, which lives on in the other processes."""
        self.stopReading()
        self.connectionLost(Failure(CONNECTION_DONE))
