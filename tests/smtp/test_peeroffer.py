"""What a server offers is read from its EHLO reply, whatever stands there."""

import pytest

from mailnode.mail.reply import Reply
from mailnode.smtp.peeroffer import PeerOffer


def _offer(*lines: str) -> PeerOffer:
    return PeerOffer.of(Reply(250, ("mx.example greets you", *lines)))


def test_the_first_line_is_no_extension() -> None:
    """The greeting offers nothing, whatever its words."""
    assert PeerOffer.of(Reply(250, ("PIPELINING",))) == PeerOffer()


def test_extensions_are_found_in_any_case() -> None:
    """Keywords are the same in any case."""
    offer = _offer("pipelining", "8BitMime", "SMTPUTF8", "DSN", "StartTLS", "SIZE 1000")
    assert offer.pipelining
    assert offer.eight_bit
    assert offer.smtputf8
    assert offer.dsn
    assert offer.starttls
    assert offer.has_size
    assert offer.size_limit == 1000


@pytest.mark.rfc("1870", "3")
@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE much", "SIZE -5", "SIZE " + "9" * 30])
def test_size_without_a_number_is_no_limit(line: str) -> None:
    """SIZE without a usable number still means that the parameter is understood."""
    offer = _offer(line)
    assert offer.has_size
    assert offer.size_limit == 0


@pytest.mark.rfc("9422", "3")
def test_limits_are_read_and_nonsense_among_them_ignored() -> None:
    """Known limits are taken, unknown and broken ones passed over."""
    offer = _offer("LIMITS MAILMAX=20 rcptmax=50 RCPTDOMAINMAX=x OTHER=1 =5 MAILMAX2")
    assert (offer.mail_max, offer.rcpt_max, offer.domain_max) == (20, 50, 0)
