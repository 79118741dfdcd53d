"""Reading a batch: what a client has said without waiting for an answer (RFC 2442 section 2).

Each command is judged by our SMTP machine, as if it had come over the network, and answered in silence. Content is found
here and not by the machine: whoever wrote the batch did not hear a refusal, so what follows a DATA is content even when
MAIL or DATA was faulty, and never becomes commands. BDAT is not offered; where it stands the rest of a batch means nothing.

Files of Unix have LF line ends, the media type has CRLF; the first line decides. In either kind only the one mark of the
end counts (a lone dot between line ends of the file's kind), so that no message can smuggle in another.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.reply import Reply
from mailnode.smtp import events
from mailnode.smtp.buffer import BadLine, InputBuffer
from mailnode.smtp.content import DataReader
from mailnode.smtp.extensions import DSN, EIGHT_BIT_MIME, SMTPUTF8, size
from mailnode.smtp.server import ServerConnection, ServerSettings

LONGEST_LINE = 4096
MOST_RECIPIENTS = 10_000
MOST_FAULTS = 100
"""Faulty commands, after which the rest of a batch is not read."""
_COMMANDS = (b"HELO", b"EHLO", b"MAIL", b"RSET", b"NOOP")
"""What a batch may begin with."""
_OK = Reply.of(250, "2.0.0", "Ok")
_BYE = Reply.of(221, "2.0.0", "Bye")
_GO = Reply(354, ("Go on",))


@frozen
class Transaction:
    """One message of a batch."""

    number: int
    """Its place among the messages, from 1 on."""
    reverse_path: Mailbox
    recipients: tuple[Recipient, ...]
    octets: bytes = field(repr=False)
    """The message with CRLF line ends; as much of it as was kept when it is spoiled."""
    faults: tuple[str, ...] = ()
    """Commands that were not understood, with the reason."""
    why: str = ""
    """Why it cannot be taken at all; empty when it can."""

    @property
    def digest(self) -> str:
        """Give what only the same transaction has."""
        envelope = "\0".join([str(self.reverse_path), *(str(one.forward_path) for one in self.recipients)])
        return hashlib.sha256(envelope.encode() + b"\0" + self.octets).hexdigest()[:32]


class BatchReader:
    """Reads one batch, in whatever pieces it comes."""

    def __init__(self, *, largest: int, hear: Callable[[Transaction], None]) -> None:
        self.trouble = ""
        """Why the batch as a whole, or its rest, is not read; empty when all is well."""
        self._settings = ServerSettings(max_command_line=LONGEST_LINE, bare_newlines="repair")
        self._machine = ServerConnection(self._settings, (size(0), EIGHT_BIT_MIME, SMTPUTF8, DSN))
        self._machine.greet(Reply(220, ("localhost",)))
        self._buffer = InputBuffer(LONGEST_LINE)
        self._largest = largest
        self._hear = hear
        self._newlines = _Newlines()
        self._number = 0
        self._faults_so_far = 0
        self._is_over = False
        self._has_begun = False
        self._content: DataReader | None = None
        self._forget()

    def _forget(self) -> None:
        self._envelope: Envelope | None = None
        self._recipients: list[Recipient] = []
        self._faults: list[str] = []
        self._why = ""
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def is_over(self) -> bool:
        """Tell whether the rest, if there is one, means nothing."""
        return self._is_over

    def feed(self, octets: bytes) -> None:
        """Take the next octets; transactions are heard as they are complete."""
        if self._is_over:
            return
        self._buffer.feed(self._newlines.made_crlf(octets))
        while not self._is_over and (self._read_content() if self._content is not None else self._read_line()):
            pass

    def end(self) -> None:
        """Say that nothing more comes."""
        if self._is_over:
            return
        if self._content is not None:
            self._why = "the batch ends within it"
            self._finish()
        elif self._envelope is not None or len(self._buffer) or not self._has_begun:
            self._break("the batch ends too early")
        self._is_over = True

    # --- content

    def _read_content(self) -> bool:
        content = self._content
        assert content is not None  # noqa: S101 - asked before
        if not len(self._buffer):
            return False
        octets = content.read(self._buffer)
        self._size += len(octets)
        if self._size > self._largest:
            self._why = self._why or f"it is larger than {self._largest} octets"
            self._pieces = []
        elif octets:
            self._pieces.append(octets)
        if content.is_done:
            if content.fault is not None:
                self._why = self._why or str(content.fault)
            self._finish()
        return True

    def _finish(self) -> None:
        self._content = None
        self._number += 1
        reverse_path = self._envelope.reverse_path if self._envelope else NULL
        self._hear(
            Transaction(
                self._number, reverse_path, tuple(self._recipients), b"".join(self._pieces), tuple(self._faults),
                self._why,
            )
        )  # fmt: skip
        self._forget()

    # --- commands

    def _read_line(self) -> bool:
        line = self._buffer.take_line()
        if line is None:
            return False
        if isinstance(line, BadLine):
            self._note_fault("a line that is too long or has no right end")
        elif line.strip():
            self._read_command(line)
        return True

    def _read_command(self, line: bytes) -> None:
        word = line[:4].upper()
        if not self._has_begun and not self._begin(word):
            self._break("it is no batch of SMTP")
            return
        if word == b"BDAT":
            self._break("BDAT has no place in a batch")
            return
        if word == b"MAIL" and self._envelope is not None:
            self._clear()  # a batch may open the next message without having closed this one
            self._forget()
        event = self._ask(line)
        if word == b"DATA":
            self._begin_content(event)
        elif isinstance(event, events.Faulty):
            self._note_fault(f"{line[:200].decode('utf-8', 'replace')!r}: {event.reply}")

    def _begin(self, word: bytes) -> bool:
        self._has_begun = word in _COMMANDS
        if word not in (b"HELO", b"EHLO") and self._has_begun:
            self._ask(b"EHLO localhost")
        return self._has_begun

    def _begin_content(self, event: Any) -> None:
        """Read content whatever was said to DATA: nobody heard it."""
        if isinstance(event, events.Faulty):
            self._why = f"DATA: {event.reply}"
            self._clear()
        self._content = DataReader(self._settings)

    def _clear(self) -> None:
        """Let the machine forget an open transaction."""
        self._machine.receive_data(b"RSET\r\n")
        self._machine.next_event()
        self._machine.send(_OK)

    def _ask(self, line: bytes) -> Any:
        """Let the machine judge a command, and answer it."""
        self._machine.receive_data(line + b"\r\n")
        event = self._machine.next_event()
        act = _ANSWERS.get(type(event))
        if act is None:
            self._machine.send(event.reply if isinstance(event, events.Faulty) else _OK)
        else:
            act(self, event)
        return event

    def hello(self, _: events.Hello) -> None:
        """Take a HELO or EHLO."""
        self._machine.accept_hello("localhost")
        self._forget()

    def mail(self, event: events.Mail) -> None:
        """Open a transaction."""
        self._machine.send(_OK)
        self._envelope = event.envelope

    def rcpt(self, event: events.Rcpt) -> None:
        """Add a recipient."""
        self._machine.send(_OK)
        if len(self._recipients) < MOST_RECIPIENTS:
            self._recipients.append(event.recipient)
        else:
            self._why = f"it has more than {MOST_RECIPIENTS} recipients"

    def data(self, _: events.Data) -> None:
        """Let the machine have its content, which is empty."""
        self._machine.send(_GO)
        self._machine.receive_data(b".\r\n")  # for the machine the content is empty
        self._machine.next_event()
        self._machine.send(_OK)

    def reset(self, _: events.Reset) -> None:
        """Forget the transaction."""
        self._machine.send(_OK)
        self._forget()

    def quit(self, _: events.Quit) -> None:
        """Read no further."""
        self._machine.send(_BYE)
        self._is_over = True

    # --- trouble

    def _note_fault(self, what: str) -> None:
        self._faults.append(what)
        self._faults_so_far += 1
        if self._faults_so_far > MOST_FAULTS:
            self._break("it has too many faults")

    def _break(self, why: str) -> None:
        self.trouble = why
        self._is_over = True


_ANSWERS: Mapping[type, Callable[[Any, Any], None]] = {
    events.Hello: BatchReader.hello,
    events.Mail: BatchReader.mail,
    events.Rcpt: BatchReader.rcpt,
    events.Data: BatchReader.data,
    events.Reset: BatchReader.reset,
    events.Quit: BatchReader.quit,
}
"""How the machine's events are answered; all others get 250, or what is wrong with them."""


class _Newlines:
    """Makes the line ends of a file of Unix CRLF; those of any other file are left alone."""

    def __init__(self) -> None:
        self._is_unix: bool | None = None
        self._held = b""

    def made_crlf(self, octets: bytes) -> bytes:
        """Give what can be given by now."""
        octets = self._held + octets
        self._held = b""
        if self._is_unix is None:
            end = octets.find(b"\n")
            if end < 0 and len(octets) < LONGEST_LINE:
                self._held = octets
                return b""
            self._is_unix = end == 0 or (end > 0 and octets[end - 1 : end] != b"\r")
        if not self._is_unix:
            return octets
        if octets.endswith(b"\r"):
            self._held, octets = b"\r", octets[:-1]
        return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
