"""The client's machine says what it may, when it may, and knows what each reply answers."""

from collections.abc import Iterable

import pytest

from mailnode.mail.reply import Reply
from mailnode.smtp.client import ClientConnection
from mailnode.smtp.clientevents import Answer, Broken, ContentWanted, Event, Ready, Rejected, Replied, Settled, Stage

_MAIL = b"MAIL FROM:<a@b>\r\n"
_LOST = Reply.of(451, "4.4.2", "lost")


def _rcpts(count: int) -> list[bytes]:
    return [b"RCPT TO:<r%d@b>\r\n" % number for number in range(count)]


def _greeted(*extensions: str, is_lmtp: bool = False) -> ClientConnection:
    client = ClientConnection("me.example", is_lmtp=is_lmtp)
    client.receive(b"220 hi\r\n")
    assert client.take() == (b"LHLO me.example\r\n" if is_lmtp else b"EHLO me.example\r\n")
    lines = ["peer.example", *extensions]
    marks = ["-"] * (len(lines) - 1) + [" "]
    events = client.receive("".join(f"250{m}{x}\r\n" for m, x in zip(marks, lines, strict=True)).encode())
    assert [type(event) for event in events] == [Ready]
    return client


def _answers(events: Iterable[Event]) -> list[tuple[int, Stage]]:
    (settled,) = [event for event in events if isinstance(event, Settled)]
    return [(answer.reply.code, answer.stage) for answer in settled.answers]


# --- greeting -------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "3.2")
@pytest.mark.parametrize("code", [500, 502, 504, 550])
def test_helo_follows_a_refused_ehlo(code: int) -> None:
    """A server that does not know EHLO is greeted with HELO, and offers nothing."""
    client = ClientConnection("me.example")
    client.receive(b"220 hi\r\n")
    client.take()
    assert client.receive(b"%d what?\r\n" % code) == []
    assert client.take() == b"HELO me.example\r\n"
    (event,) = client.receive(b"250 PIPELINING\r\n")
    assert isinstance(event, Ready)
    assert not event.offer.keywords
    assert client.is_ready


@pytest.mark.parametrize("greeting", [b"554 go away\r\n", b"450 later\r\n", b"250 hm\r\n"])
def test_a_greeting_that_is_no_220_ends_the_session(greeting: bytes) -> None:
    """Whatever greets otherwise takes no mail; we say QUIT."""
    client = ClientConnection("me.example")
    (event,) = client.receive(greeting)
    assert isinstance(event, Rejected)
    assert event.reply.code == int(greeting[:3])
    assert client.take() == b"QUIT\r\n"
    assert not client.is_ready


def test_a_refused_hello_ends_the_session() -> None:
    """Neither EHLO nor HELO: no session."""
    client = ClientConnection("me.example")
    client.receive(b"220 hi\r\n")
    client.receive(b"502 what?\r\n")
    (event,) = client.receive(b"550 not you\r\n")
    assert event == Rejected(Reply(550, ("not you",)))


@pytest.mark.rfc("2033", "4.1")
def test_lhlo_has_no_fallback() -> None:
    """A server that does not know LHLO is not spoken to by LMTP."""
    client = ClientConnection("me.example", is_lmtp=True)
    client.receive(b"220 hi\r\n")
    (event,) = client.receive(b"500 what?\r\n")
    assert isinstance(event, Rejected)


def test_421_ends_everything_at_once() -> None:
    """After 421 to the greeting nothing is said any more, not even QUIT."""
    client = ClientConnection("me.example")
    client.receive(b"421 full\r\n")
    assert client.is_over
    assert client.take() == b""


# --- one transaction ------------------------------------------------------------------------------------------------


@pytest.mark.rfc("2920", "3.1")
def test_the_envelope_leaves_in_one_write() -> None:
    """With PIPELINING, MAIL, every RCPT and DATA are said at once."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(2))
    assert client.take() == _MAIL + b"".join(_rcpts(2)) + b"DATA\r\n"
    stages = [client.stage]
    assert client.receive(b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n") == [ContentWanted()]
    stages.append(client.stage)
    client.content_sent()
    assert [*stages, client.stage] == [Stage.MAIL, Stage.CONTENT, Stage.DOT]
    assert _answers(client.receive(b"250 taken\r\n")) == [(250, Stage.DOT), (550, Stage.RCPT)]
    assert client.is_ready


def test_one_command_after_another_without_pipelining() -> None:
    """Without PIPELINING each command waits for the reply to the one before."""
    client = _greeted()
    client.begin(_MAIL, _rcpts(2))
    said = []
    for reply in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n"):
        said.append(client.take())
        client.receive(reply)
    said.append(client.take())
    assert said == [_MAIL, *_rcpts(2), b"DATA\r\n"]


@pytest.mark.parametrize("is_pipelining", [True, False])
def test_a_refused_sender_is_everybodys_answer(is_pipelining: bool) -> None:
    """The reply to MAIL answers for all recipients; without pipelining nothing else is said."""
    client = _greeted(*(["PIPELINING"] if is_pipelining else []))
    client.begin(_MAIL, _rcpts(2))
    client.take()
    events = client.receive(b"550 no\r\n" + (b"503 x\r\n503 x\r\n503 x\r\n" if is_pipelining else b""))
    assert _answers(events) == [(550, Stage.MAIL)] * 2
    assert client.take() == b""
    assert client.is_ready


def test_nobody_accepted_means_no_data() -> None:
    """Without pipelining, DATA is not said when no RCPT was accepted."""
    client = _greeted()
    client.begin(_MAIL, _rcpts(1))
    client.receive(b"250 ok\r\n")
    assert _answers(client.receive(b"450 later\r\n")) == [(450, Stage.RCPT)]
    client.take()
    assert client.is_ready


@pytest.mark.rfc("2920", "3.1")
def test_data_accepted_for_nobody_is_ended_with_a_dot() -> None:
    """When DATA was accepted although no RCPT was, an empty message goes out and its reply counts for nobody."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    client.take()
    assert client.receive(b"250 ok\r\n550 no\r\n354 go\r\n") == []
    assert client.take() == b".\r\n"
    assert _answers(client.receive(b"250 taken\r\n")) == [(550, Stage.RCPT)]


