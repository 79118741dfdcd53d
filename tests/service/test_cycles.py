"""The search for cycles is called seldom, and what is there from the start is left out."""

import gc
from collections.abc import Iterator

import pytest

from mailnode.service.cycles import MOST_NEW, search_seldom, spare_what_is


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_young_objects_are_searched_less_often() -> None:
    """Only the first number changes: how many new objects it takes."""
    _, *others = gc.get_threshold()
    search_seldom()
    assert gc.get_threshold() == (MOST_NEW, *others)


def test_what_is_there_is_left_out() -> None:
    """What lives when the start is over is not searched again; what comes later is."""
    before: list[object] = []
    spare_what_is()
    after: list[object] = []
    searched = {id(one) for one in gc.get_objects()}
    assert id(before) not in searched
    assert id(after) in searched
