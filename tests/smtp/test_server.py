"""The server's machine as a whole."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailnode.mail.reply import Reply
from mailnode.smtp import events, replies
from mailnode.smtp.events import NEED_DATA, PAUSED
from mailnode.smtp.extensions import ENHANCED_STATUS_CODES, PIPELINING, STARTTLS
from mailnode.smtp.faults import Misuse
from mailnode.smtp.server import ServerConnection
from mailnode.smtp.states import ORDER, State
from tests.kit.machine import GREETING, SETTINGS, Host

WAYS = {
    State.STRANGER: b"",
    State.READY: b"EHLO x\r\n",
    State.SENDER: b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n",
    State.NOBODY: b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@b.example>\r\n",
    State.RECIPIENTS: b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@b.example>\r\n",
    State.CHUNKS: b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nBDAT 1\r\nx",
    State.CONTENT: b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n",
    State.CLOSED: b"QUIT\r\n",
}
"""What leads from the greeting to each state."""

LINES = [
    b"EHLO x\r\n", b"HELO y\r\n", b"LHLO z\r\n", b"MAIL FROM:<a@b.example>\r\n", b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n",
    b"RCPT TO:<c@b.example>\r\n", b"RCPT TO:<nobody@b.example>\r\n", b"DATA\r\n", b"BDAT 3\r\nabc", b"BDAT 2 LAST\r\n\r\n",
    b"BDAT 9 LAST\r\nNOOP\r\nab\n", b"BDAT x\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"VRFY x\r\n", b"STARTTLS now\r\n",
    b"XYZ\r\n", b"..\r\n", b".\r\n", b"a\r\n", b"\r\n.\r\n", b"\n.\n", b"\r", b"\n", b"\x00", b"\xff", b" ", b"x" * 2100,
]  # fmt: skip

streams = st.lists(st.sampled_from(LINES), max_size=25).map(b"".join)
garbage = st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=30)), max_size=15).map(b"".join)


@given(streams, st.lists(st.integers(0, 400), max_size=30), st.booleans(), st.booleans())
@example(WAYS[State.CONTENT] + b"a\r\n.\r\nNOOP\r\n", list(range(200)), False, False)
def test_cuts_make_no_difference(octets: bytes, cuts: list[int], known: bool, lmtp: bool) -> None:
    """However a stream is cut, events, replies and messages are the same."""
    octets = (WAYS[State.RECIPIENTS] if known else b"") + octets
    if lmtp:
        octets = octets.replace(b"EHLO", b"LHLO")
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    whole, cut = Host(lmtp=lmtp), Host(lmtp=lmtp)
    whole.feed(octets)
    cut.feed_all(octets[start:end] for start, end in itertools.pairwise(places))
    assert cut.events == whole.events
    assert cut.said == whole.said
    assert cut.messages == whole.messages
    assert cut.connection.state == whole.connection.state


@given(st.sampled_from([*WAYS]), garbage, st.booleans())
def test_no_state_minds_garbage(state: State, octets: bytes, lmtp: bool) -> None:
    """From every state any octets give events and replies, never an exception, and never a reply nobody asked for."""
    host = Host(lmtp=lmtp)
    host.feed(WAYS[state].replace(b"EHLO", b"LHLO") if lmtp else WAYS[state])
    assert host.connection.state is state
    host.feed(octets)
    assert host.connection.next_event() is NEED_DATA
    assert host.connection.unread <= SETTINGS.max_command_line


def test_the_ways_lead_everywhere() -> None:
    """The fuzz begins in every state in which octets are read."""
    assert set(WAYS) >= set(ORDER) - {State.TURNED_AWAY}


# --- pausing and misuse -----------------------------------------------------------------------------------------


def greeted(*, lmtp: bool = False) -> ServerConnection:
    """Make a connection that has greeted."""
    connection = ServerConnection(SETTINGS, (PIPELINING, ENHANCED_STATUS_CODES, STARTTLS), lmtp=lmtp)
    connection.greet(GREETING)
    return connection


@pytest.mark.rfc("2920", "3.2")
def test_nothing_is_read_before_its_time() -> None:
    """While a reply is owed the machine is paused, and what waits is counted."""
    connection = greeted()
    connection.receive_data(b"NOOP\r\nRSET\r\n")
    assert connection.next_event() == events.Noop()
    assert connection.next_event() is PAUSED
    assert (connection.has_unread, connection.unread) == (True, 6)
    assert connection.send(replies.OK) == b"250 2.0.0 OK\r\n"
    assert connection.next_event() == events.Reset()


@pytest.mark.rfc("5321", "4.3.1")
def test_early_talkers_can_be_noticed() -> None:
    """Before the greeting octets wait and nothing is read."""
    connection = ServerConnection(SETTINGS, ())
    connection.receive_data(b"EHLO x\r\n")
    assert connection.next_event() is PAUSED
    assert connection.has_unread


@pytest.mark.rfc("5321", "3.1")
def test_a_peer_turned_away_may_only_quit() -> None:
    """After 554 for a greeting every command but QUIT is 503."""
    connection = ServerConnection(SETTINGS, ())
    connection.greet(Reply.of(554, "5.7.1", "No"))
    connection.receive_data(b"EHLO x\r\nQUIT\r\n")
    event = connection.next_event()
    assert event == events.Faulty(replies.NO_SERVICE, b"EHLO x")
    assert connection.send(replies.NO_SERVICE) == b"503 No service here; only QUIT\r\n"
    assert connection.next_event() == events.Quit()


def test_replies_nobody_asked_for_are_misuse() -> None:
    """Each wrong use of the machine raises Misuse."""
    connection = greeted()
    for use in (
        lambda: connection.send(replies.OK),
        lambda: connection.greet(GREETING),
        lambda: connection.accept_hello("x"),
        lambda: connection.send_each([replies.OK]),
        lambda: ServerConnection(SETTINGS, ()).send(replies.OK),
    ):
        with pytest.raises(Misuse):
            use()


@pytest.mark.rfc("2033", "4.2")
def test_lmtp_owes_one_reply_for_each_recipient() -> None:
    """Too few are misuse; the right number goes out in order, whatever they are."""
    connection = greeted(lmtp=True)
    connection.receive_data(
        b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@b>\r\nDATA\r\n.\r\nMAIL FROM:<>\r\n"
    )
    assert isinstance(connection.next_event(), events.Hello)
    connection.accept_hello("mx")
    for reply in (replies.OK, replies.OK, replies.OK, replies.START_DATA):
        connection.next_event()
        connection.send(reply)
    assert connection.next_event() == events.ContentEnd()
    with pytest.raises(Misuse):
        connection.send_each([replies.OK])
    assert connection.send_each([replies.OK, replies.NO_ROOM]).count(b"\r\n") == 2
    assert isinstance(connection.next_event(), events.Mail)


# --- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [221, 421, 500])
def test_after_quit_nothing_is_read(code: int) -> None:
    """Whatever QUIT is answered, the session is over and octets are dropped."""
    connection = greeted()
    connection.receive_data(b"QUIT\r\nNOOP\r\n")
    connection.next_event()
    connection.send(Reply(code, ("bye",)))
    connection.receive_data(b"NOOP\r\n")
    assert connection.next_event() is NEED_DATA
    assert not connection.has_unread


@pytest.mark.rfc("5321", "3.8")
def test_an_interruption_ends_the_session_at_any_time() -> None:
    """421 may be said while a reply is owed, and while content flows."""
    paused = greeted()
    paused.receive_data(b"NOOP\r\n")
    paused.next_event()
    assert paused.interrupt(replies.SHUTTING_DOWN).startswith(b"421 4.3.2 ")
    assert paused.next_event() is NEED_DATA
    host = Host()
    host.feed(WAYS[State.CONTENT] + b"half a mess")
    host.connection.interrupt(replies.TIMED_OUT)
    assert host.feed(b"age\r\n.\r\n") == b""


# --- TLS --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3207", "4.2")
def test_what_was_sent_behind_starttls_is_forgotten() -> None:
    """After 220 nothing is read, and after TLS the peer is a stranger with an empty buffer."""
    connection = greeted()
    connection.receive_data(b"EHLO x\r\n")
    connection.next_event()
    connection.accept_hello("mx")
    connection.receive_data(b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCP")
    assert connection.next_event() == events.StartTls()
    assert connection.send(replies.START_TLS) == b"220 Go ahead with TLS\r\n"
    assert connection.next_event() is PAUSED
    connection.reset_after_tls()
    assert not connection.has_unread
    connection.receive_data(b"MAIL FROM:<a@b.example>\r\n")
    assert connection.next_event() == events.Faulty(replies.HELLO_FIRST, b"MAIL FROM:<a@b.example>")


def test_a_refused_starttls_changes_nothing() -> None:
    """The session goes on in the clear."""
    connection = greeted()
    connection.receive_data(b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\n")
    connection.next_event()
    connection.accept_hello("mx")
    connection.next_event()
    connection.send(Reply.of(454, "4.7.0", "Not now"))
    assert isinstance(connection.next_event(), events.Mail)


# --- memory -----------------------------------------------------------------------------------------------------


def test_a_gigabyte_of_line_is_no_burden() -> None:
    """What never ends is kept nowhere; content and refused chunks are not kept either."""
    for state in (State.STRANGER, State.CONTENT):
        host = Host()
        host.connection.receive_data(b"")
        host.feed(WAYS[state])
        host.messages.clear()
        for _ in range(50):
            host.connection.receive_data(b"x" * 65536)
            while not isinstance(host.connection.next_event(), events.Wait):
                pass
            assert host.connection.unread <= SETTINGS.max_command_line


def test_a_refused_chunk_of_any_size_is_no_burden() -> None:
    """Its content is thrown away as it comes."""
    host = Host()
    host.feed(b"BDAT 999999999999999999 LAST\r\n")
    for _ in range(50):
        assert host.feed(b"QUIT\r\n" * 10000) == b""
        assert host.connection.unread == 0
