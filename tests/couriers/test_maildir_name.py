"""Unique names."""

import os
import re
from random import Random

from twisted.internet.task import Clock

from mailnode.couriers.maildir_name import UniqueNames


def names(hostname: str = "mx.example.org") -> UniqueNames:
    """Make names at a certain moment."""
    clock = Clock()
    clock.advance(1_700_000_000.25)
    return UniqueNames(hostname, clock, Random(1))


def test_a_name_says_when_who_and_where() -> None:
    """Second, microsecond, process, count, randomness and host stand in the name."""
    pattern = rf"1700000000\.M250000P{os.getpid()}Q1_[0-9a-f]{{8}}\.mx\.example\.org"
    assert re.fullmatch(pattern, names().next())


def test_names_of_one_moment_differ() -> None:
    """The count keeps names apart when the clock stands still."""
    made = names()
    assert len({made.next() for _ in range(1000)}) == 1000


def test_the_host_cannot_break_the_name() -> None:
    """A slash or colon in the host's name is written as its octal code."""
    assert names("a/b:c").next().endswith(".a\\057b\\072c")


def test_names_are_in_the_order_of_time() -> None:
    """A later message has a greater name, however few microseconds the second has had."""
    clock = Clock()
    clock.advance(1_700_000_000.0125)
    made = UniqueNames("mx.example.org", clock, Random(1))
    first = made.next()
    clock.advance(0.1)
    assert first < made.next()
