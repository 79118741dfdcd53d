"""The server's machine: octets in, events out; replies in, octets out (RFC 5321, RFC 2033, RFC 2920, RFC 3030, RFC 4954).

Theory of operation
-------------------
``receive_data`` only stores. ``next_event`` reads one thing: a command line, or a block of content while content flows.
A command is looked up in the table of order (``states``), its argument read (``commands``), and its event given. From
then on the machine is PAUSED until ``send`` is given the reply, and the reply decides where the table leads. So
commands sent ahead are answered in their order however long an answer takes, and none is read before its time.

BDAT is judged when its line is read, since its content follows either way: what is refused is read and thrown away,
and only then its ``Faulty`` is given. A BDAT whose size cannot be read ends the session, for its content might be
taken for commands.

AUTH: after 334 the next line is a response and not a command, until any other reply ends the exchange. What is no
response (``*``, no base64, a line too long) ends it too; such a line is never shown, since it may hold a password. Once
235 was said, further AUTH commands are refused here. What is offered may change with the session (``change_offer``): AUTH
is most often offered under TLS only, STARTTLS only before it.

``Misuse`` is raised for our own mistakes only: a reply that nobody asked for, too few or too many for LMTP.
"""

from collections.abc import Sequence

from mailnode.mail.envelope import Body
from mailnode.mail.reply import Reply
from mailnode.smtp import commands, events, replies
from mailnode.smtp.buffer import BadLine, InputBuffer
from mailnode.smtp.chunks import ChunkedContent, ChunkReader
from mailnode.smtp.content import DataReader
from mailnode.smtp.events import NEED_DATA, PAUSED, Event, Wait
from mailnode.smtp.extensions import Extension
from mailnode.smtp.faults import Fault, Misuse
from mailnode.smtp.help import help_on
from mailnode.smtp.offer import offer_of
from mailnode.smtp.rendering import render
from mailnode.smtp.settings import ServerSettings
from mailnode.smtp.states import LMTP_ORDER, ORDER, Command, Move, State

_KEPT_OF_LINE = 512
"""Octets of a faulty line that its event shows."""

_BAD_LINES = {
    BadLine.TOO_LONG: replies.LINE_TOO_LONG,
    BadLine.BARE_NEWLINE: replies.BARE_NEWLINE_IN_COMMAND,
}


_BAD_RESPONSES = {
    BadLine.TOO_LONG: replies.AUTH_LINE_TOO_LONG,
    BadLine.BARE_NEWLINE: replies.AUTH_NOT_BASE64,
}

_EXCHANGE = (events.Authenticate, events.AuthResponse)


