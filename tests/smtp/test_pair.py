"""Our client and our server understand each other, wherever the octets are cut."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.smtp import events
from mailnode.smtp.asking import mail_line, rcpt_line
from mailnode.smtp.client import ClientConnection
from mailnode.smtp.clientevents import Answer, ContentWanted, Ready, Settled, Stage
from mailnode.smtp.sending import stuffed
from tests.kit.machine import Host

_ENVELOPE = Envelope(
    Mailbox("jörg", "bücher.example"),
    (
        Recipient(Mailbox("ann", "example.org"), Notify.SUCCESS | Notify.FAILURE, "rfc822;a+b=c@example.org"),
        Recipient(Mailbox("nobody", "example.org"), Notify.NEVER),
        Recipient(Mailbox("a b", "[192.0.2.1]"), original="utf-8;jörg@example.org"),
    ),
    envelope_id="one two+three",
    returns=Return.HEADERS,
    body=Body.EIGHT_BIT_MIME,
    smtputf8=True,
)


class _Pair:
    """A client and a server joined by a wire that cuts."""

    def __init__(self, sizes: list[int], *, is_lmtp: bool = False) -> None:
        self.host = Host(lmtp=is_lmtp)
        self.client = ClientConnection("me.example", is_lmtp=is_lmtp)
        self.is_ready = False
        self.answers: tuple[Answer, ...] = ()
        self._sizes = sizes
        self._hear(self.host.said)

    def send(self, envelope: Envelope, content: bytes) -> tuple[Answer, ...]:
        """Send one message; the answers of its recipients."""
        self._content = content
        offer = self.client.offer
        mail = mail_line(envelope, offer, size=len(content), body=envelope.body, smtputf8=envelope.smtputf8)
        self.client.begin(mail, [rcpt_line(each, offer, smtputf8=envelope.smtputf8) for each in envelope.recipients])
        self._exchange()
        return self.answers

    def _exchange(self) -> None:
        while octets := self.client.take():
            for piece in self._cut(octets):
                self._hear(self.host.feed(piece))

    def _hear(self, octets: bytes) -> None:
        for piece in self._cut(octets):
            for event in self.client.receive(piece):
                match event:
                    case Ready():
                        self.is_ready = True
                    case ContentWanted():
                        self.client.content_sent()
                        for part in self._cut(stuffed(self._content)):
                            self._hear(self.host.feed(part))
                    case Settled(answers):
                        self.answers = answers
                    case _:
                        pytest.fail(f"{event}")
        self._exchange()

    def _cut(self, octets: bytes) -> list[bytes]:
        pieces = []
        sizes = iter(self._sizes * (len(octets) + 1))
        while octets:
            size = next(sizes)
            pieces.append(octets[:size])
            octets = octets[size:]
        return pieces


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.booleans())
@settings(deadline=None)
def test_every_parameter_and_octet_arrives(sizes: list[int], is_lmtp: bool) -> None:
    """Envelope and content come out of the server's machine as they went into the client's."""
    pair = _Pair(sizes, is_lmtp=is_lmtp)
    assert pair.is_ready
    content = "Subject: ü\r\n\r\n.\r\n..a\r\nb\r\n".encode()
    for _ in range(2):
        answers = pair.send(_ENVELOPE, content)
        assert [answer.reply.code for answer in answers] == [250, 550, 250]
    assert pair.host.messages == [content, content]
    mails = [event for event in pair.host.events if isinstance(event, events.Mail)]
    assert [evolve(mail.envelope, recipients=()) for mail in mails] == [evolve(_ENVELOPE, recipients=())] * 2
    assert mails[0].size == len(content)
    rcpts = [event.recipient for event in pair.host.events if isinstance(event, events.Rcpt)]
    assert rcpts == [*_ENVELOPE.recipients, *_ENVELOPE.recipients]


def test_a_session_goes_on_after_a_transaction_for_nobody() -> None:
    """When every recipient was refused the next message goes out all the same."""
    pair = _Pair([1000])
    nobody = evolve(_ENVELOPE, recipients=(_ENVELOPE.recipients[1],))
    assert [answer.stage for answer in pair.send(nobody, b"x\r\n")] == [Stage.RCPT]
    assert pair.send(evolve(_ENVELOPE, recipients=_ENVELOPE.recipients[:1]), b"y\r\n")[0].reply.is_positive
    assert pair.host.messages == [b"y\r\n"]
