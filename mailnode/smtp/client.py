"""The client's side of SMTP and LMTP, sans-IO: replies in, events and octets out (RFC 5321 section 3, RFC 2033).

``ClientConnection`` knows what was said and what must be heard for it: a queue of commands not yet said and a queue of
those not yet answered. Pipelining (RFC 2920) is then nothing but saying the whole queue at once: MAIL, every RCPT and
DATA leave in one write, and one after another where the peer does not offer it. How an adapter uses it::

    receive(octets) -> events       then write take()
    ask(stage, line)                when is_ready, for what is no mail (STARTTLS, AUTH): a Replied comes; then write take()
    begin_tls(), tls_begun()        after 220 to STARTTLS, and when the handshake is done; then write take()
    begin(mail, rcpts)              when a Ready or a Settled came and is_ready; then write take()
    content_sent()                  before the end of data goes out, after a ContentWanted
    lost(reply)                     when the connection is gone; settles what is open

Every recipient ends with one Answer. Its stage tells how far the transaction came, which decides about another host.
RSET goes out before the next transaction when the last one did not end with a final dot.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.clientevents import (
    Answer,
    Broken,
    ContentWanted,
    Event,
    Ready,
    Rejected,
    Replied,
    Settled,
    Stage,
)
from mailnode.smtp.peeroffer import PeerOffer
from mailnode.smtp.replyreader import Garbled, ReplyReader

_HELO_AFTER = frozenset({500, 501, 502, 503, 504, 550})
"""Replies to EHLO after which HELO is worth a try (RFC 5321 sections 3.2 and 4.1.4)."""

EMPTY = b".\r\n"
"""The end of data right after DATA: what RFC 2920 section 3.1 asks for when DATA was accepted for nobody."""


class ClientConnection:
    """One session, from the greeting on."""

    def __init__(self, hostname: str, *, is_lmtp: bool = False) -> None:
        self.offer = PeerOffer()
        self.is_over = False
        """Nothing more can be said."""
        self.heard = 0
        """Replies heard so far."""
        self._hostname = hostname.encode("ascii")
        self._is_lmtp = is_lmtp
        self._reader = ReplyReader()
        self._events: list[Event] = []
        self._said: list[bytes] = []
        self._unsaid: deque[tuple[Stage, int, bytes]] = deque()
        self._awaited: deque[tuple[Stage, int]] = deque([(Stage.GREETING, 0)])
        self._answers: list[Answer | None] = []
        self._accepted: list[int] = []
        self._mail_failed = False
        self._is_open = False
        """A transaction is under way."""
        self._is_sending = False
        self._needs_reset = False

    # --- what the adapter calls -------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """Tell what is waited for now."""
        if self._is_sending:
            return Stage.CONTENT
        return self._awaited[0][0] if self._awaited else Stage.IDLE

    @property
    def is_ready(self) -> bool:
        """Tell whether ``begin`` may be called."""
        return not (self._awaited or self._is_open or self.is_over)

    def take(self) -> bytes:
        """Give the octets to be written now, each once."""
        said, self._said = self._said, []
        return said[0] if len(said) == 1 else b"".join(said)

    def receive(self, octets: bytes) -> list[Event]:
        """Hear what the peer said; give what it means."""
        for reply in self._reader.receive(octets):
            if self.is_over:
                break
            self.heard += 1
            if isinstance(reply, Garbled):
                self._break(
                    Reply.of(451, "4.5.0", f"The next hop does not speak the protocol: {reply.why}"), is_ours=True
                )
            else:
                self._hear(reply)
        self._say_what_may_be_said()
        events, self._events = self._events, []
        return events

    def begin(self, mail: bytes, rcpts: Sequence[bytes]) -> None:
        """Start a transaction with these command lines, each with its CRLF."""
        if not self.is_ready:
            raise RuntimeError("a transaction was begun while the session was not ready")
        self._is_open = True
        self._answers = [None] * len(rcpts)
        self._accepted = []
        self._mail_failed = False
        if self._needs_reset:
            self._unsaid.append((Stage.RESET, 0, b"RSET\r\n"))
            self._needs_reset = False
        self._unsaid.append((Stage.MAIL, 0, mail))
        self._unsaid.extend((Stage.RCPT, index, rcpt) for index, rcpt in enumerate(rcpts))
        self._unsaid.append((Stage.DATA, 0, b"DATA\r\n"))
        self._say_what_may_be_said()

    def ask(self, stage: Stage, line: bytes) -> None:
        """Say a line, with its CRLF, that is no part of a transaction; a Replied comes for it, or a Broken."""
        if not self.is_ready:
            raise RuntimeError("something was asked while the session was not ready")
        self._said.append(line)
        self._awaited.append((stage, 0))

    def begin_tls(self) -> None:
        """Forget all that was said in clear text, read or not (RFC 3207 section 4.2): the handshake begins."""
        self._reader = ReplyReader()
        self.offer = PeerOffer()
        self._awaited.append((Stage.TLS, 0))

    def tls_begun(self) -> None:
        """Greet again, within TLS."""
        self._awaited.clear()
        self._hello(b"LHLO" if self._is_lmtp else b"EHLO")

    def content_sent(self) -> None:
        """Note that the end of data is about to go out: one reply comes for it, in LMTP one for each accepted recipient."""
        self._is_sending = False
        self._awaited.extend((Stage.DOT, index) for index in (self._accepted if self._is_lmtp else (0,)))

    def quit(self) -> None:
        """Say goodbye; nothing can be begun afterwards."""
        if not self.is_over:
            self.is_over = True
            self._said.append(b"QUIT\r\n")
            self._awaited.append((Stage.QUIT, 0))

    def lost(self, reply: Reply) -> list[Event]:
        """Note that the connection is gone, or has been given up; ``reply`` are our words for it."""
        if not self.is_over:
            self._break(reply, is_ours=True)
        events, self._events = self._events, []
        return events

    # --- saying -----------------------------------------------------------------------------------------------

    def _say_what_may_be_said(self) -> None:
        """Say all that is unsaid when the peer takes pipelining, else one command at a time."""
        while self._unsaid and (self.offer.pipelining or not self._awaited):
            stage, index, line = self._unsaid.popleft()
            self._awaited.append((stage, index))
            self._said.append(line)

    def _hello(self, verb: bytes) -> None:
        self._awaited.append((Stage.HELLO, 1 if verb == b"HELO" else 0))
        self._said.append(verb + b" " + self._hostname + b"\r\n")

    # --- hearing ----------------------------------------------------------------------------------------------

    def _hear(self, reply: Reply) -> None:
        if self._is_sending or not self._awaited:
            self._hear_unasked(reply)
            return
        stage, index = self._awaited.popleft()
        self._HEARERS[stage](self, index, reply)
        if reply.code == 421 and not self.is_over:
            # The peer closes (RFC 5321 3.8): no more replies come, whatever was pipelined.
            self._break(reply, is_ours=False)

    def _hear_unasked(self, reply: Reply) -> None:
        """Hear what answers nothing: bad news while we send or idle, or a peer that counts differently than we."""
        if reply.code >= 400:
            self._break(reply, is_ours=False)
        else:
            self._break(Reply.of(451, "4.5.0", "The next hop gave a reply that nothing asked for"), is_ours=True)

    def _greeting(self, _: int, reply: Reply) -> None:
        if reply.code == 220:
            self._hello(b"LHLO" if self._is_lmtp else b"EHLO")
        else:
            self._reject(reply)

    def _hello_reply(self, is_helo: int, reply: Reply) -> None:
        if reply.is_positive and self._is_ourselves(reply):
            self._reject(replies.ANSWERED_BY_OURSELVES)
        elif reply.is_positive:
            self.offer = PeerOffer() if is_helo else PeerOffer.of(reply)
            self._events.append(Ready(self.offer))
        elif not is_helo and not self._is_lmtp and reply.code in _HELO_AFTER:
            self._hello(b"HELO")
        else:
            self._reject(reply)

    def _is_ourselves(self, reply: Reply) -> bool:
        """Tell whether the answer to our hello bears our own name: the message would go in a circle (RFC 5321 5.1).

        However the way led back here (an MX for the loopback, a literal, an address we do not know to be ours). A name
        without a dot is no host's alone.
        """
        name = self._hostname.decode("ascii").lower()
        return not self._is_lmtp and "." in name and reply.lines[0].partition(" ")[0].lower() == name

    def _asked_reply(self, _: int, reply: Reply) -> None:
        self._events.append(Replied(reply))

    def _reject(self, reply: Reply) -> None:
        self._events.append(Rejected(reply))
        if reply.code == 421:
            self.is_over = True
        else:
            self.quit()

    def _reset_reply(self, _: int, reply: Reply) -> None:
        if not reply.is_positive and reply.code != 421:
            # Whatever the number: it says nothing about the message that comes next.
            self._break(Reply.of(451, "4.5.0", "The next hop refused RSET"), is_ours=True)

    def _mail_reply(self, _: int, reply: Reply) -> None:
        if reply.is_positive:
            return
        self._mail_failed = True
        self._answers = [Answer(reply, Stage.MAIL)] * len(self._answers)
        self._leave_out_the_rest()

    def _rcpt_reply(self, index: int, reply: Reply) -> None:
        if self._mail_failed:
            return
        if reply.is_positive:
            self._accepted.append(index)
        else:
            self._answers[index] = Answer(reply, Stage.RCPT)
        is_last = index == len(self._answers) - 1
        if is_last and not self._accepted:
            self._leave_out_the_rest()

    def _leave_out_the_rest(self) -> None:
        """Say nothing more of this transaction; what was already said must still be answered."""
        self._unsaid.clear()
        if not self._awaited:
            self._settle(needs_reset=True)

    def _data_reply(self, _: int, reply: Reply) -> None:
        if reply.is_positive:
            self._break(Reply.of(451, "4.5.0", "The next hop answered DATA with success"), is_ours=True)
        elif reply.code >= 400:
            for index in self._accepted:
                self._answers[index] = Answer(reply, Stage.DATA)
            self._settle(needs_reset=True)
        elif self._accepted:
            self._is_sending = True
            self._events.append(ContentWanted())
        elif self._is_lmtp:
            # RFC 2033 4.2 wants 503 here, and says of no reply to a dot for nobody: leave rather than guess.
            self._break(Reply.of(451, "4.5.0", "The next hop accepted DATA for nobody"), is_ours=True)
        else:
            self._said.append(EMPTY)
            self._awaited.append((Stage.DOT, -1))

    def _dot_reply(self, index: int, reply: Reply) -> None:
        if index >= 0:
            for each in [index] if self._is_lmtp else self._accepted:
                self._answers[each] = Answer(reply, Stage.DOT)
        if not self._awaited:
            self._settle(needs_reset=index < 0)

    # --- ending -----------------------------------------------------------------------------------------------

    def _settle(self, *, needs_reset: bool) -> None:
        self._is_open = False
        self._needs_reset = needs_reset
        self._events.append(Settled(tuple(answer for answer in self._answers if answer is not None)))

    def _break(self, reply: Reply, *, is_ours: bool) -> None:
        """Give the session up: whoever has no answer gets this one."""
        stage = self.stage
        self.is_over = True
        if self._is_open:
            answer = Answer(reply, stage, is_ours)
            self._answers = [each or answer for each in self._answers]
            self._settle(needs_reset=False)
        self._unsaid.clear()
        self._awaited.clear()
        self._is_sending = False
        self._events.append(Broken(reply, is_ours))

    _HEARERS: ClassVar[Mapping[Stage, Callable[["ClientConnection", int, Reply], None]]] = {
        Stage.GREETING: _greeting,
        Stage.HELLO: _hello_reply,
        Stage.RESET: _reset_reply,
        Stage.MAIL: _mail_reply,
        Stage.RCPT: _rcpt_reply,
        Stage.DATA: _data_reply,
        Stage.DOT: _dot_reply,
        Stage.STARTTLS: _asked_reply,
        Stage.TLS: _asked_reply,
        Stage.AUTH: _asked_reply,
    }
