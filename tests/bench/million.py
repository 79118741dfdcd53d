"""A queue of a million recipients: whether new mail, memory and a restart still cost what they cost without it."""

import subprocess
import sys

from attrs import frozen

from tests.bench.hops import NextHops
from tests.bench.load import Load
from tests.bench.measure import Spread, measure, now
from tests.bench.server import Server
from tests.bench.site import SINK
from tests.kit import proc
from tests.kit.waiting import until

_DUE_NOW = 1000
_FILL_SECONDS = 900.0


@frozen
class FullQueue:
    """What a full queue does to a node."""

    recipients: int
    empty: Spread
    """Messages a second that it accepts and relays with an empty queue."""
    full: Spread
    """The same with the full queue."""
    memory: int
    """Octets (PSS) at most with the full queue under that load."""
    first_attempt: float
    """Seconds from the start of the process to the first message at a next hop, with the full queue."""
    fill_seconds: float
    """How long it took to put them there."""


def measure_queue(server: Server, hops: NextHops, load: Load, recipients: int, rounds: int) -> FullQueue:
    """Measure a node (which runs, with an empty queue), fill its queue while it is down, and measure it again."""

    def rates() -> tuple[Spread, int]:
        load.run(server)
        measured = [measure(server.pid, load.messages, lambda: load.run(server)) for _ in range(rounds)]
        return Spread.of([one.rate for one in measured]), max(one.memory for one in measured)

    empty, _ = rates()
    server.stop()
    begun = now()
    sink = f"[{hops.addresses[SINK]}]:{hops.port}"
    command = [sys.executable, "-m", "tests.bench.fill", str(server.folder), str(recipients), str(_DUE_NOW), sink]
    subprocess.run(command, check=True, timeout=_FILL_SECONDS)
    filled, before, begun = now() - begun, hops.messages, now()
    server.launch()
    until(lambda: hops.messages > before, load.patience, lambda: f"nothing is sent: {server.log()}")
    first_attempt = now() - begun
    until(lambda: hops.messages >= before + _DUE_NOW // 100, load.patience, "what is due is not sent")
    full, memory = rates()
    return FullQueue(recipients, empty, full, max(memory, proc.memory(server.pid)), first_attempt, filled)
