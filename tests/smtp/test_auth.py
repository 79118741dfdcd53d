"""AUTH in the server's machine: how it is read, what is never shown, and that nothing in it makes it stumble."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.reply import Reply
from mailnode.smtp import events, replies
from mailnode.smtp.events import NEED_DATA
from mailnode.smtp.extensions import auth, standard_extensions
from mailnode.smtp.offer import MAX_AUTH_LINE
from mailnode.smtp.server import ServerConnection
from mailnode.smtp.states import State
from tests.kit.machine import SETTINGS, Host

EXTENSIONS = (*standard_extensions(SETTINGS), auth(("PLAIN", "LOGIN")))

LINES = [
    b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b"AUTH PLAIN AGFubkBkLmV4YW1wbGUAc2VjcmV0\r\n", b"AUTH PLAIN =\r\n", b"AUTH\r\n",
    b"AUTH X YQ==\r\n", b"YW5uQGQuZXhhbXBsZQ==\r\n", b"c2VjcmV0\r\n", b"*\r\n", b"=\r\n", b"\r\n", b"\n", b"EHLO x\r\n", b"NOOP\r\n",
    b"MAIL FROM:<a@b.example> AUTH=<>\r\n", b"RSET\r\n", b"QUIT\r\n", b"A" * 3000 + b"\r\n", b"A" * 13_000 + b"\r\n",
]  # fmt: skip

garbage = st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=30)), max_size=12).map(b"".join)


@given(garbage, st.lists(st.integers(0, 300), max_size=6))
def test_no_exchange_minds_garbage(octets: bytes, cuts: list[int]) -> None:
    """Any octets, cut anywhere, give the same events and replies; nothing is left unanswered."""
    octets = b"EHLO x\r\n" + octets
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    whole, cut = Host(extensions=EXTENSIONS), Host(extensions=EXTENSIONS)
    whole.feed(octets)
    cut.feed_all(octets[start:end] for start, end in itertools.pairwise(places))
    assert cut.events == whole.events
    assert cut.said == whole.said
    assert whole.connection.next_event() is NEED_DATA
    assert whole.connection.unread <= MAX_AUTH_LINE


def test_no_secret_is_shown() -> None:
    """Neither a response nor a line that may have been meant as one is in what an event shows of itself."""
    host = Host(extensions=EXTENSIONS)
    host.feed(b"EHLO x\r\nAUTH PLAIN AGFubkBkLmV4YW1wbGUAc2VjcmV0eA==\r\nAUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\n")
    host.feed(b"AUTH PLAIN\r\nnot-base64-c2VjcmV0\r\nAUTH PLAIN AGFub-c2VjcmV0\r\nAUTH PLAIN c2VjcmV0 c2VjcmV0\r\n")
    assert [type(event) for event in host.events[1:]] == [
        events.Authenticate, events.Authenticate, events.AuthResponse, events.Authenticate, events.Faulty, events.Faulty,
        events.Faulty,
    ]  # fmt: skip
    shown = repr(host.events)
    assert "secret" not in shown
    assert "c2VjcmV0" not in shown


@pytest.mark.rfc("3207", "4.2")
@pytest.mark.rfc("4954", "4")
def test_what_is_offered_may_change() -> None:
    """AUTH comes with TLS; who has authenticated before is a stranger after a new beginning."""
    connection = ServerConnection(SETTINGS, (*standard_extensions(SETTINGS), auth(())))
    connection.greet(Reply(220, ("hi",)))
    connection.receive_data(b"EHLO x\r\n")
    connection.next_event()
    assert b"AUTH" not in connection.accept_hello("x")
    connection.change_offer(EXTENSIONS)
    for _ in range(2):
        connection.reset_after_tls()
        connection.receive_data(b"EHLO x\r\nAUTH PLAIN AA==\r\n")
        connection.next_event()
        assert b"AUTH PLAIN LOGIN\r\n" in connection.accept_hello("x")
        assert connection.next_event() == events.Authenticate("PLAIN", b"\0")
        connection.send(replies.AUTHENTICATED)
        connection.receive_data(b"AUTH PLAIN AA==\r\n")
        assert connection.next_event() == events.Faulty(replies.AUTH_TWICE, b"AUTH")
        connection.send(replies.AUTH_TWICE)


def test_421_within_an_exchange_ends_the_session() -> None:
    """Nothing is read after it."""
    connection = ServerConnection(SETTINGS, EXTENSIONS)
    connection.greet(Reply(220, ("hi",)))
    connection.receive_data(b"EHLO x\r\nAUTH PLAIN\r\n")
    connection.next_event()
    connection.accept_hello("x")
    connection.next_event()
    connection.send(Reply(334, ("",)))
    assert connection.state.value == State.CHALLENGED.value
    connection.receive_data(b"AA==\r\nNOOP\r\n")
    assert connection.next_event() == events.AuthResponse(b"\0")
    connection.send(replies.CLIENT_LOCKED_OUT)
    assert connection.state.value == State.CLOSED.value
    assert connection.next_event() is NEED_DATA
