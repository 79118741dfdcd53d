"""Unique names for files in a Maildir, as its specification wants them.

``1700000000.M123456P4242Q7_5f3a9c01.mx.example.org``: the second, then what makes it unique on this host (microsecond,
process, count, randomness of the process), then the host. In ``new/`` and ``cur/`` ``,S=<octets>`` is added, from which Dovecot and the
quota of Maildir++ learn the size without opening the file. The microsecond has six digits always, so that names in their
order are messages in theirs.
"""

import itertools
import os
from random import Random

from twisted.internet.interfaces import IReactorTime


class UniqueNames:
    """Gives names that no other delivery on this host gives; may be used from several threads."""

    def __init__(self, hostname: str, clock: IReactorTime, random: Random) -> None:
        self._host = hostname.replace("\\", "\\134").replace("/", "\\057").replace(":", "\\072")
        self._clock = clock
        self._chance = f"{random.getrandbits(32):08x}"
        self._count = itertools.count(1)

    def next(self) -> str:
        """Give the next name, without a size."""
        second, part = divmod(self._clock.seconds(), 1)
        return f"{int(second)}.M{int(part * 1e6):06}P{os.getpid()}Q{next(self._count)}_{self._chance}.{self._host}"
