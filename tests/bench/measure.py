"""Measuring one round of one server: messages a second, processor time a message, peak memory."""

import statistics
import threading
from collections.abc import Callable, Sequence

from attrs import field, frozen

from tests.bench.load import now
from tests.kit import proc


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
        while not self.ended.wait(0.3):
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