def test_data_accepted_for_nobody_breaks_lmtp() -> None:
    """LMTP says of no reply to a dot for nobody, so the session is given up."""
    client = _greeted("PIPELINING", is_lmtp=True)
    client.begin(_MAIL, _rcpts(1))
    client.take()
    events = client.receive(b"250 ok\r\n550 no\r\n354 go\r\n")
    assert _answers(events) == [(550, Stage.RCPT)]
    assert client.is_over


def test_refused_data_answers_for_the_accepted() -> None:
    """The reply to DATA goes to those whose RCPT was accepted."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(2))
    assert _answers(client.receive(b"250 ok\r\n250 ok\r\n550 no\r\n451 later\r\n")) == [
        (451, Stage.DATA),
        (550, Stage.RCPT),
    ]


@pytest.mark.rfc("2033", "4.2")
def test_lmtp_answers_for_each_recipient() -> None:
    """After the dot comes a reply for each accepted recipient, in order."""
    client = _greeted("PIPELINING", is_lmtp=True)
    client.begin(_MAIL, _rcpts(3))
    client.receive(b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
    client.content_sent()
    assert client.receive(b"250 first\r\n") == []
    assert _answers(client.receive(b"452 full\r\n")) == [(250, Stage.DOT), (550, Stage.RCPT), (452, Stage.DOT)]


def test_rset_goes_before_the_next_transaction_only_after_trouble() -> None:
    """After a final dot the peer has forgotten the transaction by itself; else RSET travels with the next MAIL."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    client.receive(b"250 ok\r\n550 no\r\n503 no\r\n")
    client.take()
    client.begin(_MAIL, _rcpts(1))
    assert client.take().startswith(b"RSET\r\n" + _MAIL)
    client.receive(b"250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    client.content_sent()
    client.receive(b"250 taken\r\n")
    client.begin(_MAIL, _rcpts(1))
    assert client.take().startswith(_MAIL)


def test_a_refused_rset_is_nobodys_failure() -> None:
    """A peer that refuses RSET, even with 5yz, delays the next message and does not fail it."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    client.receive(b"250 ok\r\n550 no\r\n503 no\r\n")
    client.begin(_MAIL, _rcpts(1))
    assert _answers(client.receive(b"500 what?\r\n")) == [(451, Stage.MAIL)]
    assert client.is_over


# --- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "3.8")
def test_421_answers_for_all_who_are_left() -> None:
    """A 421 in the middle is the answer for the command and for everything behind it."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(3))
    events = client.receive(b"250 ok\r\n550 no\r\n421 bye\r\n")
    assert _answers(events) == [(550, Stage.RCPT), (421, Stage.RCPT), (421, Stage.RCPT)]
    assert isinstance(events[-1], Broken)
    assert client.is_over


def test_a_lost_connection_answers_in_our_words() -> None:
    """Whoever has no answer when the connection goes gets ours, with the stage it happened in."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(2))
    client.receive(b"250 ok\r\n550 no\r\n")
    (settled, _) = client.lost(_LOST)
    assert isinstance(settled, Settled)
    assert settled.answers == (
        Answer(Reply(550, ("no",)), Stage.RCPT),
        Answer(_LOST, Stage.RCPT, is_ours=True),
    )
    assert client.lost(_LOST) == []


def test_lost_after_the_dot_is_known_as_such() -> None:
    """After the end of data the stage says that the message may have been taken."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.content_sent()
    assert _answers(client.lost(_LOST)) == [(451, Stage.DOT)]


def test_bad_news_while_we_send_ends_the_session() -> None:
    """A negative reply before the end of data is everybody's answer; the content cannot be ended any more."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert _answers(client.receive(b"552 too much\r\n")) == [(552, Stage.CONTENT)]
    assert client.is_over


def test_success_before_the_dot_is_no_success() -> None:
    """A positive reply while we are still sending is never taken for the answer to the message."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    assert _answers(client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")) == [(451, Stage.CONTENT)]


