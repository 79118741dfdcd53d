"""What a message says about TLS, and which sessions it may go over."""

from pathlib import Path
from typing import Any, cast

import pytest
from attrs import evolve

from mailnode.couriers.smtp_requiring import is_relaxed, requires_tls, unfit
from mailnode.couriers.smtp_security import Security
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.message import Message
from mailnode.smtp.peeroffer import PeerOffer
from tests.kit.carrying import SENDER, filed, request
from tests.kit.results import InlineDisk, now

GOOD = Security("TLSv1.3 X", "")


class _Session:
    """What of a session is looked at."""

    def __init__(self, security: Security, *, keeps: bool) -> None:
        self.host = "mx.example"
        self.security = security
        self.offer = PeerOffer(requiretls=keeps)


def _status(security: Security, *, keeps: bool = True) -> str:
    reply = unfit(cast("Any", _Session(security, keeps=keeps)))
    return str(reply.status) if reply else ""


@pytest.mark.rfc("8689", "4.2.1")
def test_which_sessions_are_fit() -> None:
    """Verified TLS to a host that keeps it; or a socket on this very host."""
    assert _status(GOOD) == ""
    assert _status(Security("", "", is_local=True), keeps=False) == ""
    assert _status(GOOD, keeps=False) == "5.7.30"
    assert _status(Security()) == "5.7.10"
    assert _status(evolve(GOOD, trouble="its certificate has expired")) == "5.7.10"


def _message(content: bytes, *, extra: str = "", sender: Mailbox = SENDER) -> Message:
    message = request(content, sender=sender).message
    return evolve(message, envelope=evolve(message.envelope, extra=((extra, ""),) if extra else ()))


@pytest.mark.rfc("8689", "5")
def test_a_notification_is_sent_on_all_the_same() -> None:
    """REQUIRETLS binds mail, and is a wish for a report."""
    assert requires_tls(_message(b"x", extra="REQUIRETLS"))
    assert not requires_tls(_message(b"x", extra="REQUIRETLS", sender=NULL))
    assert not requires_tls(_message(b"x", extra="MT-PRIORITY"))
    assert not requires_tls(_message(b"x"))


@pytest.mark.rfc("8689", "3")
@pytest.mark.parametrize(
    ("header", "relaxed"),
    [
        (b"Subject: x\r\nTLS-Required: No\r\n\r\nx", True),
        (b"tls-required:no\r\nSubject: x\r\n\r\nx", True),
        (b"TLS-Required: Yes\r\n\r\nx", False),
        (b"Subject: TLS-Required: No\r\n\r\nx", False),
        (b"Subject: x\r\n\r\nTLS-Required: No\r\n", False),
        (b"X-TLS-Required: No\r\n\r\nx", False),
    ],
)
def test_the_field(tmp_path: Path, header: bytes, relaxed: bool) -> None:
    """Only the field itself counts, in the header, in memory or in a file."""
    assert now(is_relaxed(_message(header), InlineDisk())) is relaxed
    filed_message = request(filed(tmp_path / "content", header)).message
    assert now(is_relaxed(filed_message, InlineDisk())) is relaxed


@pytest.mark.rfc("8689", "4")
def test_requiretls_goes_before_the_field() -> None:
    """Whoever says both requires TLS."""
    assert not now(is_relaxed(_message(b"TLS-Required: No\r\n\r\nx", extra="REQUIRETLS"), InlineDisk()))
