"""What else the machine did meanwhile: the more of it, the less its rates say.

Others' work falls on all servers in turn, but not evenly: a server of many processes gets more turns of a processor that
is fought for than a server of one. Processor time a message does not suffer from that.
"""

import os
from pathlib import Path

from attrs import field, frozen

from tests.bench.measure import now
from tests.kit import proc

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)
"""Fields of /proc/stat's first line in which nothing was done: idle and iowait (proc_stat(5))."""


def busy_seconds(stat: str) -> float:
    """Add up the processor time that all cores have worked, from the text of /proc/stat."""
    fields = [int(text) for text in stat.split("\n", 1)[0].split()[1:9]]  # guests are in user time already
    return sum(ticks for number, ticks in enumerate(fields) if number not in _IDLE) / _TICK


def _all_busy() -> float:
    return busy_seconds(Path("/proc/stat").read_text())


def _ours() -> float:
    return proc.cpu_seconds(os.getpid())


@frozen
class Neighbors:
    """Counts from when it is made."""

    _begun: float = field(factory=now)
    _busy: float = field(factory=_all_busy)
    _spent: float = field(factory=_ours)

    @property
    def share(self) -> float:
        """Give the part of all cores' time that work which is not ours has taken since then."""
        others = (_all_busy() - self._busy) - (_ours() - self._spent)
        return max(0.0, others) / ((now() - self._begun) * (os.cpu_count() or 1))
