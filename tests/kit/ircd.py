"""IRC servers for tests: one in memory behind a MemoryNode, the ngircd of Debian, and a client with nothing but a socket."""

import contextlib
import os
import select
import signal
import socket
import subprocess
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from attrs import Factory, define
from twisted.internet.error import ConnectionLost, ConnectionRefusedError  # noqa: A004 - Twisted's
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailnode.testing.api import MemoryNode
from tests.kit.ports import free_port
from tests.kit.programs import find, program
from tests.kit.waiting import until

NAME = "irc.test"


class _Transport(StringTransport):
    """Hands on at once what is written."""

    def __init__(self, server: "MemoryIrcd") -> None:
        super().__init__()
        self.server = server

    def write(self, data: bytes) -> None:
        """Let the server read."""
        for line in data.decode().split("\r\n"):
            if line:
                self.server.read(self, line)

    def loseConnection(self) -> None:
        """Close it."""
        self.server.hang_up(self)

    def abortConnection(self) -> None:
        """Break it."""
        self.server.hang_up(self)


@define(eq=False)
class MemoryIrcd:
    """A server with one client; it reads lines in order and answers as told."""

    node: MemoryNode
    is_there: bool = True
    is_silent: bool = False
    """It reads and answers no PING."""
    said: list[str] = Factory(list)
    """NOTICEs and PRIVMSGs it took, without prefixes."""
    lines: list[str] = Factory(list)
    """All it read."""
    nobody: set[str] = Factory(set)
    """Nicks that are not there."""
    in_use: set[str] = Factory(set)
    errors: dict[str, str] = Factory(dict)
    """What it answers to something said or joined: ``{"#ops": "404"}``."""
    no_join: dict[str, str] = Factory(dict)
    sasl: str = "903"
    """What it answers to AUTHENTICATE; empty: it knows no CAP."""
    breaks_after: int = -1
    """Lines said after which the connection breaks."""
    nick: str = ""
    _transport: Any = None
    _protocol: Any = None
    _waiting: deque[bytes] = Factory(deque)
    _is_feeding: bool = False

    def __attrs_post_init__(self) -> None:
        """Be where the node looks for it."""
        clock: Any = self.node.clock
        pending = [client[2] for client in clock.tcpClients]
        clock.connectTCP = self._connect
        for factory in pending:
            self._connect("", 0, factory)

    def _connect(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> None:
        connector = type("Connector", (), {"getDestination": lambda self: None, "stopConnecting": lambda self: None})()
        factory.doStart()
        if not self.is_there:
            factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError("refused")))
            return
        self._protocol = factory.buildProtocol(None)
        self._transport = _Transport(self)
        self._is_feeding = True
        self._protocol.makeConnection(self._transport)
        self._is_feeding = False
        self._feed()

    def hang_up(self, transport: Any = None) -> None:
        """End the connection."""
        if self._transport is None or transport not in (None, self._transport):
            return
        protocol, self._transport, self._protocol = self._protocol, None, None
        self._waiting.clear()
        protocol.connectionLost(Failure(ConnectionLost()))

    def send(self, line: str | bytes) -> None:
        """Send a line to the client, after all that were sent before."""
        self._waiting.append(line.encode() if isinstance(line, str) else line)
        self._feed()

    def _feed(self) -> None:
        if self._is_feeding:
            return
        self._is_feeding = True
        while self._waiting and self._protocol is not None:
            self._protocol.dataReceived(self._waiting.popleft() + b"\r\n")
        self._is_feeding = False

    def says(self, nick: str, target: str, text: str, command: str = "PRIVMSG") -> None:
        """Let somebody say something."""
        self.send(f":{nick}!u@host.test {command} {target} :{text}")

    def read(self, transport: Any, line: str) -> None:
        """Take a line of the client."""
        if transport is not self._transport and self._transport is not None:
            return
        self.lines.append(line)
        command, _, rest = line.partition(" ")
        act = getattr(self, f"_{command.lower()}", None)
        if act is not None:
            act(rest)

    def _cap(self, rest: str) -> None:
        if rest.startswith("REQ"):
            self.send(f":{NAME} CAP * ACK :sasl" if self.sasl else f":{NAME} 421 * CAP :Unknown command")
        else:
            self._welcome()

    def _authenticate(self, rest: str) -> None:
        self.send("AUTHENTICATE +" if rest == "PLAIN" else f":{NAME} {self.sasl} * :SASL says so")

    def _nick(self, rest: str) -> None:
        if rest in self.in_use:
            self.send(f":{NAME} 433 * {rest} :Nickname is already in use")
        elif self.nick:
            self.send(f":{self.nick}!b@h NICK :{rest}")
            self.nick = rest
        else:
            self.nick = rest
            self._welcome()

    def _user(self, _: str) -> None:
        self._welcome()

    def _welcome(self) -> None:
        has_user = any(line.startswith("USER") for line in self.lines)
        waits = any(line.startswith("CAP REQ") for line in self.lines) and self.sasl
        if self.nick and has_user and (not waits or "CAP END" in self.lines):
            self.send(f":{NAME} 001 {self.nick} :Welcome")

    def _join(self, rest: str) -> None:
        channel = rest.split(maxsplit=1)[0]
        if channel in self.no_join:
            self.send(f":{NAME} {self.no_join[channel]} {self.nick} {channel} :You may not")
        else:
            self.send(f":{self.nick}!b@h JOIN :{channel}")

    def _ping(self, rest: str) -> None:
        if not self.is_silent:
            self.send(f":{NAME} PONG {NAME} {rest}")

    def _notice(self, rest: str) -> None:
        target = rest.partition(" ")[0]
        if target in self.nobody or target in self.errors:
            return  # RFC 2812 section 3.3.2: no error
        self.said.append(rest)
        if len(self.said) == self.breaks_after:
            self.hang_up()

    def _privmsg(self, rest: str) -> None:
        target = rest.partition(" ")[0]
        number = "401" if target in self.nobody else self.errors.get(target, "")
        if number:
            self.send(f":{NAME} {number} {self.nick} {target} :It cannot be")
        else:
            self._notice(rest)

    def _ison(self, rest: str) -> None:
        there = " ".join(one for one in rest.split() if one not in self.nobody)
        self.send(f":{NAME} 303 {self.nick} :{there}")


