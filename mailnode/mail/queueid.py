"""Queue ids: the name of a message in logs, in the spool and in the sender's reply.

Sixteen characters of an alphabet of 56, without the look-alikes 0 O 1 I l o: nine tell the microsecond of arrival,
most significant first, so that ids sort by age as text; seven are random, so that no two nodes or workers, and no
guess from outside, meet the same one.
"""

from typing import Protocol

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""In ASCII order, so that text order is number order."""

LENGTH = 16
_TIME = 9
_RANDOM_BITS = 40


class RandomBits(Protocol):
    """What is asked of ``random.Random``."""

    def getrandbits(self, count: int, /) -> int:
        """Give that many random bits."""
        ...


def new_queue_id(now: float, random: RandomBits) -> str:
    """Make an id for a message that arrives at ``now`` (seconds since the epoch)."""
    return _digits(int(now * 1_000_000), _TIME) + _digits(random.getrandbits(_RANDOM_BITS), LENGTH - _TIME)


def _digits(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
