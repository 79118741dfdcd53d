"""Measuring one round of one server: messages a second, processor time a message, peak memory."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence

from attrs import field, frozen

from tests.kit import proc

_SAMPLE_SECONDS = 0.3


@frozen
class Round:
    """What one round cost."""

    rate: float
    """Messages a second, from the first connection until the last message has arrived."""
    cpu: float
    """Milliseconds of processor time a message, of all the server's processes."""
    memory: int
    """The most octets (PSS) that the server's processes held."""


@frozen
class Spread:
    """Median, least and most of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Sum up values."""
        return cls(statistics.median(values), min(values), max(values))


@frozen
class _Watch:
    """Samples the memory of a process tree until told to stop."""

    pid: int
    samples: list[int] = field(factory=list)
    ended: threading.Event = field(factory=threading.Event)

    def run(self) -> None:
        while not self.ended.wait(_SAMPLE_SECONDS):
            self.samples.append(proc.memory(self.pid))


def measure(pid: int, messages: int, work: Callable[[], None]) -> Round:
    """Do ``work`` and say what it cost the process tree at ``pid``."""
    watch = _Watch(pid)
    thread = threading.Thread(target=watch.run)
    cpu, begun = proc.cpu_seconds(pid), now()
    thread.start()
    try:
        work()
        seconds = now() - begun
    finally:
        watch.ended.set()
        thread.join()
    spent = proc.cpu_seconds(pid) - cpu
    return Round(messages / seconds, 1000 * spent / messages, max([*watch.samples, proc.memory(pid)]))


def now() -> float:
    """Give the seconds of a clock that only goes forward."""
    return time.monotonic()
