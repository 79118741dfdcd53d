"""Tests of what trouble means."""

from math import nan

import pytest
from twisted.internet import error

from mailnode.gateways.outcomes import Delayed, Delivered, Failed, Outcome, Trouble, outcome_of
from mailnode.gateways.trouble import classify, http_outcome
from mailnode.interfaces import Refused
from mailnode.mail.outcome import Delayed as MailDelayed
from mailnode.smtp import replies


class Odd(ConnectionError):  # noqa: N818 - names of libraries are what they are
    """A library's own."""


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        (ConnectionRefusedError("no"), Delayed("no", "4.4.1", is_unreachable=True)),
        (error.ConnectionRefusedError("no").__class__("no"), None),
        (TimeoutError(), Delayed("TimeoutError", "4.4.2", is_unreachable=True)),
        (Odd("odd"), Failed("odd", "5.1.1")),
        (Trouble(Failed("x", "5.2.2")), Failed("x", "5.2.2")),
        (Refused(replies.TOO_BUSY), Delayed(str(replies.TOO_BUSY), "4.3.0")),
    ],
)
def test_exceptions_by_table(problem: Exception, outcome: Outcome | None) -> None:
    """The nearest class counts, a kind's own table first."""
    found = classify(problem, {Odd: Failed("", "5.1.1")})
    if outcome is not None:
        assert found == outcome
    else:
        assert isinstance(found, Delayed)


def test_a_bug_is_in_no_table() -> None:
    """Whoever asks must not bounce because of it."""
    assert classify(ZeroDivisionError(), {}) is None


@pytest.mark.parametrize(
    ("status", "kind", "enhanced"),
    [
        (204, Delivered, ""), (301, Delayed, "4.4.4"), (401, Delayed, "4.7.8"), (404, Failed, "5.1.1"),
        (413, Failed, "5.3.4"), (418, Failed, "5.0.0"), (429, Delayed, "4.7.28"), (500, Delayed, "4.3.0"),
        (503, Delayed, "4.3.2"), (999, Delayed, "4.5.0"),
    ],
)  # fmt: skip
def test_statuses_of_http(status: int, kind: type, enhanced: str) -> None:
    """What can be mended or passes by itself is Delayed."""
    outcome = http_outcome(status)
    assert isinstance(outcome, kind)
    assert getattr(outcome, "status", "") == enhanced


def test_retry_after_is_taken_within_reason() -> None:
    """Seconds count, dates do not, nothing would be each second, and a day is the most."""
    waits = [http_outcome(503, retry_after=text) for text in ("30", "99999999", "0", "Fri, 01 Jan 2027", "")]
    assert [one.retry_after for one in waits if isinstance(one, Delayed)] == [30.0, 86400.0, None, None, None]


@pytest.mark.parametrize(("said", "waits"), [(-5.0, 1.0), (0.0, 1.0), (30.0, 30.0), (1e300, 604800.0), (nan, None)])
def test_a_wait_is_kept_within_bounds(said: float, waits: float | None) -> None:
    """Neither at once nor never, whatever a gateway has computed."""
    outcome = outcome_of(Delayed("x", "4.2.0", said), "chat")
    assert isinstance(outcome, MailDelayed)
    assert outcome.retry_after == waits


def test_a_status_of_the_wrong_class_is_mended() -> None:
    """An author's slip does not make a Delayed permanent."""
    outcome = outcome_of(Delayed("x", "5.1.1"), "chat")
    assert isinstance(outcome, MailDelayed)
    assert str(outcome.reply) == "451 4.1.1 chat: x"
    assert str(outcome_of(Failed("x", "nonsense"), "chat").reply) == "550 5.0.0 chat: x"
