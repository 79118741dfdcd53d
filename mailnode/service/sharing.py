"""What bounds a node as a whole, divided between its processes, none of which knows what the others do."""

import math

from attrs import evolve

from mailnode.queue.settings import QueueSettings

_DIVIDED = ("concurrency", "lane_maximum", "active_recipients", "lane_recipients", "active_content")
"""Settings of the queue that count for all workers together."""


def share_of(queue: QueueSettings, workers: int) -> QueueSettings:
    """Divide what bounds the node as a whole between its workers, so that a next hop does not see twice the limit."""
    if workers == 1:
        return queue
    return evolve(queue, **{name: math.ceil(getattr(queue, name) / workers) for name in _DIVIDED})
