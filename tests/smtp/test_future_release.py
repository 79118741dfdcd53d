"""HOLDFOR and HOLDUNTIL are read as RFC 4865 wants them."""

import pytest

from mailnode.mail.address import NULL
from mailnode.smtp.extensions import MailDraft
from mailnode.smtp.faults import Fault
from mailnode.smtp.future_release import future_release

EXTENSION = future_release(3600, 1_896_080_400.0)


def read(*parameters: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Read parameters of one MAIL."""
    draft = MailDraft(NULL)
    for keyword, value in parameters:
        EXTENSION.mail[keyword](draft, value)
    return draft.extra


@pytest.mark.rfc("4865", "3")
def test_the_line_says_how_long() -> None:
    """EHLO says the longest time, and what that comes to."""
    assert EXTENSION.line == "FUTURERELEASE 3600 2030-01-31T09:00:00Z"


@pytest.mark.rfc("4865", "4")
def test_what_is_asked_for_is_kept() -> None:
    """Seconds stay seconds, moments come out in UTC."""
    assert read(("HOLDFOR", "3600")) == [("HOLDFOR", "3600")]
    assert read(("HOLDUNTIL", "2030-01-31T10:00:00+01:00")) == [("HOLDUNTIL", "2030-01-31T09:00:00Z")]


@pytest.mark.parametrize(
    "parameters",
    [
        [("HOLDFOR", None)],
        [("HOLDFOR", "-1")],
        [("HOLDFOR", "3601")],
        [("HOLDFOR", "1" * 10)],
        [("HOLDUNTIL", None)],
        [("HOLDUNTIL", "tomorrow")],
        [("HOLDUNTIL", "9999-12-31T23:59:59-23:00")],
        [("HOLDFOR", "5"), ("HOLDUNTIL", "2030-01-31T09:00:00Z")],
    ],
)
def test_what_is_wrong_is_501(parameters: list[tuple[str, str | None]]) -> None:
    """Too long, no number, no moment, or both at once."""
    with pytest.raises(Fault) as fault:
        read(*parameters)
    assert (fault.value.reply.code, str(fault.value.reply.status)) == (501, "5.5.4")
