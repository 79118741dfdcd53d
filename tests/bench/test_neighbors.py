"""How the bench tells what else the machine did."""

import os

from tests.bench.neighbors import busy_seconds


def test_waiting_is_no_work() -> None:
    """Time in which a core was idle or waited for the disk is not counted, and a guest's time is not counted twice."""
    tick = os.sysconf("SC_CLK_TCK")
    text = f"cpu  {3 * tick} 0 {2 * tick} {900 * tick} {50 * tick} 0 {tick} 0 {3 * tick} 0\ncpu0 1 2 3\n"
    assert busy_seconds(text) == 6.0