def test_success_instead_of_354_is_no_success() -> None:
    """A server that answers DATA with 250 has not taken the message."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    assert _answers(client.receive(b"250 ok\r\n250 ok\r\n250 ok\r\n")) == [(451, Stage.IDLE)]


def test_a_reply_to_nothing_ends_the_session() -> None:
    """A peer that talks unasked is out of step."""
    client = _greeted("PIPELINING")
    (event,) = client.receive(b"250 hello?\r\n")
    assert isinstance(event, Broken)
    assert event.is_ours
    assert not client.is_ready


def test_garbage_delays_everybody() -> None:
    """What is no reply is trouble for now, in our words."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    events = client.receive(b"HTTP/1.1 400 Bad Request\r\n")
    assert _answers(events) == [(451, Stage.MAIL)]
    assert client.receive(b"250 ok\r\n") == []


def test_nothing_is_heard_after_the_end() -> None:
    """Replies behind the one that ended the session count for nothing."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(1))
    assert _answers(client.receive(b"421 bye\r\n250 ok\r\n250 ok\r\n")) == [(421, Stage.MAIL)]
    client.quit()
    assert client.take().endswith(b"DATA\r\n")


def test_begin_must_wait_for_ready() -> None:
    """Beginning before the greeting is our own mistake."""
    with pytest.raises(RuntimeError, match="not ready"):
        ClientConnection("me.example").begin(_MAIL, _rcpts(1))


@pytest.mark.rfc("5321", "5.1")
def test_a_peer_that_bears_our_own_name_is_ourselves() -> None:
    """A message is not handed back to the host it is on, however the way led there; LMTP and bare names are let be."""
    for hostname, first_line, is_lmtp, is_taken in (
        ("mx.example.org", "MX.example.org greets you", False, False),
        ("mx.example.org", "mx2.example.org greets you", False, True),
        ("mx.example.org", "mx.example.org greets you", True, True),
        ("localhost", "localhost greets you", False, True),
    ):
        connection = ClientConnection(hostname, is_lmtp=is_lmtp)
        connection.receive(b"220 hello\r\n")
        connection.take()
        events = connection.receive(f"250 {first_line}\r\n".encode())
        kinds = [type(event) for event in events]
        assert (Ready in kinds, Rejected in kinds) == (is_taken, not is_taken)


@pytest.mark.rfc("5321", "3.4")
def test_a_user_who_moved_is_reached_or_not_as_the_server_says() -> None:
    """251 is a success, and 551 a failure that keeps the new address for the sender to read."""
    client = _greeted("PIPELINING")
    client.begin(_MAIL, _rcpts(2))
    client.take()
    client.receive(b"250 ok\r\n251 User not local; will forward to <a@b>\r\n")
    assert client.receive(b"551 5.1.6 User not local; please try <c@d>\r\n354 go\r\n") == [ContentWanted()]
    client.content_sent()
    (settled,) = client.receive(b"250 taken\r\n")
    assert isinstance(settled, Settled)
    assert [answer.reply.code for answer in settled.answers] == [250, 551]
    assert "please try <c@d>" in str(settled.answers[1].reply)


# --- TLS and AUTH ---------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3207", "4.2")
def test_after_the_handshake_everything_begins_anew() -> None:
    """What was offered in clear text is forgotten, and so is half a reply that came before the handshake."""
    client = _greeted("STARTTLS", "AUTH PLAIN")
    client.ask(Stage.STARTTLS, b"STARTTLS\r\n")
    assert client.take() == b"STARTTLS\r\n"
    assert client.receive(b"220 go\r\n250-smugg") == [Replied(Reply(220, ("go",)))]
    client.begin_tls()
    assert client.stage is Stage.TLS
    assert not client.offer.mechanisms
    client.tls_begun()
    assert client.take() == b"EHLO me.example\r\n"
    [ready] = client.receive(b"250-peer.example\r\n250-REQUIRETLS\r\n250 AUTH plain LOGIN\r\n")
    assert isinstance(ready, Ready)
    assert ready.offer.requiretls
    assert ready.offer.mechanisms == ("PLAIN", "LOGIN")
    assert client.is_ready


@pytest.mark.rfc("3207", "4")
def test_a_reply_that_was_sent_ahead_of_the_handshake_ends_the_session() -> None:
    """Somebody on the way may have put it there."""
    client = _greeted("STARTTLS")
    client.ask(Stage.STARTTLS, b"STARTTLS\r\n")
    replied, broken = client.receive(b"220 go\r\n250 also this\r\n")
    assert isinstance(replied, Replied)
    assert isinstance(broken, Broken)


def test_nothing_is_asked_within_a_transaction() -> None:
    """It would be taken for a part of it."""
    client = _greeted()
    client.begin(_MAIL, _rcpts(1))
    with pytest.raises(RuntimeError):
        client.ask(Stage.AUTH, b"AUTH PLAIN\r\n")
