"""A host around the server's machine: answers every event as a simple, friendly server would.

Everyone at ``nobody`` is refused, all others are welcome; messages that were accepted are kept. Who authenticates is
ann@d.example, and her password is "secret".
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mailnode.mail.reply import Reply
from mailnode.smtp import events, replies
from mailnode.smtp.events import Event, Wait
from mailnode.smtp.extensions import STARTTLS, Extension, standard_extensions
from mailnode.smtp.server import ServerConnection, ServerSettings

GREETING = Reply(220, ("mx.example ready",))
SETTINGS = ServerSettings(hostname="mx.example", max_size=100_000)


class Host:
    """One session: octets in, what is said out."""

    def __init__(
        self, settings: ServerSettings = SETTINGS, extensions: Sequence[Extension] = (), *, lmtp: bool = False
    ) -> None:
        offered = extensions or (*standard_extensions(settings), STARTTLS)
        self.connection = ServerConnection(settings, offered, lmtp=lmtp)
        self.is_lmtp = lmtp
        self.events: list[Event] = []
        """All but parts of content."""
        self.messages: list[bytes] = []
        """Contents accepted."""
        self._recipients = 0
        self._content = b""
        self._wants: list[bytes] = []
        self.said = self.connection.greet(GREETING)

    def feed(self, octets: bytes) -> bytes:
        """Hand in octets and answer all that comes of them; give what is said."""
        self.connection.receive_data(octets)
        said = b""
        while not isinstance(event := self.connection.next_event(), Wait):
            if isinstance(event, events.ContentPart):
                self._content += event.octets
            else:
                self.events.append(event)
                said += self._answer(event)
        self.said += said
        return said

    def feed_all(self, pieces: Iterable[bytes]) -> bytes:
        """Hand in piece by piece."""
        return b"".join([self.feed(piece) for piece in pieces])

    def _answer(self, event: Event) -> bytes:
        return _ANSWERS.get(type(event), Host._ok)(self, event)

    def _ok(self, _event: Event) -> bytes:
        return self.connection.send(replies.OK)

    def _hello(self, event: events.Hello) -> bytes:
        self._recipients = 0
        return self.connection.accept_hello(f"mx.example greets {event.name}")

    def _mail(self, _event: events.Mail) -> bytes:
        self._recipients = 0
        self._content = b""
        return self.connection.send(replies.SENDER_OK)

    def _rcpt(self, event: events.Rcpt) -> bytes:
        if event.recipient.forward_path.local_part == "nobody":
            return self.connection.send(replies.NO_SUCH_MAILBOX)
        self._recipients += 1
        return self.connection.send(replies.RECIPIENT_OK)

    def _end(self, event: events.ContentEnd) -> bytes:
        if event.fault is None:
            self.messages.append(self._content)
        self._content = b""
        reply = event.fault or replies.OK
        return self.connection.send_each([reply] * self._recipients) if self.is_lmtp else self.connection.send(reply)

    def _data(self, _event: events.Data) -> bytes:
        return self.connection.send(replies.START_DATA)

    def _faulty(self, event: events.Faulty) -> bytes:
        return self.connection.send(event.reply)

    def _quit(self, _event: events.Quit) -> bytes:
        return self.connection.send(replies.BYE)

    def _authenticate(self, event: events.Authenticate) -> bytes:
        if event.mechanism not in ("PLAIN", "LOGIN"):
            return self.connection.send(replies.MECHANISM_UNKNOWN)
        self._wants = [b"ann@d.example", b"secret"] if event.mechanism == "LOGIN" else [b"\0ann@d.example\0secret"]
        if event.response is not None:
            return self._respond(event)
        return self.connection.send(Reply(334, ("VXNlcm5hbWU6" if event.mechanism == "LOGIN" else "",)))

    def _respond(self, event: events.Authenticate | events.AuthResponse) -> bytes:
        if event.response != self._wants.pop(0):
            return self.connection.send(replies.CREDENTIALS_INVALID)
        return self.connection.send(Reply(334, ("UGFzc3dvcmQ6",)) if self._wants else replies.AUTHENTICATED)

    def _start_tls(self, _event: events.StartTls) -> bytes:
        """Say 220 and pretend that TLS came about at once."""
        said = self.connection.send(replies.START_TLS)
        self.connection.reset_after_tls()
        return said


_ANSWERS: dict[type, Callable[[Host, Any], bytes]] = {
    events.Hello: Host._hello,
    events.Mail: Host._mail,
    events.Rcpt: Host._rcpt,
    events.Data: Host._data,
    events.ContentEnd: Host._end,
    events.Faulty: Host._faulty,
    events.Quit: Host._quit,
    events.StartTls: Host._start_tls,
    events.Authenticate: Host._authenticate,
    events.AuthResponse: Host._respond,
}
