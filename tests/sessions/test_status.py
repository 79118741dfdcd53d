"""HELP STATUS tells of one's own session."""

from mailnode.mail.message import Peer
from mailnode.sessions.status import status_reply


def test_it_tells_who_one_is_and_what_was_done() -> None:
    """Address, name, account, encryption, messages, transaction."""
    peer = Peer("192.0.2.1", hello="a.example", account="ann@b.example", tls="TLSv1.3")
    reply = status_reply("mx.example", peer, accepted=2, has_transaction=True, recipients=3)
    assert reply.code == 211
    assert reply.lines == (
        "mx.example speaks SMTP with you",
        "You come from 192.0.2.1 and called yourself a.example, as ann@b.example",
        "Encryption: TLSv1.3",
        "Messages taken in this session: 2",
        "A mail transaction is open, recipients: 3",
    )


def test_a_local_stranger() -> None:
    """Nothing is said of what is not known."""
    reply = status_reply("mx.example", Peer("", service="lmtp"), accepted=0, has_transaction=False, recipients=0)
    assert reply.lines[:2] == ("mx.example speaks LMTP with you", "You come from this host")
