"""Queue ids."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.queueid import ALPHABET, LENGTH, new_queue_id

MOMENTS = st.floats(0, 5e9)


@given(MOMENTS, st.integers())
def test_form(now: float, seed: int) -> None:
    """An id is sixteen characters without look-alikes, at any time until the year 2128."""
    made = new_queue_id(now, Random(seed))
    assert len(made) == LENGTH == 16
    assert set(made) <= set(ALPHABET)
    assert not set(made) & set("0O1Ilo")


@given(MOMENTS, MOMENTS, st.integers())
def test_order(one: float, other: float, seed: int) -> None:
    """Ids sort by the time of arrival."""
    random = Random(seed)
    if abs(one - other) > 1e-5:
        assert (new_queue_id(one, random) < new_queue_id(other, random)) == (one < other)


def test_same_moment() -> None:
    """Ten thousand ids of one microsecond differ."""
    random = Random(1)
    assert len({new_queue_id(1.8e9, random) for _ in range(10_000)}) == 10_000
