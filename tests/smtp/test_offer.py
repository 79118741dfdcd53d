"""What extensions add up to."""

from mailnode.smtp.extensions import EIGHT_BIT_MIME, ENHANCED_STATUS_CODES, STARTTLS, size
from mailnode.smtp.offer import offer_of
from mailnode.smtp.settings import ServerSettings


def test_an_offer_holds_all_its_extensions_bring() -> None:
    """Lines in their order, parameters and verbs of all."""
    offer = offer_of(ServerSettings(), (size(10), EIGHT_BIT_MIME, STARTTLS))
    assert offer.lines == ("SIZE 10", "8BITMIME", "STARTTLS")
    assert set(offer.mail) == {"SIZE", "BODY"}
    assert offer.verbs == {"STARTTLS"}
    assert not offer.with_status
    assert not offer.with_smtputf8


def test_an_offer_is_worked_out_once() -> None:
    """Connections with the same settings and extensions share it."""
    extensions = (ENHANCED_STATUS_CODES,)
    assert offer_of(ServerSettings(), extensions) is offer_of(ServerSettings(), extensions)
