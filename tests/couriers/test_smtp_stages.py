"""Tests of what a session waits for, and for how long."""

from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.couriers.smtp_stages import WAITING_FOR, times_of
from mailnode.smtp.clientevents import Stage


def test_every_stage_has_words_and_a_limit() -> None:
    """No stage is without a time limit, nor without words for a peer that leaves in it."""
    assert set(WAITING_FOR) == set(times_of(SmtpTimes())) == set(Stage)
