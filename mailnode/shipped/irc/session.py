"""One connection to an IRC server: logs in, tells what it hears, and knows when the server has read what was sent.

The commands are parsed and answered by ``twisted.words``; only those of ``_HEARD`` reach it. Octets that are no UTF-8 are
replaced, where it would break the connection, and what strangers may ask of a client (CTCP, DCC) is not answered.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.error import ConnectionDone
from twisted.words.protocols.irc import (
    IRCBadMessage,
    IRCClient,
    ServerSupportedFeatures,
    numeric_to_symbolic,
    parsemsg,
)

from mailnode.gateways.api import Delayed, Trouble, header_line
from mailnode.shipped.irc.access import Access
from mailnode.shipped.irc.numerics import Refusal, is_refusal
from mailnode.shipped.irc.words import folded

Heard = Callable[[str, str, str], None]
"""Gets who said something (nick!user@host), to which nick or channel, and what."""

MOST_TRIES = 8
"""Nicks that are tried before we give up."""
SASL_CHUNK = 400
"""Characters of base64 in one AUTHENTICATE."""
_HEARD = frozenset(
    ("AUTHENTICATE", "CAP", "ERROR", "JOIN", "KICK", "NICK", "PART", "PING", "PONG", "PRIVMSG", "RPL_WELCOME", "RPL_ISON",
     "ERR_NICKNAMEINUSE", "ERR_NICKCOLLISION", "ERR_ERRONEUSNICKNAME")
)  # fmt: skip
_DENIED = frozenset(("464", "465", "902", "904", "905", "906", "908"))
"""ERR_PASSWDMISMATCH, ERR_YOUREBANNEDCREEP, and the ways in which SASL fails (IRCv3)."""


class Session(IRCClient):
    """The protocol."""

    performLogin = 0
    heartbeatInterval = None  # type: ignore[assignment]  # its clock would be the global reactor; the link asks
    MAX_LENGTH = 8704
    transport: Any
    username: Any = None
    realname: Any = None
    password: Any = None

    def __init__(self, access: Access, clock: Any, random: Any, heard: Heard, answer: float) -> None:
        self.access, self.clock, self.random, self.heard, self.answer = access, clock, random, heard, answer
        self.nickname = access.nick
        self.username, self.realname = access.nick.lower()[:9], access.realname
        self.ready: Deferred[None] = Deferred()
        """Fires when it is logged in; fails with the reason when it cannot be."""
        self.is_gone = False
        self.channels: set[str] = set()
        """Where we are, in their folded form."""
        self.refusals: list[Refusal] = []
        """Error replies since somebody cleared it."""
        self.present: set[str] = set()
        """Who is there of those asked for last, folded."""
        self._leaving: list[Deferred[None]] = []
        self._pongs: dict[str, Deferred[None]] = {}
        self._tries = 0
        self._is_proven = access.login != "sasl"
        self._last_words = ""

    # --- sending

    def sendLine(self, line: str) -> None:
        """Send a line, which is one line whatever it holds."""
        if self.is_gone:
            raise ConnectionDone("the connection to the IRC server is gone")
        one = line.replace("\r", " ").replace("\n", " ").replace("\0", " ")
        self.transport.write(one.encode("utf-8", "replace") + b"\r\n")

    async def barrier(self) -> None:
        """Wait until the server has read all that was sent so far; its errors are in ``refusals`` then."""
        if self.is_gone:
            raise ConnectionDone("the connection to the IRC server is gone")
        token = f"mailnode-{self.random.getrandbits(40):010x}"
        pong: Deferred[None] = Deferred()
        self._pongs[token] = pong
        pong.addTimeout(self.answer, self.clock)
        try:
            self.sendLine(f"PING :{token}")
            await pong
        except NoAnswer:
            self.drop()
            raise
        finally:
            self._pongs.pop(token, None)

    # --- receiving

    def lineReceived(self, line: bytes) -> None:
        """Read a line, whatever it holds."""
        text = line.decode("utf-8", "replace")
        if text.startswith("@"):
            text = text.partition(" ")[2]
        try:
            prefix, command, params = parsemsg(text)
        except (IRCBadMessage, ValueError, IndexError):
            return
        if command in _DENIED:
            self._fail(f"{command} {params[-1] if params else ''}")
        elif command == "903":
            self._is_proven = True
            self.sendLine("CAP END")
        elif is_refusal(command):
            self.refusals.append(Refusal(command, tuple(params[1:-1]), header_line(params[-1] if params else "")))
            del self.refusals[:-50]
        name = numeric_to_symbolic.get(command, command)
        if name in _HEARD and params:
            self.handleCommand(name, prefix, params)

    def handleCommand(self, command: str, prefix: str, params: list[str]) -> None:
        """Do what a line asks for; a line that lacks something asks for nothing."""
        with suppress(IndexError, ValueError):
            getattr(self, f"irc_{command}")(prefix, params)

    def irc_PONG(self, _: str, params: list[str]) -> None:
        """Let go on who waits for it."""
        pong = self._pongs.pop(params[-1], None)
        if pong is not None and not pong.called:
            pong.callback(None)

    def irc_ERROR(self, _: str, params: list[str]) -> None:
        """Keep why the server ends the connection."""
        self._last_words = header_line(params[-1])

    def privmsg(self, user: str, channel: str, message: str) -> None:
        """Tell what somebody says."""
        self.heard(user, channel, message)

    def ctcpQuery(self, user: str, channel: str, messages: object) -> None:
        """Do nothing of what a stranger asks for."""

    def irc_RPL_ISON(self, _: str, params: list[str]) -> None:
        """Note who is there."""
        self.present = set(map(folded, params[-1].split()))

    def joined(self, channel: str) -> None:
        """Note that we are there."""
        self.channels.add(folded(channel))

    def left(self, channel: str) -> None:
        """Note that we are not."""
        self.channels.discard(folded(channel))

    def kickedFrom(self, channel: str, kicker: str, message: str) -> None:  # noqa: ARG002 - Twisted's signature
        """Note that we are no longer wanted."""
        self.left(channel)

    # --- logging in

    def connectionMade(self) -> None:
        """Say who we are."""
        self.supported = ServerSupportedFeatures()
        if self.access.login == "server":
            self.password = self.access.password
        if self.access.login == "sasl":
            self.sendLine("CAP REQ :sasl")
        self.register(self.nickname, hostname="0", servername="*")

    def irc_CAP(self, _: str, params: list[str]) -> None:
        """Hear whether there is SASL."""
        if params[1:2] == ["ACK"]:
            self.sendLine("AUTHENTICATE PLAIN")
        elif params[1:2] == ["NAK"]:
            self._fail("the server offers no SASL")

    def irc_AUTHENTICATE(self, _: str, params: list[str]) -> None:
        """Give account and password (RFC 4616)."""
        if params[0] != "+" or self._is_proven:
            return
        account = self.access.account or self.access.nick
        text = base64.b64encode(f"{account}\0{account}\0{self.access.password}".encode()).decode()
        chunks = [text[start : start + SASL_CHUNK] for start in range(0, len(text), SASL_CHUNK)]
        if len(chunks[-1]) == SASL_CHUNK:
            chunks.append("+")
        for chunk in chunks:
            self.sendLine(f"AUTHENTICATE {chunk}")

    def irc_RPL_WELCOME(self, prefix: str, params: list[str]) -> None:
        """Be somebody."""
        super().irc_RPL_WELCOME(prefix, params)
        self.nickname = params[0]  # some servers shorten it
        if not self._is_proven:
            self._fail("the server knows no SASL")
            return
        if self.access.login == "nickserv":
            self.sendLine(f"PRIVMSG NickServ :IDENTIFY {self.access.account} {self.access.password}".replace("  ", " "))
        if not self.ready.called:
            self.ready.callback(None)

    def irc_ERR_NICKNAMEINUSE(self, _: str, __: list[str]) -> None:
        """Take another one for the time being."""
        if self._registered:
            return
        self._tries += 1
        if self._tries > MOST_TRIES:
            self._fail("every nick is in use")
        else:
            self.setNick(self.alterCollidedNick(self.access.nick))

    irc_ERR_NICKCOLLISION = irc_ERR_NICKNAMEINUSE

    def alterCollidedNick(self, nickname: str) -> str:
        """Make a nick of at most nine characters, which every server takes."""
        return f"{nickname[:6]}{self.random.randrange(100, 1000)}"

    def irc_ERR_ERRONEUSNICKNAME(self, _: str, __: list[str]) -> None:
        """Give up: the operator must choose another."""
        if not self._registered:
            self._fail(f"the server does not take the nick {self.access.nick}")

    def regain(self) -> None:
        """Ask for the nick we want, should we have another."""
        if folded(self.nickname) != folded(self.access.nick):
            self.setNick(self.access.nick)

    # --- the end

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abortConnection()

    def gone(self) -> "Deferred[None]":
        """Give a Deferred of one's own that fires when the connection has ended."""
        gone: Deferred[None] = Deferred()
        if self.is_gone:
            gone.callback(None)
        else:
            self._leaving.append(gone)
        return gone

    async def take_leave(self) -> None:
        """Take leave, and wait a little until that is through."""
        self.quit("closing")
        self.transport.loseConnection()
        gone = self.gone().addTimeout(2.0, self.clock)
        with suppress(NoAnswer):
            await gone
        if not self.is_gone:
            self.drop()

    def _fail(self, why: str) -> None:
        self._last_words = header_line(why)
        if not self.ready.called:
            self.ready.errback(Trouble(Delayed(self._last_words, "4.7.8", is_unreachable=True)))
        self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """Let go all that wait."""
        self.is_gone = True
        why = self._last_words or str(getattr(reason, "value", "")) or "the connection was lost"
        waiting = [*self._pongs.values(), self.ready]
        self._pongs.clear()
        for one in waiting:
            if not one.called:
                one.errback(ConnectionDone(why))
        leaving, self._leaving = self._leaving, []
        for one in leaving:
            if not one.called:
                one.callback(None)

    @property
    def last_words(self) -> str:
        """Give why the server ended the connection, if it said so."""
        return self._last_words
