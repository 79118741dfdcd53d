"""The gateway itself: its settings, its port, and its file of tokens, which is looked at again and again."""

from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import LoopingCall

from mailnode.gateways.api import Gateway, Octets, Seconds
from mailnode.shipped.http_inject.answering import Answering
from mailnode.shipped.http_inject.channel import Bounds, PostingFactory
from mailnode.shipped.http_inject.clients import Clients, read_clients

LOOK_EVERY = 5.0
"""Seconds between two looks at the file of tokens."""
MOST_TOKENS = 1 << 20
"""Octets of that file."""


@define
class HttpInject(Gateway):
    """Takes mail by HTTP."""

    tokens: str
    """The file of tokens: a line for each client."""
    endpoint: str = field(default="tcp:8080:interface=127.0.0.1")
    """Where to listen: any endpoint of Twisted's servers; ``ssl:PORT:privateKey=F:certKey=F`` for TLS of its own."""
    proxied: bool = False
    """Whether a reverse proxy stands before it: then X-Forwarded-For and X-Forwarded-Proto are believed."""
    max_size: Octets = field(default=Octets(10 << 20))
    """Octets of a request's body; files in JSON are a third larger than they are."""
    timeout: Seconds = Seconds(60)
    """How long a body may take to come."""
    max_connections: int = field(default=200)
    """Connections at the same time; more are hung up on."""
    max_connections_per_address: int = field(default=20)
    """Connections at the same time from one address; those of this machine are not counted."""

    _answering: Answering = field(init=False, default=None)
    _factory: PostingFactory = field(init=False, default=None)
    _port: Any = field(init=False, default=None)
    _seen: tuple[int, int] = field(init=False, default=(0, 0))

    @max_size.validator
    @max_connections.validator
    @max_connections_per_address.validator
    def _check_positive(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"expected 1 or more, not {value}")

    @endpoint.validator
    def _check_endpoint(self, _: object, value: str) -> None:
        kind, is_one, _rest = value.partition(":")
        if not is_one or not kind:
            raise ValueError(f'expected an endpoint such as "tcp:8080:interface=127.0.0.1", not "{value}"')

    async def start(self) -> None:
        """Read the tokens and listen."""
        self._answering = Answering(self.node, self.max_size, self.proxied)
        bounds = Bounds(self.max_size, self.timeout, self.max_connections, self.max_connections_per_address)
        self._factory = PostingFactory(self.node.clock, bounds, self._answering.judge, self._answering.answer)
        await self._read_tokens()
        self._port = await serverFromString(self.node.reactor, self.endpoint).listen(self._factory)
        self._warn()

    def source(self) -> IService:
        """Give what looks at the tokens, and ends everything."""
        return _Posting(self)

    def _warn(self) -> None:
        host = str(getattr(self._port.getHost(), "host", "127.0.0.1") or "0.0.0.0")  # noqa: S104 - any interface
        if self.endpoint.startswith("tcp") and not self.proxied and not ip_address(host).is_loopback:
            self.node.log.warn(  # noqa: G010
                "{endpoint}: tokens and mail travel in the clear; use ssl: or a reverse proxy (proxied = true)",
                event="trouble", endpoint=self.endpoint,
            )  # fmt: skip

    async def look(self) -> None:
        """Read the tokens again if their file has changed; a bad file leaves those that are known."""
        try:
            await self._read_tokens()
        except (OSError, ValueError) as error:
            self.node.log.error("the tokens are as they were: {reason}", event="trouble", reason=str(error))

    async def _read_tokens(self) -> None:
        path = Path(self.tokens)
        status = await self.node.disk.run(path.stat)
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        self._seen = seen
        if status.st_size > MOST_TOKENS:
            raise ValueError(f"{self.tokens} is larger than {MOST_TOKENS} octets")
        text = await self.node.disk.run(partial(path.read_text, "utf-8"))
        try:
            clients = read_clients(text)
        except ValueError as error:
            raise ValueError(f"{self.tokens}: {error}") from None
        if clients.has_plain and status.st_mode & 0o044:
            self.node.log.warn("{path} holds tokens and others may read it", event="trouble", path=self.tokens)  # noqa: G010
        self._take(clients)

    def _take(self, clients: Clients) -> None:
        self._answering.clients = clients
        self.node.log.info("{count} clients may post", event="ready", count=len(clients.known))

    async def close(self) -> None:
        """Take nothing more; what is under way is answered."""
        self._answering.is_open = False
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)
        await self._factory.close()


class _Posting(Service):
    """Looks at the tokens while it runs."""

    def __init__(self, gateway: HttpInject) -> None:
        self._gateway = gateway
        self._looking = LoopingCall(self._look)
        self._looking.clock = gateway.node.clock

    def _look(self) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self._gateway.look())
        return looking.addErrback(lambda failure: self._gateway.node.log.failure("tokens were not read", failure))

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._looking.start(LOOK_EVERY, now=False)

    def stopService(self) -> Deferred[None]:
        """End it all."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()
        return Deferred.fromCoroutine(self._gateway.close())
