"""A session turns what happens to a connection into answers, once each."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailnode.couriers.smtp_session import SmtpSession, Submission
from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.mail.content import Content
from mailnode.mail.quantity import Seconds
from mailnode.smtp.client import ClientConnection
from mailnode.smtp.clientevents import Answer
from tests.kit.results import InlineDisk

_SUBMISSION = Submission(b"MAIL FROM:<>\r\n", (b"RCPT TO:<a@b>\r\n",), Content(b".x\r\n"))


class _Played:
    """A session on a transport that the test plays the other end of."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        connection = ClientConnection("me.example")
        times = SmtpTimes(idle=Seconds(3))
        self.session = SmtpSession(connection, "mx.example", times=times, clock=self.clock, disk=InlineDisk())
        self.ended: list[SmtpSession] = []
        self.session.ended = self.ended.append
        self.session.makeConnection(self.transport)

    def ready(self) -> None:
        """Greet, with pipelining."""
        self.hear(b"220 hi\r\n250-hi\r\n250 PIPELINING\r\n")
        self.transport.clear()

    def hear(self, octets: bytes) -> None:
        """Let the peer say something."""
        self.session.dataReceived(octets)

    def lose(self) -> None:
        """Let the connection end."""
        self.session.connectionLost(Failure(ConnectionDone()))

    def send(self) -> "tuple[list[Answer], Deferred[None]]":
        """Begin a transaction; the answers come into the list."""
        answers: list[Answer] = []
        sending = Deferred.fromCoroutine(self.session.send(_SUBMISSION))
        return answers, sending.addCallback(answers.extend)


def test_small_content_leaves_in_one_write() -> None:
    """Envelope in one write, content with its end in the next."""
    played = _Played()
    played.ready()
    answers, _ = played.send()
    assert played.transport.value() == b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"
    played.transport.clear()
    played.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert played.transport.value() == b"..x\r\n.\r\n"
    played.hear(b"250 taken\r\n")
    assert [answer.reply.code for answer in answers] == [250]
    assert played.session.is_ready


def test_losing_the_connection_answers_and_ends_once() -> None:
    """The transaction is settled in our words, and the owner hears of the end."""
    played = _Played()
    played.ready()
    answers, _ = played.send()
    played.lose()
    assert str(answers[0].reply) == "451 4.4.2 mx.example closed the connection while we waited for its answer to MAIL"
    assert played.ended == [played.session]
    assert not played.session.is_ready
    assert not played.clock.getDelayedCalls()


def test_a_cancelled_transaction_is_not_answered_later() -> None:
    """Cancelling drops the connection; its end finds nobody waiting."""
    played = _Played()
    played.ready()
    _, sending = played.send()
    ends: list[object] = []
    sending.addErrback(lambda failure: ends.append(failure.check(CancelledError)))
    sending.cancel()
    assert ends == [CancelledError]
    assert played.transport.disconnecting
    played.lose()
    assert played.ended == [played.session]


def test_an_idle_session_leaves_by_itself() -> None:
    """After the idle time it says QUIT, and closes with or without an answer."""
    played = _Played()
    played.ready()
    played.clock.pump([1] * 6)
    assert played.transport.value() == b"QUIT\r\n"
    assert not played.transport.disconnecting
    played.hear(b"221 bye\r\n")
    assert played.transport.disconnecting


def test_a_goodbye_without_an_answer_ends_too() -> None:
    """A peer that does not answer QUIT is left."""
    played = _Played()
    played.ready()
    played.session.leave()
    played.clock.pump([1] * 12)
    assert played.transport.disconnecting


def test_talk_while_idle_ends_the_session() -> None:
    """A 421 or anything else unasked for makes the session unusable."""
    for talk in (b"421 timeout\r\n", b"250 what\r\n", b"garbage\r\n"):
        played = _Played()
        played.ready()
        played.hear(talk)
        assert not played.session.is_ready
        assert played.transport.disconnecting
