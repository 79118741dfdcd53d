"""A receiving connection answers in order, in time, and never gives up a message whose final dot is in."""

from typing import Any

import pytest
from attrs import evolve
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.receiver import READ_AHEAD, Receiver
from mailnode.sessions.settings import SessionSettings
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings
from tests.kit.reception import StagedReception

SETTINGS = SessionSettings()
TRANSACTION = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"


class Line(StringTransportWithDisconnection):
    """A transport that remembers how often it was written to."""

    writes = 0

    def write(self, data: bytes) -> None:
        """Count and keep."""
        self.writes += 1
        super().write(data)

    def abortConnection(self) -> None:
        """Be cut off."""
        self.aborted = True
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionLost()))


class Stage:
    """One factory and the connections to it."""

    def __init__(self, settings: SessionSettings = SETTINGS, service: str = "smtp", *, trusted: bool = False) -> None:
        self.clock = Clock()
        self.reception = StagedReception()
        self.admission = Admission(settings)
        self.factory = ReceiverFactory(
            name="mx",
            service=service,
            hostname="mx.example",
            reception=self.reception,
            admission=self.admission,
            is_trusted=lambda _: trusted,
            clock=self.clock,
            settings=settings,
            max_size=Octets(0),
            extensions=standard_extensions(ServerSettings()),
        )
        self.factory.doStart()

    def connect(self, address: str = "192.0.2.1") -> "Caller":
        """Let a client in."""
        receiver = self.factory.buildProtocol(IPv4Address("TCP", address, 4000))
        return Caller(receiver)


class Caller:
    """The client's end of one connection."""

    def __init__(self, receiver: Receiver, line: Line | None = None) -> None:
        self.receiver = receiver
        self.line = line or Line()
        self.line.protocol = receiver
        receiver.makeConnection(self.line)

    def says(self, octets: bytes) -> bytes:
        """Send octets, and hear what comes back."""
        self.receiver.dataReceived(octets)
        return self.hears()

    def hears(self) -> bytes:
        """Hear what has come since."""
        heard: bytes = self.line.value()
        self.line.clear()
        return heard

    @property
    def is_open(self) -> bool:
        """Tell whether the server has not closed."""
        return bool(self.line.connected)


def _ready(stage: Stage) -> Caller:
    caller = stage.connect()
    assert caller.hears().startswith(b"220 mx.example ESMTP")
    assert b"250-mx.example greets c.example\r\n" in caller.says(b"EHLO c.example\r\n")
    return caller


@pytest.mark.rfc("2920", "3.2")
def test_a_pipelined_message_is_answered_in_one_write_for_each_read() -> None:
    """All replies of one read leave together, in the order of their commands."""
    stage = Stage()
    caller = _ready(stage)
    before = caller.line.writes
    heard = caller.says(TRANSACTION + b"")
    assert [line[:3] for line in heard.splitlines()] == [b"250", b"250", b"354"]
    assert caller.line.writes == before + 1
    assert caller.says(b"Subject: x\r\n\r\n..x\r\n.\r\nQUIT\r\n").splitlines() == [
        b"250 2.0.0 Accepted",
        b"221 2.0.0 mx.example closes the session",
    ]
    assert stage.reception.messages[0].content == b"Subject: x\r\n\r\n.x\r\n"
    assert stage.reception.messages[0].peer.hello == "c.example"
    assert not caller.is_open
    assert not stage.factory.sessions


def test_commands_behind_one_that_waits_keep_their_order() -> None:
    """What is sent while an answer waits is answered after it."""
    stage = Stage()
    caller = _ready(stage)
    gate: Deferred[None] = Deferred()
    stage.reception.waits["begin"] = gate
    assert caller.says(TRANSACTION) == b""
    assert caller.says(b"x\r\n.\r\nNOOP\r\n") == b""
    gate.callback(None)
    assert [line[:3] for line in caller.hears().splitlines()] == [b"250", b"250", b"354", b"250", b"250"]


