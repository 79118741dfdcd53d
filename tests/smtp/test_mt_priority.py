"""MT-PRIORITY is read as RFC 6710 wants it."""

import pytest

from mailnode.mail.address import NULL
from mailnode.smtp.extensions import MailDraft
from mailnode.smtp.faults import Fault
from mailnode.smtp.mt_priority import MT_PRIORITY


@pytest.mark.rfc("6710", "4")
def test_a_priority_is_kept() -> None:
    """From -9 to 9."""
    draft = MailDraft(NULL)
    MT_PRIORITY.mail["MT-PRIORITY"](draft, "-9")
    assert draft.extra == [("MT-PRIORITY", "-9")]


@pytest.mark.parametrize("value", [None, "10", "+3", "high"])
def test_what_is_wrong_is_501(value: str | None) -> None:
    """All else is a fault."""
    with pytest.raises(Fault) as fault:
        MT_PRIORITY.mail["MT-PRIORITY"](MailDraft(NULL), value)
    assert fault.value.reply.code == 501