CONFIGURATION = """
[Global]
Name = {name}
Info = test
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = Hello
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 16
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""


class Ngircd:
    """The IRC server of Debian's package, under its own port for as long as the test runs."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.file = folder / "ngircd.conf"
        self.file.write_text(CONFIGURATION.format(name=NAME, port=self.port))
        self.log = folder / "ngircd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Ngircd":
        """Start it, as nobody if we are root."""
        nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
        setpriv = find("setpriv")
        front = [setpriv, "--pdeathsig", "KILL", *nobody] if setpriv else []
        with self.file.open("rb") as configuration, self.log.open("ab") as log:
            # Nobody may not read our folder, but what is open already.
            self._process = subprocess.Popen(
                [*front, program("ngircd"), "-n", "-f", "/dev/stdin"], stdin=configuration, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._listens, 10, lambda: f"ngircd does not listen: {self.log.read_text()}")
        return self

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()
            self._process = None


class SocketClient:
    """A person on IRC: a socket and lines."""

    def __init__(self, port: int, nick: str) -> None:
        self.nick = nick
        self.lines: list[str] = []
        self._rest = b""
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        self.wait_for(f" 001 {nick} ")

    def send(self, *lines: str) -> None:
        """Send lines."""
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def join(self, channel: str) -> None:
        """Be in a channel."""
        self.send(f"JOIN {channel}")
        self.wait_for(" 366 ")

    def heard(self, seconds: float = 0.0) -> list[str]:
        """Read what has come, waiting a little for more; gives all lines so far."""
        while select.select([self._socket], [], [], seconds)[0]:
            octets = self._socket.recv(65536)
            if not octets:
                break
            *lines, self._rest = (self._rest + octets).split(b"\r\n")
            for line in lines:
                assert len(line) <= 510, "longer than RFC 2812 allows"
                self.lines.append(line.decode())
                if line.startswith(b"PING"):
                    self.send(f"PONG {line.partition(b' ')[2].decode()}")
        return self.lines

    def wait_for(self, part: str, seconds: float = 15.0) -> str:
        """Wait for a line that holds this text, and give the first one."""
        found = partial(self._find, part)
        return until(found, seconds, lambda: f"no line with {part!r} in {self.lines[-20:]}")

    def _find(self, part: str) -> str:
        return next((line for line in self.heard(0.02) if part in line), "")

    def count(self, part: str) -> int:
        """Count the lines that hold this text."""
        return sum(part in line for line in self.heard())

    def close(self) -> None:
        """Leave."""
        self._socket.close()
