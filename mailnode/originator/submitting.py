"""Handing a draft to a running node: SMTP over its submit socket, by a program that may block.

The protocol is the sans-IO ``ClientConnection``; here are only the socket and its time limits. Whatever keeps the node from
taking the message for good (no node, a full disk, a connection that breaks) is ``Away``: the caller may keep the message
elsewhere. If the connection broke behind the final dot the node may have taken it all the same, and it arrives twice.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from mailnode.mail.envelope import Envelope
from mailnode.mail.reply import Reply
from mailnode.originator.draft import BLOCK, Draft, Sealed, sealed
from mailnode.originator.place import Place
from mailnode.originator.receipt import RefusedRecipient
from mailnode.smtp.asking import mail_line, rcpt_line
from mailnode.smtp.client import ClientConnection
from mailnode.smtp.clientevents import Broken, ContentWanted, Event, Ready, Rejected, Settled, Stage
from mailnode.smtp.sending import DotStuffing

CONNECT_PATIENCE = 10.0
PATIENCE = 300.0
"""Seconds in which the node must say something."""
HELLO = "localhost"


class Away(Exception):  # noqa: N818 - it is a state, not an error
    """No node takes the message now; ``reply`` is what was heard, if anything was."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        super().__init__(why)
        self.reply = reply


@frozen
class Taken:
    """What the node said to a message."""

    queue_id: str
    """Its name there; empty when it was taken for nobody."""
    refused: tuple[RefusedRecipient, ...]
    """Recipients it takes nothing for, by the addresses they were sealed with."""
    delayed: tuple[RefusedRecipient, ...]
    """Recipients it takes nothing for now."""


def connected(path: Path) -> socket.socket:
    """Connect to the node's socket; raises Away."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(CONNECT_PATIENCE)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise Away(f"{path}: {error.strerror or error}") from None
    connection.settimeout(PATIENCE)
    return connection


def submit(place: Place, draft: Draft) -> Taken:
    """Hand the draft to the node that runs there; raises Away, or BadDraft."""
    with connected(place.socket) as connection:
        message = seal(draft, place.origin() or HELLO)
        try:
            return _Submission(connection, message, draft.content).run()
        except OSError as error:
            raise Away(f"{place.socket}: {error.strerror or error}") from None


def seal(draft: Draft, domain: str) -> Sealed:
    """Make the draft fit to travel, with a date and a Message-ID of this moment."""
    return sealed(draft, domain=domain, date=formatdate(localtime=True), message_id=make_msgid(domain=domain))


class _Submission:
    """One message on its way through one connection."""

    def __init__(self, connection: socket.socket, message: Sealed, rest: BinaryIO) -> None:
        self._socket = connection
        self._message = message
        self._rest = rest
        self._client = ClientConnection(HELLO)

    def run(self) -> Taken:
        """Speak until the message is settled."""
        while True:
            said = self._socket.recv(BLOCK)
            if not said:
                raise Away("the node closed the connection")
            for event in self._client.receive(said):
                taken = self._hear(event)
                if taken is not None:
                    return taken
            # Nothing to say is not sent: a node that has answered and gone would make an error of it.
            if words := self._client.take():
                self._socket.sendall(words)

    def _hear(self, event: Event) -> Taken | None:
        match event:
            case Ready():
                self._begin(self._message.envelope)
            case Rejected() | Broken():
                raise Away(str(event.reply), event.reply)
            case ContentWanted():
                self._send_content()
            case Settled():
                return self._settled(event)
            case _:
                pass
        return None

    def _begin(self, envelope: Envelope) -> None:
        offer = self._client.offer
        size = self._size()
        mail = mail_line(envelope, offer, size=size, body=envelope.body, smtputf8=envelope.smtputf8)
        self._client.begin(mail, [rcpt_line(one, offer, smtputf8=envelope.smtputf8) for one in envelope.recipients])

    def _size(self) -> int:
        here = self._rest.tell()
        rest = self._rest.seek(0, 2) - here
        self._rest.seek(here)
        return len(self._message.start) + rest

    def _send_content(self) -> None:
        stuffing = DotStuffing()
        self._socket.sendall(self._client.take())
        for block in self._blocks():
            self._socket.sendall(stuffing.block(block))
        self._client.content_sent()
        self._socket.sendall(stuffing.end())

    def _blocks(self) -> Iterator[bytes]:
        yield self._message.start
        while block := self._rest.read(BLOCK):
            yield block

    def _settled(self, event: Settled) -> Taken:
        queue_id, refused, delayed = "", [], []
        for recipient, answer in zip(self._message.envelope.recipients, event.answers, strict=True):
            one = RefusedRecipient(str(recipient.forward_path), answer.reply)
            if answer.reply.is_positive:
                queue_id = queue_id_in(answer.reply)
            elif answer.reply.is_permanent and not answer.is_ours:
                refused.append(one)
            else:
                delayed.append(one)
            if answer.stage is Stage.MAIL and not answer.reply.is_positive and answer.is_ours:
                raise Away(str(answer.reply), answer.reply)
        self._client.quit()
        with suppress(OSError):
            self._socket.sendall(self._client.take())
        return Taken(queue_id, tuple(refused), tuple(delayed))


def queue_id_in(reply: Reply) -> str:
    """Take the queue id from the reply to the final dot, whose last word it is."""
    return reply.lines[-1].rpartition(" ")[2]
