"""FUTURERELEASE: a message that waits before it is sent (RFC 4865), for submission only.

``HOLDFOR=seconds`` or ``HOLDUNTIL=date-time``, not both. What the machine can judge without a clock it judges; whether a
moment lies in the past or too far ahead is the door's to say.
"""

from mailnode.mail.reply import Reply
from mailnode.mail.wishes import HOLD_FOR, HOLD_UNTIL, moment_text, parse_moment
from mailnode.smtp.extensions import Extension, MailDraft
from mailnode.smtp.faults import Fault

_TWICE = Reply.of(501, "5.5.4", "HOLDFOR and HOLDUNTIL do not go together")
_NO_INTERVAL = Reply.of(501, "5.5.4", "HOLDFOR is a number of seconds")
_NO_MOMENT = Reply.of(501, "5.5.4", "HOLDUNTIL is a date and time such as 2030-01-31T09:00:00Z")


def too_long(most: int) -> Reply:
    """Say how long a message may be held."""
    return Reply.of(501, "5.5.4", f"A message is held for at most {most} seconds")


def future_release(most: int, latest: float) -> Extension:
    """Make FUTURERELEASE: messages are held for at most ``most`` seconds; ``latest`` is what that comes to now."""

    def hold_for(draft: MailDraft, value: str | None) -> None:
        _only_once(draft)
        if value is None or not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise Fault(_NO_INTERVAL)
        if int(value) > most:
            raise Fault(too_long(most))
        draft.extra.append((HOLD_FOR, value))

    return Extension(
        "FUTURERELEASE", f"{most} {moment_text(latest)}", mail={HOLD_FOR: hold_for, HOLD_UNTIL: _hold_until}
    )


def _hold_until(draft: MailDraft, value: str | None) -> None:
    _only_once(draft)
    try:
        draft.extra.append((HOLD_UNTIL, moment_text(parse_moment(value or ""))))
    except (ValueError, OverflowError):
        raise Fault(_NO_MOMENT) from None


def _only_once(draft: MailDraft) -> None:
    if any(keyword in (HOLD_FOR, HOLD_UNTIL) for keyword, _ in draft.extra):
        raise Fault(_TWICE)
