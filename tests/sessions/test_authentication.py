"""A listener's side of AUTH: when it is offered, and what an exchange does to the session."""

from typing import Any

import pytest
from attrs import evolve

from mailnode.interfaces import Authenticated, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.sessions.authentication import Authentication, reply_for
from mailnode.smtp import replies

PEER = Peer("192.0.2.1", listener="sub")
SECURE = evolve(PEER, tls="TLSv1.3")


class Staged:
    """An authority that believes everybody."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Name one."""
        return ("PLAIN",)

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, peer: Peer, mechanism: str) -> Any:
        """Begin."""
        self.begun.append(mechanism)


@pytest.mark.rfc("4954", "4")
@pytest.mark.parametrize(
    ("peer", "without_tls", "is_offered"),
    [(PEER, False, False), (SECURE, False, True), (PEER, True, True), (Peer("", user="ann"), False, True)],
)
def test_it_is_offered_where_nobody_listens_in(peer: Peer, without_tls: bool, is_offered: bool) -> None:
    """Under TLS, on this machine, or where the settings say so; elsewhere the command is 538."""
    authority = Staged()
    made = Authentication(authority, without_tls)
    assert made.extension(peer).is_said == is_offered
    assert made.extension(peer).verbs == ("AUTH",)
    if is_offered:
        made.begin(peer, "PLAIN")
        assert authority.begun == ["PLAIN"]
        return
    with pytest.raises(Refused) as raised:
        made.begin(peer, "PLAIN")
    assert raised.value.reply == replies.ENCRYPTION_REQUIRED


def test_nobody_authenticates_twice() -> None:
    """Nor does one whom a front has vouched for."""
    with pytest.raises(Refused) as raised:
        Authentication(Staged()).begin(evolve(SECURE, account="ann@example.org"), "PLAIN")
    assert raised.value.reply == replies.AUTH_TWICE


def test_what_an_exchange_says_becomes_a_reply() -> None:
    """A challenge is 334 and base64, the end 235."""
    assert str(reply_for(Challenge(b"\0\xff"))) == "334 AP8="
    assert reply_for(Challenge()).lines == ("",)
    assert reply_for(Authenticated("ann@example.org")) == replies.AUTHENTICATED
