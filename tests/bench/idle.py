"""Many sessions that have said EHLO and then nothing: what each costs, and how the next client fares."""

import contextlib
import math
import resource
import socket
import statistics
from collections.abc import Sequence

from attrs import frozen

from tests.bench.measure import now
from tests.bench.server import Server
from tests.kit import proc

_ADDRESSES = 250
"""Client addresses they come from, 127.0.3.1 and on: servers bound the sessions of one address."""
_PATIENCE = 5.0
"""Seconds to wait for an answer before the server counts as full."""
_PROBES = 21


@frozen
class Idle:
    """What one server's idle sessions cost."""

    sessions: int
    """How many it took."""
    memory: float
    """Octets (PSS) of all its processes for each session."""
    next_client: float
    """Seconds from connecting to the answer to EHLO, the median of a few, with all those sessions open."""
    slowest: float
    """The slowest of them."""


def raise_limits(sockets: int) -> None:
    """Let this process, and the servers it starts, open so many sockets, as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (max(hard, 2 * sockets + 5000), hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return


def measure_idle(server: Server, wanted: int) -> Idle:
    """Open sessions until there are ``wanted``, or the server takes no more, and say what they cost."""
    _talk("127.0.3.254", server.port).close()  # what is only loaded at the first session is not a session's cost
    before = proc.memory(server.pid)
    sessions: list[socket.socket] = []
    try:
        with contextlib.suppress(OSError):
            while len(sessions) < wanted:
                sessions += _wave(server.port, len(sessions), min(server.at_once, wanted - len(sessions)))
        memory = proc.memory(server.pid) - before
        seconds = _probe(server.port)
    finally:
        for one in sessions:
            one.close()
    return Idle(len(sessions), memory / max(1, len(sessions)), statistics.median(seconds), max(seconds))


def _wave(port: int, first: int, count: int) -> Sequence[socket.socket]:
    """Open sessions together: all connect, then each is greeted and says EHLO, then all are answered."""
    opened = []
    try:
        for number in range(first, first + count):
            opened.append(_connect(f"127.0.3.{1 + number % _ADDRESSES}", port))  # noqa: PERF401 - those before a failure
        for one in opened:
            _expect(one, b"220")
            one.sendall(b"EHLO client.test\r\n")
        for one in opened:
            _expect(one, b"250")
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened


def _probe(port: int) -> Sequence[float]:
    """Time a few clients one after the other; infinite when the server takes no more."""
    try:
        return [_time_one(port) for _ in range(_PROBES)]
    except OSError:
        return [math.inf]


def _time_one(port: int) -> float:
    begun = now()
    connection = _talk("127.0.3.254", port)
    seconds = now() - begun
    connection.close()
    return seconds


def _talk(source: str, port: int) -> socket.socket:
    """Connect, be greeted, say EHLO and be answered."""
    connection = _connect(source, port)
    _expect(connection, b"220")
    connection.sendall(b"EHLO client.test\r\n")
    _expect(connection, b"250")
    return connection


def _connect(source: str, port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE, source_address=(source, 0))


def _expect(connection: socket.socket, code: bytes) -> None:
    """Read a whole reply; ConnectionError when it has another code."""
    reply = b""
    while not reply.endswith(b"\n") or reply.splitlines()[-1][3:4] == b"-":
        octets = connection.recv(4096)
        if not octets:
            raise ConnectionError("closed")
        reply += octets
    if not reply.startswith(code):
        raise ConnectionError(reply.decode(errors="replace"))
