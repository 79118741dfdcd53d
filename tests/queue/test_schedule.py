"""The timetable."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.quantity import Seconds
from mailnode.queue.schedule import expiry, is_warning_due, next_attempt, rest
from mailnode.queue.settings import QueueSettings

SETTINGS = QueueSettings()


@pytest.mark.rfc("5321", "4.5.4.1")
@given(st.integers(1, 1000), st.floats(1, 1e7), st.integers())
def test_next_attempt(attempts: int, left: float, seed: int) -> None:
    """A wait is that of its turn within the jitter, the last for all later turns, and never beyond the end."""
    wait = next_attempt(attempts, left, SETTINGS, Random(seed))
    assert wait is not None
    step = SETTINGS.retry[attempts - 1] if attempts <= 6 else SETTINGS.retry[-1]
    assert wait <= left
    assert wait == left or step * 0.9 <= wait <= step * 1.1


@pytest.mark.parametrize("left", [0.0, -1.0, -1e9])
def test_give_up(left: float) -> None:
    """When no time is left, there is no next attempt."""
    assert next_attempt(1, left, SETTINGS, Random(1)) is None


@pytest.mark.parametrize(
    ("warn_after", "age", "due"), [(60, 59, False), (60, 60, True), (60, 61, True), (0, 1e9, False)]
)
def test_warning(warn_after: float, age: float, due: bool) -> None:
    """A warning is due from its time on, and never when it is turned off."""
    assert is_warning_due(age, QueueSettings(warn_after=Seconds(warn_after))) is due


def test_expiry() -> None:
    """A notice is given up sooner than a message."""
    assert expiry(1000, SETTINGS, is_notice=False) == 1000 + 5 * 86400
    assert expiry(1000, SETTINGS, is_notice=True) == 1000 + 86400


@given(st.integers(1, 10_000), st.integers())
def test_rest(times: int, seed: int) -> None:
    """Rests double from the shortest to the longest."""
    seconds = rest(times, SETTINGS, Random(seed))
    expected = min(60 * 2 ** min(times - 1, 20), 1800)
    assert expected * 0.9 <= seconds <= expected * 1.1


@pytest.mark.parametrize(
    "wrong",
    [
        {"retry": ()},
        {"retry": (Seconds(0),)},
        {"jitter": 1.0},
        {"jitter": -0.1},
        {"concurrency": 0},
        {"lane_maximum": 0},
        {"recipients_per_request": 0},
        {"claim_batch": 0},
        {"lease": Seconds(60)},
    ],
)
def test_wrong_settings(wrong: dict[str, object]) -> None:
    """Settings that cannot work are refused with a word on what would."""
    with pytest.raises(ValueError, match=r"expected|longer"):
        QueueSettings(**wrong)  # type: ignore[arg-type]
