"""REQUIRETLS is a parameter without a value, and travels on with the envelope."""

import pytest

from mailnode.mail.address import NULL
from mailnode.mail.envelope import Envelope
from mailnode.smtp.extensions import MailDraft
from mailnode.smtp.faults import Fault
from mailnode.smtp.requiretls import REQUIRETLS


@pytest.mark.rfc("8689", "2")
def test_it_is_kept_in_the_envelope() -> None:
    """The envelope tells it, after the parameter was read."""
    draft = MailDraft(NULL)
    REQUIRETLS.mail["REQUIRETLS"](draft, None)
    assert Envelope(NULL, extra=tuple(draft.extra)).requires_tls
    assert not Envelope(NULL, extra=(("MT-PRIORITY", "3"),)).requires_tls
    assert REQUIRETLS.line == "REQUIRETLS"


@pytest.mark.rfc("8689", "2")
def test_it_has_no_value() -> None:
    """A value is 501."""
    with pytest.raises(Fault) as fault:
        REQUIRETLS.mail["REQUIRETLS"](MailDraft(NULL), "yes")
    assert fault.value.reply.code == 501