def test_refusals_and_bugs_are_replies() -> None:
    """Refused is said as it is; anything else is 451 and a logged failure, and the session goes on."""
    caller = _ready(Stage())
    assert caller.says(b"MAIL FROM:<spammer@a.example>\r\n").startswith(b"550 5.7.1")
    assert caller.says(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<nobody@b.example>\r\n")[-40:].count(b"550 5.1.1") == 1
    assert caller.says(b"NOOP\r\n").startswith(b"250")


def test_a_bug_at_rcpt_is_temporary(lost_failures: list[dict[str, Any]]) -> None:
    """An exception of ours is told as 451 4.3.0."""
    caller = _ready(Stage())
    caller.says(b"MAIL FROM:<a@a.example>\r\n")
    assert caller.says(b"RCPT TO:<bug@b.example>\r\n").startswith(b"451 4.3.0")
    assert "ZeroDivisionError" in str(lost_failures.pop()["log_failure"])


@pytest.mark.rfc("5321", "4.5.3.2.7")
def test_a_silent_peer_is_told_421_and_closed() -> None:
    """After the command timeout the session ends; single octets do not prolong it."""
    stage = Stage()
    caller = _ready(stage)
    for _ in range(10):
        stage.clock.advance(SETTINGS.command_timeout / 10)
        caller.receiver.dataReceived(b"N")
    stage.clock.pump([1, 1])
    assert caller.hears().startswith(b"421 4.4.2")
    assert not caller.is_open


def test_a_trickle_of_content_runs_out_of_time() -> None:
    """Content below the least rate does not keep a session for ever."""
    stage = Stage()
    caller = _ready(stage)
    caller.says(TRANSACTION)
    for _ in range(int(SETTINGS.data_timeout) + 20):
        if not caller.is_open:
            break
        stage.clock.advance(1)
        if caller.is_open:
            caller.receiver.dataReceived(b"x")
    assert caller.hears().startswith(b"421 4.4.2")
    assert stage.reception.begun[0].is_aborted


def test_content_at_the_least_rate_goes_on() -> None:
    """A slow but honest sender is not cut off."""
    stage = Stage(evolve(SETTINGS, min_data_rate=Octets(10)))
    caller = _ready(stage)
    caller.says(TRANSACTION)
    for _ in range(int(SETTINGS.data_timeout) * 3):
        stage.clock.advance(1)
        caller.receiver.dataReceived(b"x" * 11)
    assert caller.is_open
    assert caller.says(b"\r\n.\r\n").startswith(b"250")


def test_too_many_errors_end_the_session() -> None:
    """After max_errors refused commands the peer is told 421."""
    caller = _ready(Stage(evolve(SETTINGS, max_errors=3)))
    heard = caller.says(b"BOGUS\r\n" * 5)
    assert [line[:3] for line in heard.splitlines()] == [b"500", b"500", b"500", b"421"]
    assert not caller.is_open


def test_idle_commands_are_bounded() -> None:
    """NOOPs without mail end in 421, and mail in between starts the count again."""
    caller = _ready(Stage(evolve(SETTINGS, max_idle_commands=4)))
    caller.says(b"NOOP\r\nNOOP\r\n")
    caller.says(TRANSACTION + b".\r\n")
    assert caller.says(b"NOOP\r\n" * 4).count(b"250 ") == 4
    assert caller.says(b"NOOP\r\n").startswith(b"421")


@pytest.mark.rfc("5321", "4.5.3.1.10")
def test_too_many_recipients_are_told_452() -> None:
    """The transaction goes on with those that were taken."""
    caller = _ready(Stage(evolve(SETTINGS, max_recipients=1)))
    heard = caller.says(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n")
    assert [line[:9] for line in heard.splitlines()][2:] == [b"452 4.5.3", b"354 Go ah"]


def test_a_commit_outlives_its_connection() -> None:
    """When the peer goes after its final dot, the message is still finished, and only then forgotten."""
    stage = Stage()
    caller = _ready(stage)
    gate: Deferred[None] = Deferred()
    stage.reception.waits["commit"] = gate
    caller.says(TRANSACTION + b"x\r\n.\r\n")
    caller.receiver.connectionLost(Failure(ConnectionLost()))
    assert stage.factory.sessions
    gate.callback(None)
    assert stage.reception.messages[0].is_committed
    assert not stage.reception.messages[0].is_aborted
    assert not stage.factory.sessions


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_dialogue_that_fails_ends_its_session(lost_failures: list[dict[str, Any]], *, is_lost: bool) -> None:
    """Whatever goes wrong at the final dot, with or without a connection, the session leaves the books."""
    stage = Stage()
    gate: Deferred[None] = Deferred()
    stage.reception.waits["commit"] = gate
    stage.reception.answers = [None]  # type: ignore[list-item]
    caller = stage.connect()
    caller.says(b"EHLO c.example\r\n" + TRANSACTION + b"x\r\n.\r\n")
    if is_lost:
        caller.line.loseConnection()
    gate.callback(None)
    assert stage.factory.sessions == set()
    assert not caller.is_open
    assert len(lost_failures) == 1
    lost_failures.clear()


def test_before_the_final_dot_a_lost_connection_forgets_everything() -> None:
    """Whatever waits is cancelled and the transaction aborted."""
    stage = Stage()
    caller = _ready(stage)
    stage.reception.waits["rcpt"] = Deferred()
    caller.says(TRANSACTION)
    caller.receiver.connectionLost(Failure(ConnectionDone()))
    assert stage.reception.begun[0].is_aborted
    assert not stage.factory.sessions


@pytest.mark.rfc("5321", "3.8")
def test_a_stop_finishes_what_has_its_dot_and_tells_the_rest_421() -> None:
    """Idle and half-done sessions close at once; the one that commits is answered first."""
    stage = Stage()
    idle, midway, committing = _ready(stage), _ready(stage), _ready(stage)
    midway.says(TRANSACTION + b"half")
    gate: Deferred[None] = Deferred()
    stage.reception.waits["commit"] = gate
    committing.says(TRANSACTION + b"x\r\n.\r\n")
    committing.hears()
    stopped = Deferred.fromCoroutine(stage.factory.stop())
    assert idle.hears().startswith(b"421 4.3.2")
    assert midway.hears().startswith(b"421 4.3.2")
    assert stage.reception.begun[0].is_aborted
    assert not stopped.called
    gate.callback(None)
    assert [line[:3] for line in committing.hears().splitlines()] == [b"250", b"421"]
    assert stopped.called


@pytest.mark.rfc("5321", "3.8")
def test_after_a_stop_no_answer_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was waited for is given up, also where the connection lives on for a while (TLS is closed by both)."""
    failures: list[object] = []
    monkeypatch.setattr(Logger, "failure", lambda *words, **_: failures.append(words))
    stage = Stage()
    caller = _ready(stage)
    monkeypatch.setattr(caller.line, "loseConnection", lambda: None)
    gate: Deferred[None] = Deferred()
    stage.reception.waits["begin"] = gate
    assert caller.says(b"MAIL FROM:<a@a.example>\r\n") == b""
    Deferred.fromCoroutine(stage.factory.stop())
    assert caller.hears().startswith(b"421 4.3.2")
    assert gate.called
    assert caller.hears() == b""
    assert not failures
    caller.receiver.connectionLost(Failure(ConnectionDone()))
    assert not stage.factory.sessions


def test_content_ahead_of_a_slow_disk_pauses_the_transport() -> None:
    """A peer that sends too far ahead of us is not read until we have caught up."""
    stage = Stage()
    caller = _ready(stage)
    caller.says(TRANSACTION)
    gate: Deferred[None] = Deferred()
    stage.reception.waits["write"] = gate
    caller.receiver.dataReceived(b"x" * 1000)
    caller.receiver.dataReceived(b"y" * (READ_AHEAD + 1))
    assert caller.line.producerState == "paused"
    gate.callback(None)
    assert caller.line.producerState == "producing"
    assert caller.says(b"\r\n.\r\n").startswith(b"250")
    assert len(stage.reception.messages[0].content) == 1000 + READ_AHEAD + 1 + 2


def test_a_half_closed_peer_hears_its_answers() -> None:
    """What was sent before the peer closed its half is answered, then we close."""
    stage = Stage()
    caller = _ready(stage)
    gate: Deferred[None] = Deferred()
    stage.reception.waits["commit"] = gate
    caller.says(TRANSACTION + b"x\r\n.\r\n")
    caller.hears()
    caller.receiver.readConnectionLost()
    assert caller.is_open
    gate.callback(None)
    assert caller.hears().startswith(b"250")
    assert not caller.is_open


def test_early_talkers_are_noticed_and_refused_if_wished() -> None:
    """Octets before the greeting are noted; with the setting they are answered with 554."""
    stage = Stage(evolve(SETTINGS, greeting_delay=Seconds(2)))
    caller = stage.connect()
    assert caller.says(b"EHLO c.example\r\n") == b""
    stage.clock.pump([1, 1, 1])
    assert caller.hears().startswith(b"220 ")
    stage = Stage(evolve(SETTINGS, greeting_delay=Seconds(2), early_talkers="refuse"))
    caller = stage.connect()
    caller.says(b"EHLO c.example\r\n")
    stage.clock.pump([1, 1, 1])
    assert caller.hears().startswith(b"554 ")
    assert not caller.is_open


def test_a_full_house_greets_late_or_says_421() -> None:
    """Beyond max_sessions a peer waits for a place, gets it when one is free, and is told 421 otherwise."""
    stage = Stage(evolve(SETTINGS, max_sessions=1, max_waiting_sessions=1))
    first, second, third = _ready(stage), stage.connect("192.0.2.2"), stage.connect("192.0.2.3")
    assert second.hears() == b""
    assert third.hears().startswith(b"421 ")
    first.says(b"QUIT\r\n")
    stage.clock.advance(1)
    assert second.hears().startswith(b"220 ")
    late = stage.connect("192.0.2.4")
    stage.clock.pump([1] * 7)
    assert late.hears().startswith(b"421 ")
    assert stage.admission.waiting == 0


def test_one_address_has_its_bound() -> None:
    """Too many connections from one address are told 421 4.7.0."""
    stage = Stage(evolve(SETTINGS, max_sessions_per_address=1))
    _ready(stage)
    second = stage.connect()
    assert second.hears().startswith(b"421 4.7.0")
    assert not second.is_open


@pytest.mark.rfc("2033", "4.2")
def test_lmtp_answers_each_recipient() -> None:
    """After the dot there is one reply for each accepted recipient, good or bad."""
    stage = Stage(service="lmtp")
    stage.reception.answers = [Reply.of(250, "2.0.0", "yes"), Reply.of(552, "5.2.2", "full")]
    caller = stage.connect()
    caller.says(b"LHLO c.example\r\n")
    caller.says(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n")
    assert caller.says(b"x\r\n.\r\n") == b"250 2.0.0 yes\r\n552 5.2.2 full\r\n"


def test_bare_newlines_in_content_are_refused_and_the_session_goes_on() -> None:
    """A message with a bare LF is 550 5.6.11, and nothing in it is a command."""
    stage = Stage()
    caller = _ready(stage)
    caller.says(TRANSACTION)
    heard = caller.says(b"x\n.\nMAIL FROM:<evil@a.example>\r\n.\r\nNOOP\r\n")
    assert [line[:3] for line in heard.splitlines()] == [b"550", b"250"]
    assert stage.reception.messages == []


def test_a_peer_that_never_reads_its_last_words_is_cut_off() -> None:
    """A close that does not come about is forced after a while."""
    stage = Stage()
    caller = _ready(stage)
    caller.line.loseConnection = lambda: None  # type: ignore[method-assign]
    caller.says(b"QUIT\r\n")
    assert stage.factory.sessions
    stage.clock.pump([1] * 40)
    assert not stage.factory.sessions


@pytest.mark.rfc("5321", "4.5.3.1.10")
def test_recipients_beyond_the_limit_are_no_errors() -> None:
    """However many are pipelined, each hears 452, and the message still goes to those that were taken."""
    caller = _ready(Stage(evolve(SETTINGS, max_recipients=1, max_errors=2)))
    heard = caller.says(b"MAIL FROM:<a@a.example>\r\n" + b"RCPT TO:<b@b.example>\r\n" * 50 + b"DATA\r\n")
    assert [line[:3] for line in heard.splitlines()] == [b"250", b"250", *[b"452"] * 49, b"354"]


def test_a_peer_that_does_not_read_is_not_read_either() -> None:
    """While the transport holds replies back, nothing is read or answered; then all goes on in order."""
    stage = Stage()
    caller = _ready(stage)
    caller.receiver.pauseProducing()
    assert caller.line.producerState == "paused"
    assert caller.says(b"NOOP\r\nQUIT\r\n") == b""
    caller.receiver.resumeProducing()
    assert [line[:3] for line in caller.hears().splitlines()] == [b"250", b"221"]


def test_a_peer_that_never_reads_is_cut_off() -> None:
    """The deadline of the next command runs on, and the last words have theirs."""
    stage = Stage()
    caller = _ready(stage)
    caller.receiver.pauseProducing()
    caller.says(b"NOOP\r\n")
    stage.clock.pump([1.0] * (int(SETTINGS.command_timeout) + 2))
    assert caller.hears().startswith(b"421 ")
    assert caller.line.producer is None, "a registered producer would keep the connection open"
    assert not stage.factory.sessions


def test_answers_wait_while_the_peer_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that says stop in the middle of a write stops the commands behind it."""
    stage = Stage()
    caller = _ready(stage)
    write = caller.line.write

    def stubborn(octets: bytes) -> None:
        write(octets)
        caller.receiver.pauseProducing()

    monkeypatch.setattr(caller.line, "write", stubborn)
    assert caller.says(b"NOOP\r\n") == b"250 2.0.0 OK\r\n"
    assert caller.says(b"NOOP\r\n") == b""


def test_half_closed_before_the_greeting() -> None:
    """A peer that closes its half while it waits for the greeting still gets it, and what it sent is answered."""
    stage = Stage(evolve(SETTINGS, greeting_delay=Seconds(2)))
    caller = stage.connect()
    caller.receiver.dataReceived(b"NOOP\r\n")
    caller.receiver.readConnectionLost()
    assert caller.hears() == b""
    stage.clock.pump([1.0] * 3)
    assert [line[:3] for line in caller.hears().splitlines()] == [b"220", b"250"]
    assert not caller.is_open


def test_empty_chunks_have_an_end() -> None:
    """BDAT 0 carries no mail: it counts as an idle command."""
    stage = Stage(evolve(SETTINGS, max_idle_commands=5))
    caller = _ready(stage)
    caller.says(TRANSACTION.replace(b"DATA\r\n", b""))
    heard = caller.says(b"BDAT 0\r\n" * 10)
    assert heard.splitlines()[-1].startswith(b"421 4.7.0")
    assert not caller.is_open


def test_those_who_wait_for_a_place_are_counted_by_address_too() -> None:
    """One address that fills the line of those who wait does not get more places than its own."""
    settings = evolve(SETTINGS, max_sessions=2, max_sessions_per_address=1)
    stage = Stage(settings)
    first, second = stage.connect("192.0.2.1"), stage.connect("192.0.2.2")
    waiting = [stage.connect("192.0.2.3") for _ in range(2)]
    first.says(b"QUIT\r\n")
    second.says(b"QUIT\r\n")
    stage.clock.advance(1)
    assert sorted(caller.hears()[:3] for caller in waiting) == [b"220", b"421"]
    assert stage.admission.waiting == 0


def test_the_door_hears_which_address_was_reached() -> None:
    """Transactions know the local end of their connection."""
    stage = Stage()
    receiver = stage.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4000))
    caller = Caller(receiver, Line(hostAddress=IPv6Address("TCP", "::ffff:198.51.100.7", 25)))
    caller.says(b"EHLO c.example\r\n" + TRANSACTION)
    assert stage.reception.begun[0].peer.local_address == "198.51.100.7"