class ServerConnection:
    """One session as the server sees it."""

    def __init__(self, settings: ServerSettings, extensions: Sequence[Extension], *, lmtp: bool = False) -> None:
        self._settings = settings
        self._offer = offer_of(settings, tuple(extensions))
        self._order, self._verbs = (LMTP_ORDER, commands.LMTP_VERBS) if lmtp else (ORDER, commands.VERBS)
        self._is_lmtp = lmtp
        self._buffer = InputBuffer(self._offer.max_line, repairs_newlines=settings.bare_newlines == "repair")
        self._state = State.GREETING
        self._owed: Move | None = Move(State.STRANGER, State.TURNED_AWAY)
        self._asked: Event | None = None
        self._reader: DataReader | ChunkReader | None = None
        self._after_content: Event | None = None
        self._chunk_move = Move(State.READY, State.READY)
        self._is_authenticated = False
        self._forget_transaction()

    def change_offer(self, extensions: Sequence[Extension]) -> None:
        """Offer these extensions from now on: what is offered depends on where the session stands."""
        self._offer = offer_of(self._settings, tuple(extensions))
        self._buffer.limit_lines(self._offer.max_line)

    def _forget_transaction(self) -> None:
        self._body = Body.SEVEN_BIT
        self._smtputf8 = False
        self._recipients = 0
        self._chunks: ChunkedContent | None = None

    # --- octets in, events out --------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Tell where the session stands."""
        return self._state

    @property
    def unread(self) -> int:
        """Count the octets received and not yet read."""
        return len(self._buffer)

    @property
    def has_unread(self) -> bool:
        """Tell whether octets wait: before the greeting they mark an early talker."""
        return len(self._buffer) > 0

    def explain(self, topic: str) -> Reply:
        """Answer HELP: what this session may say, all of it or one command (RFC 5321 4.1.1.8)."""
        return help_on(topic, self._verbs.keys() | self._offer.said, self._offer)

    def receive_data(self, octets: bytes) -> None:
        """Store what was received; nothing is kept after the session's end."""
        if self._state is not State.CLOSED:
            self._buffer.feed(octets)

    def next_event(self) -> Event | Wait:
        """Give what the peer said next, or why there is nothing now. Never raises for what the peer sent."""
        if self._owed is not None or self._state is State.HANDSHAKE:
            return PAUSED
        if self._state is State.CLOSED:
            return NEED_DATA
        if self._reader is not None:
            return self._read_content(self._reader)
        line = self._buffer.take_line()
        if line is None:
            return NEED_DATA
        if self._state is State.CHALLENGED:
            return self._read_response(line)
        if isinstance(line, BadLine):
            return self._faulty(_BAD_LINES[line], b"")
        if len(line) + 2 > self._settings.max_command_line and line[:5].upper() != b"AUTH ":
            return self._faulty(replies.LINE_TOO_LONG, b"")
        try:
            event = self._read_command(line)
        except Fault as fault:
            return self._faulty(fault.reply, b"AUTH" if line[:4].upper() == b"AUTH" else line)
        if event is None:
            return self.next_event()
        self._asked = event
        return event

    def _faulty(self, reply: Reply, line: bytes) -> Event:
        self._owed = Move(self._state, self._state)
        self._asked = events.Faulty(reply, line[:_KEPT_OF_LINE])
        return self._asked

    # --- commands ---------------------------------------------------------------------------------------------

    def _read_command(self, line: bytes) -> Event | None:
        """Read a command line; None when it is a BDAT, whose event comes after its content."""
        text = _decode(line)
        word, _, argument = text.partition(" ")
        name = word.upper()
        verb = self._verbs.get(name)
        if verb is not None:
            self._owed = self._in_order(verb.command)
            try:
                event = verb.read(name, argument, self._offer, self._smtputf8)
            except Fault:
                self._owed = None
                raise
            if name == "DATA" and self._body is Body.BINARY_MIME:
                raise Fault(replies.DATA_FOR_BINARY)
            return event
        return self._read_offered(name, argument)

    def _read_offered(self, name: str, argument: str) -> Event | None:
        """Read a command that extensions open, or say that it is not to be had."""
        if name not in self._offer.verbs:
            raise Fault(commands.NOT_OURS.get(name, replies.UNKNOWN_COMMAND))
        if name == "BDAT":
            self._begin_chunk(argument)
            return None
        known = commands.BY_EXTENSION.get(name)
        if known is None:
            self._owed = self._in_order(Command.EXTRA)
            return commands.read_extra(name, argument)
        move = self._in_order(known.command)
        if self._is_authenticated and known.command is Command.AUTH:
            raise Fault(replies.AUTH_TWICE)
        event = known.read(name, argument, self._offer, self._smtputf8)
        self._owed = move
        return event

    def _in_order(self, command: Command) -> Move:
        rule = self._order[self._state][command]
        if isinstance(rule, Reply):
            raise Fault(rule)
        return rule

    def _read_response(self, line: bytes | BadLine) -> Event:
        """Read the answer to a challenge; whatever is none ends the exchange (RFC 4954 section 4)."""
        self._state = State.READY
        if isinstance(line, BadLine):
            return self._faulty(_BAD_RESPONSES[line], b"")
        if line == b"*":
            return self._faulty(replies.AUTH_CANCELLED, b"")
        try:
            response = commands.decode_response(line.decode("ascii", "replace"))
        except Fault as fault:
            return self._faulty(fault.reply, b"")
        self._owed = Move(State.READY, State.READY)
        self._asked = events.AuthResponse(response)
        return self._asked

    # --- content ----------------------------------------------------------------------------------------------

    def _begin_chunk(self, argument: str) -> None:
        chunk = commands.read_chunk(argument)
        rule = self._order[self._state][Command.BDAT_LAST if chunk.is_last else Command.BDAT]
        if isinstance(rule, Reply):
            self._refuse_chunk(chunk, rule, Move(self._state, self._state))
            return
        if self._chunks is None:
            self._chunks = ChunkedContent(self._offer.settings, self._body)
        limit = self._offer.settings.max_size
        if limit and self._chunks.size + chunk.size > limit:
            self._refuse_chunk(chunk, replies.TOO_BIG, Move(rule.refused, rule.refused))
            return
        self._reader = ChunkReader(chunk.size, self._chunks, is_last=chunk.is_last)
        self._after_content = None if chunk.is_last else events.ChunkEnd(chunk.size)
        self._chunk_move = rule

    def _refuse_chunk(self, chunk: commands.Chunk, reply: Reply, move: Move) -> None:
        self._reader = ChunkReader(chunk.size)
        self._after_content = events.Faulty(reply, b"BDAT")
        self._chunk_move = move

    def _read_content(self, reader: DataReader | ChunkReader) -> Event | Wait:
        while not reader.is_done:
            if not self._buffer:
                return NEED_DATA
            octets = reader.read(self._buffer)
            if octets:
                return events.ContentPart(octets)
        self._reader = None
        self._owed = self._chunk_move
        self._asked = self._after_content or events.ContentEnd(reader.fault)
        return self._asked

    # --- replies in, octets out -------------------------------------------------------------------------------

    def greet(self, reply: Reply) -> bytes:
        """Say the first words: 220, or 554 to turn the peer away, or 421 (RFC 5321 3.1)."""
        if self._state is not State.GREETING:
            raise Misuse("the greeting is said once")
        return self._answer(reply)

    def send(self, reply: Reply) -> bytes:
        """Answer the event that owes a reply; the reply decides where the session goes."""
        if self._state is State.GREETING:
            raise Misuse("the greeting comes first")
        return self._answer(reply)

    def send_each(self, answers: Sequence[Reply]) -> bytes:
        """Answer a ContentEnd in LMTP: one reply for each accepted recipient, in their order (RFC 2033 4.2)."""
        if not self._is_lmtp or not isinstance(self._asked, events.ContentEnd):
            raise Misuse("only the end of content in LMTP has an answer for each recipient")
        if len(answers) != self._recipients:
            raise Misuse(f"{self._recipients} recipients were accepted, and there are {len(answers)} answers")
        said = [self._render(answer) for answer in answers[:-1]]
        return b"".join([*said, self._answer(answers[-1])])

    def accept_hello(self, first_line: str) -> bytes:
        """Welcome the peer; EHLO and LHLO get the list of extensions (RFC 5321 4.1.1.1)."""
        hello = self._asked
        if self._owed is None or not isinstance(hello, events.Hello):
            raise Misuse("nobody said hello")
        lines = () if hello.verb == "HELO" else self._offer.lines
        return self._answer(Reply(250, (first_line, *lines)))

    def interrupt(self, reply: Reply) -> bytes:
        """Say an unasked-for 421 and end the session (RFC 5321 3.8)."""
        self._close()
        return self._render(reply)

    def reset_after_tls(self) -> None:
        """Begin anew within TLS: all that was said before is forgotten, octets not yet read too (RFC 3207 4.2)."""
        self._buffer.clear()
        self._forget_transaction()
        self._is_authenticated = False
        self._reader = self._asked = self._owed = None
        self._state = State.STRANGER

    def begin_anew(self) -> None:
        """Stand where the greeting has just been said: whoever speaks now was not heard before."""
        self._forget_transaction()
        self._is_authenticated = False
        self._reader = self._asked = self._owed = None
        self._state = State.STRANGER

    def _answer(self, reply: Reply) -> bytes:
        move = self._owed
        if move is None:
            raise Misuse(f"nobody asked for {reply}")
        said = self._render(reply)
        event, self._asked, self._owed = self._asked, None, None
        is_accepted = reply.is_positive or reply.code == 354
        self._state = move.accepted if is_accepted else move.refused
        if reply.code == 421 or self._state is State.CLOSED:
            self._close()
        elif isinstance(event, _EXCHANGE):
            self._state = State.CHALLENGED if reply.code == 334 else State.READY
            self._is_authenticated = reply.code == 235
        elif is_accepted and isinstance(event, events.Rcpt):
            self._recipients += 1
        elif self._state is State.CONTENT:
            self._begin_data()
        elif is_accepted and isinstance(event, events.Mail):
            self._body, self._smtputf8 = event.envelope.body, event.envelope.smtputf8
        elif self._state is State.READY:
            self._forget_transaction()
        return said

    def _begin_data(self) -> None:
        self._reader = DataReader(self._offer.settings)
        self._after_content = None
        self._chunk_move = Move(State.READY, State.READY)

    def _close(self) -> None:
        self._state = State.CLOSED
        self._buffer.clear()
        self._reader = self._asked = self._owed = None

    def _render(self, reply: Reply) -> bytes:
        return render(reply, with_status=self._offer.with_status, utf8=self._smtputf8)


def _decode(line: bytes) -> str:
    """Make a line text, blanks for tabs; Fault for controls and for what is no UTF-8 (RFC 6531 section 3.7.1)."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Fault(replies.NOT_UTF8) from None
    if text.isprintable():
        return text
    if "\r" in text or "\n" in text:
        raise Fault(replies.BARE_NEWLINE_IN_COMMAND)
    if any(c < " " or c == "\x7f" for c in text.replace("\t", " ")):
        raise Fault(replies.CONTROL_IN_COMMAND)
    return text


__all__ = ["ServerConnection", "ServerSettings"]
