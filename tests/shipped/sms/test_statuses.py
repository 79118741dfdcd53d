"""Tests of what an SMSC's answers mean."""

import pytest

from mailnode.gateways.api import Delayed, Failed
from mailnode.shipped.sms.statuses import Status, named, outcome_of


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (Status.RINVDSTADR, Failed("ESME_RINVDSTADR (0x0B)", "5.1.1")),
        (Status.RTHROTTLED, Delayed("ESME_RTHROTTLED (0x58)", "4.4.5")),
        (Status.RINVSRCADR, Delayed("ESME_RINVSRCADR (0x0A)", "4.3.5")),
        (0x4FF, Delayed("status 0x000004FF", "4.5.0")),
    ],
)
def test_meanings(status: int, meaning: Delayed | Failed) -> None:
    """What is ours to mend is delayed, and so is what nobody knows."""
    assert outcome_of(status, {}) == meaning


def test_every_status_means_something_and_the_operator_has_the_last_word() -> None:
    """No status is without words."""
    for status in Status:
        assert status.name in outcome_of(status, {}).text
    assert outcome_of(Status.RTHROTTLED, {0x58: "failed"}) == Failed(named(0x58), "5.5.0")
    assert outcome_of(Status.RINVDSTADR, {0x0B: "delayed"}) == Delayed(named(0x0B), "4.5.0")
