"""W3C Trace Context: which trace a message belongs to, told by its queue id alone.

Nothing is made at reception, so ordinary mail pays nothing: the trace id is a digest of the queue id, and everyone who
knows the id knows the trace. A message that came with a ``traceparent`` of its own (from HTTP, from a broker) goes on in
that trace.
"""

import hashlib
import re

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def trace_id(traceparent: str) -> str:
    """Take the trace id out of a traceparent; empty for what is none (W3C Trace Context section 3.2)."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or found[1] == "ff" or not int(found[2], 16) or not int(found[3], 16):
        return ""
    return found[2]


def traceparent_of(queue_id: str, *parts: str, given: str = "") -> str:
    """Give the traceparent of one step of a message: the same step has the same span on every call."""
    trace = trace_id(given) or hashlib.sha256(f"trace {queue_id}".encode()).hexdigest()[:32]
    span = hashlib.sha256("\0".join((queue_id, *parts)).encode("utf-8", "replace")).hexdigest()[:16]
    return f"00-{trace}-{span}-01"
