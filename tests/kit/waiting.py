"""Waiting for another process, with an end: the one place in the tests that looks at the real clock."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STEP = 0.02


class TookTooLong(AssertionError):  # noqa: N818 - reads as what happened
    """What was waited for did not come about in time."""


def until(condition: Callable[[], T], seconds: float, what: str | Callable[[], str]) -> T:
    """Ask ``condition`` until it gives something true, and give that; TookTooLong after ``seconds``.

    ``what`` says what was expected, best as a function that also tells how far it came.
    """
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TookTooLong(f"after {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(_STEP)
