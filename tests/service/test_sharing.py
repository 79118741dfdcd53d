"""Tests of how processes share what bounds the node."""

from mailnode.queue.settings import QueueSettings
from mailnode.service.sharing import share_of


def test_workers_share_what_bounds_the_node() -> None:
    """A next hop sees no more connections from two processes than from one; nobody is left without any."""
    queue = QueueSettings(concurrency=500, lane_maximum=1)
    assert share_of(queue, 1) is queue
    assert (share_of(queue, 2).concurrency, share_of(queue, 2).lane_maximum) == (250, 1)
