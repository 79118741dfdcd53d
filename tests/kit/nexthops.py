"""Next hops in memory: a reactor whose connections end at scripted servers, driven by a clock, without sockets.

A server answers each command line by its script, as ``tests.kit.peers`` does over sockets; nothing happens while a write
is under way, all comes with the clock, as on a real reactor.
"""

from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError, UserError  # noqa: A004 - Twisted's own
from twisted.internet.interfaces import IConnector, IReactorTCP, IReactorUNIX
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.kit.peers import Answer, Trouble

T = TypeVar("T")

EHLO = "250-peer.example\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-DSN\n250 SIZE 1000000"


class Hang(Exception):  # noqa: N818 - reads as what happened
    """The coroutine still waits."""


class Server:
    """One scripted server; every session of it counts on."""

    def __init__(self, script: Mapping[str, Answer] | None = None, *, extensions: str = EHLO) -> None:
        self.script: dict[str, Answer] = {
            "CONNECT": "220 peer.example", "EHLO": extensions, "LHLO": extensions, "HELO": "250 peer.example",
            "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 2.0.0 taken", "RSET": "250 ok",
            "QUIT": "221 bye", **(script or {}),
        }  # fmt: skip
        self.sessions = 0
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        """As they stood on the wire, dots stuffed."""
        self.wires: list[Wire] = []


class Wire(StringTransport):
    """One connection: what is written is heard by the server at the next turn of the clock."""

    def __init__(self, server: Server, clock: Clock, protocol: Any) -> None:
        super().__init__()
        self.server = server
        self.protocol = protocol
        self.is_open = True
        self.is_lmtp = False
        self._clock = clock
        self._heard = b""
        self._accepted = 0
        self._is_content = False
        server.sessions += 1
        server.wires.append(self)

    def write(self, data: bytes) -> None:
        """Let the server hear it."""
        super().write(data)
        self._clock.callLater(0, self._hear, data)

    def loseConnection(self) -> None:
        """Close."""
        self._clock.callLater(0, self.drop)

    def abortConnection(self) -> None:
        """Close."""
        self.loseConnection()

    def drop(self) -> None:
        """Let the connection end, as a server that hangs up."""
        if self.is_open:
            self.is_open = False
            self.protocol.connectionLost(Failure(ConnectionDone()))

    def say(self, octets: bytes) -> None:
        """Let the server say something."""
        if self.is_open:
            self.protocol.dataReceived(octets)

    def greet(self) -> None:
        """Begin the session."""
        self._answer("CONNECT", "")

    def _hear(self, data: bytes) -> None:
        self._heard += data
        while self.is_open:
            end = b"\r\n.\r\n" if self._is_content and not self._heard.startswith(b".\r\n") else b"\r\n"
            found, mark, rest = self._heard.partition(end)
            if not mark:
                return
            self._heard = rest
            if self._is_content:
                self.server.messages.append(found + mark)
                self._is_content = False
                for _ in range(self._accepted if self.is_lmtp else 1):
                    self._answer(".", "")
            else:
                self._command(found.decode())

    def _command(self, line: str) -> None:
        verb = line[:4]
        self.server.commands.append(line)
        if verb in ("MAIL", "RSET"):
            self._accepted = 0
        self.is_lmtp = self.is_lmtp or verb == "LHLO"
        is_positive = self._answer(verb, line)
        if verb == "RCPT":
            self._accepted += is_positive
        self._is_content = verb == "DATA" and is_positive
        if verb == "QUIT":
            self.loseConnection()

    def _answer(self, key: str, line: str) -> bool:
        answer = self.server.script[key]
        if not isinstance(answer, str | Trouble):
            answer = answer(line)
        if answer is Trouble.HANG:
            self._heard = b""
        elif answer is Trouble.DROP:
            self.drop()
        elif isinstance(answer, str):
            self.say(answer.replace("\n", "\r\n").encode() + b"\r\n")
            return answer[0] in "23"
        return False


@implementer(IConnector)
class _Connector:
    """A connection being made."""

    def __init__(
        self, reactor: "Network", factory: Any, server: Server | None, address: Any, *, is_silent: bool = False
    ) -> None:
        self.is_stopped = False
        self._factory = factory
        self._server = server
        self._address = address
        self._clock = reactor
        factory.doStart()
        factory.startedConnecting(self)
        if not is_silent:
            reactor.callLater(0, self._connect)

    def _connect(self) -> None:
        if self.is_stopped:
            return
        if self._server is None:
            self._factory.clientConnectionFailed(self, Failure(self._clock.error))
            return
        protocol = self._factory.buildProtocol(self._address)
        wire = Wire(self._server, self._clock, protocol)
        protocol.makeConnection(wire)
        wire.greet()

    def stopConnecting(self) -> None:
        """Give up."""
        self.is_stopped = True
        self._factory.clientConnectionFailed(self, Failure(UserError()))

    def disconnect(self) -> None:
        """Give up."""
        self.is_stopped = True

    def connect(self) -> None:
        """Never called."""

    def getDestination(self) -> Any:
        """Give the address."""
        return self._address


@implementer(IReactorTCP, IReactorUNIX)
class Network(Clock):
    """A clock and a network of scripted servers, by ``"address:port"`` or by path; everything else refuses."""

    def __init__(self, servers: Mapping[str, Server]) -> None:
        super().__init__()
        self.servers = dict(servers)
        self.silent: set[str] = set()
        """Addresses that never answer."""
        self.error: Exception = ConnectionRefusedError()
        """How connections to nobody fail."""
        self.attempts: list[str] = []

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: tuple[str, int] | None = None
    ) -> Any:
        """Connect to a scripted server."""
        self.attempts.append(host)
        address = IPv4Address("TCP", host, port)
        return _Connector(self, factory, self.servers.get(f"{host}:{port}"), address, is_silent=host in self.silent)

    def connectUNIX(self, address: str, factory: Any, timeout: float = 30, checkPID: bool = False) -> Any:
        """Connect to a scripted server."""
        return _Connector(self, factory, self.servers.get(address), UNIXAddress(address))

    def listenTCP(self, *_: Any, **__: Any) -> Any:
        """Never called."""
        raise NotImplementedError

    def listenUNIX(self, *_: Any, **__: Any) -> Any:
        """Never called."""
        raise NotImplementedError

    def run(self, coroutine: Coroutine[Deferred[Any], Any, T], seconds: float = 0.0) -> T:
        """Give the coroutine's result; let at most ``seconds`` pass for it, else Hang."""
        return self.result(Deferred.fromCoroutine(coroutine), seconds)

    def result(self, deferred: Deferred[T], seconds: float = 0.0) -> T:
        """Give the result of what was started before."""
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        end = self.seconds() + seconds
        for _ in range(200):
            self.advance(0)
        while not results and self.seconds() < end:
            self.advance(0.25)
            for _ in range(20):
                self.advance(0)
        if not results:
            raise Hang
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]
