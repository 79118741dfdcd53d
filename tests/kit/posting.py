"""HTTP spoken to a gateway in a MemoryNode, over a connection in memory; answers are read by Python's own http.client."""

import json
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailnode.shipped.http_inject.gateway import HttpInject
from mailnode.testing.api import MemoryNode

TOKEN = "t0ken-of-the-shop-0123456789"
FREE = "t0ken-of-anybody-0123456789"
TOKENS = f"""
# two clients
shop  plain:{TOKEN}  from=@shop.example,<>  to=@home.example,@*.other.example
free  plain:{FREE}   from=*  rate=60/m
"""


@frozen
class Heard:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)

    def problem(self) -> str:
        """Give the name of the problem it is."""
        assert self.headers["content-type"] == "application/problem+json"
        told = self.json()
        assert told["status"] == self.status
        return str(told["type"]).removeprefix("openapi.json#/x-problems/")


class _Socket:
    """What http.client reads from."""

    def __init__(self, file: BytesIO) -> None:
        self.file = file

    def makefile(self, _: str) -> BytesIO:
        """Give the answer."""
        return self.file


class Transport(StringTransport):
    """A connection that ends as TCP does."""

    protocol: Any = None
    is_ended = False

    def loseConnection(self) -> None:
        """End it."""
        super().loseConnection()
        self.end()

    def abortConnection(self) -> None:
        """End it at once."""
        super().abortConnection()
        self.end()

    def end(self) -> None:
        """Let both sides know."""
        if not self.is_ended:
            self.is_ended = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


class Line:
    """A connection to the gateway."""

    def __init__(self, node: MemoryNode, address: str = "192.0.2.1") -> None:
        factory = node.clock.tcpServers[-1][1]
        peer = IPv4Address("TCP", address, 4711)
        self.protocol: Any = factory.buildProtocol(peer)
        self.transport = Transport(peerAddress=peer)
        if self.protocol is not None:
            self.transport.protocol = self.protocol
            self.protocol.makeConnection(self.transport)

    @property
    def is_open(self) -> bool:
        """Tell whether the other side still holds it."""
        return self.protocol is not None and not self.transport.is_ended

    def send(self, octets: bytes) -> None:
        """Send something."""
        if self.is_open:
            self.protocol.dataReceived(octets)

    def heard(self) -> list[Heard]:
        """Read all answers so far."""
        file, answers = BytesIO(self.transport.value()), []
        while file.tell() < len(file.getvalue()):
            keeping = BytesIO(file.read())
            response = HTTPResponse(_Socket(keeping))  # type: ignore[arg-type]  # all that it uses
            response._close_conn = lambda: None  # type: ignore[attr-defined]  # further answers follow
            response.begin()
            body = response.read()
            answers.append(Heard(response.status, {k.lower(): v for k, v in response.getheaders()}, body))
            file.seek(file.tell() - len(keeping.getvalue()) + keeping.tell())
        return answers


def request(
    body: bytes | Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    path: str = "/messages",
    token: str = TOKEN,
    **fields: str,
) -> bytes:
    """Write a request; names of fields have underscores for hyphens."""
    octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(octets))}
    if token:
        given["Authorization"] = f"Bearer {token}"
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + octets


def node_with(folder: Path, config: str = "", tokens: str = TOKENS, **settings: Any) -> MemoryNode:
    """Make a node that takes mail by HTTP."""
    file = folder / "tokens"
    file.write_text(tokens)
    file.chmod(0o600)
    return MemoryNode({"post": HttpInject(tokens=str(file), **settings)}, config=config)


def post(node: MemoryNode, body: bytes | Mapping[str, Any] | None = None, **how: Any) -> Heard:
    """Send one request over a connection of its own."""
    line = Line(node)
    line.send(request(body, **how))
    node.clock.advance(0)
    (answer,) = line.heard()
    line.transport.end()
    return answer
