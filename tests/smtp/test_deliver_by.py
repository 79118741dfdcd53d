"""BY is read as RFC 2852 wants it."""

import pytest

from mailnode.mail.address import NULL
from mailnode.smtp.deliver_by import DELIVER_BY
from mailnode.smtp.extensions import MailDraft
from mailnode.smtp.faults import Fault


@pytest.mark.rfc("2852", "4")
def test_by_is_kept_in_one_spelling() -> None:
    """Small letters and a plus are understood."""
    draft = MailDraft(NULL)
    DELIVER_BY.mail["BY"](draft, "+120;rt")
    assert draft.extra == [("BY", "120;RT")]
    assert DELIVER_BY.line == "DELIVERBY"


@pytest.mark.parametrize("value", [None, "120", "0;R", "R;120"])
def test_what_is_wrong_is_501(value: str | None) -> None:
    """No mode, no time to come, nothing at all."""
    with pytest.raises(Fault) as fault:
        DELIVER_BY.mail["BY"](MailDraft(NULL), value)
    assert fault.value.reply.code == 501
