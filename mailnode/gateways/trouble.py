"""What goes wrong, by class: an exception or a status of HTTP becomes Delayed or Failed, by tables that a kind can widen.

The nearest class of an exception counts, as with ``except``. What stands in no table is a bug of the gateway: the message
is delayed, so that nobody's mail bounces because of it, and the failure is logged with its traceback.
"""

import socket
from collections.abc import Mapping

from twisted.internet import error
from twisted.internet.defer import TimeoutError as DeferredTimeout

from mailnode.gateways.outcomes import Delayed, Delivered, Failed, Outcome, Trouble
from mailnode.interfaces import Refused

Troubles = Mapping[type[Exception], Delayed | Failed]
"""A kind's own table; the text of an entry may be empty, then the exception's own words are used."""

_UNREACHABLE = Delayed("", "4.4.1", is_unreachable=True)

GENERAL: Troubles = {
    ConnectionError: _UNREACHABLE,
    error.ConnectError: _UNREACHABLE,
    error.ConnectionClosed: Delayed("", "4.4.2", is_unreachable=True),
    error.DNSLookupError: Delayed("", "4.4.3", is_unreachable=True),
    socket.gaierror: Delayed("", "4.4.3", is_unreachable=True),
    TimeoutError: Delayed("", "4.4.2", is_unreachable=True),
    error.TimeoutError: Delayed("", "4.4.2", is_unreachable=True),
    DeferredTimeout: Delayed("", "4.4.2", is_unreachable=True),
    OSError: Delayed("", "4.3.0"),
}
"""What every gateway knows."""

_STATUS: Mapping[int, Outcome] = {
    400: Failed("", "5.6.0"),
    401: Delayed("", "4.7.8"),  # our own credentials: the operator can mend them
    403: Delayed("", "4.7.0"),
    404: Failed("", "5.1.1"),
    405: Failed("", "5.5.1"),
    406: Failed("", "5.6.1"),
    407: Delayed("", "4.7.8"),
    408: Delayed("", "4.4.2"),
    409: Delayed("", "4.5.0"),
    410: Failed("", "5.1.6"),
    413: Failed("", "5.3.4"),
    415: Failed("", "5.6.1"),
    422: Failed("", "5.6.0"),
    423: Delayed("", "4.2.1"),
    425: Delayed("", "4.5.0"),
    429: Delayed("", "4.7.28"),
    451: Failed("", "5.7.1"),
    502: Delayed("", "4.4.1", is_unreachable=True),
    503: Delayed("", "4.3.2", is_unreachable=True),
    504: Delayed("", "4.4.2", is_unreachable=True),
}
_BY_CLASS: Mapping[int, Outcome] = {
    2: Delivered(""),
    3: Delayed("", "4.4.4"),  # a redirect that was not followed
    4: Failed("", "5.0.0"),
    5: Delayed("", "4.3.0"),
}


def classify(problem: Exception, own: Troubles) -> Outcome | None:
    """Say what an exception means; None: it is in no table, so it is a bug."""
    if isinstance(problem, Trouble):
        return problem.outcome
    if isinstance(problem, Refused):  # of a message that it has submitted itself
        text = str(problem.reply)
        return Delayed(text, "4.3.0") if problem.reply.is_transient else Failed(text, "5.3.0")
    for kind in type(problem).__mro__:
        for table in (own, GENERAL):
            if kind in table:
                return _worded(table[kind], str(problem) or type(problem).__name__)
    return None


def http_outcome(
    status: int, text: str = "", *, retry_after: str = "", own: Mapping[int, Outcome] | None = None
) -> Outcome:
    """Say what a status of HTTP means (RFC 9110 section 15); ``retry_after`` is that header's value, seconds only."""
    found = (own or {}).get(status) or _STATUS.get(status) or _BY_CLASS.get(status // 100, Delayed("", "4.5.0"))
    outcome = _worded(found, f"HTTP {status} {text}".strip())
    # "0" would have us come again each second for days: then our own timetable is the better one.
    if isinstance(outcome, Delayed) and retry_after.isascii() and retry_after.isdigit() and int(retry_after[:9]):
        return Delayed(outcome.text, outcome.status, min(float(retry_after), 86400.0), outcome.is_unreachable)
    return outcome


def _worded(outcome: Outcome, text: str) -> Outcome:
    """Give the outcome with the words at hand, if it has none of its own."""
    match outcome:
        case Delivered():
            return Delivered(outcome.text or text)
        case Delayed():
            return Delayed(outcome.text or text, outcome.status, outcome.retry_after, outcome.is_unreachable)
        case Failed():
            return Failed(outcome.text or text, outcome.status)
        case _:
            return outcome
