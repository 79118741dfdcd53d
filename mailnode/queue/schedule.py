"""The timetable: when the next attempt is due, when to warn, when to give up (RFC 5321 section 4.5.4.1). Pure."""

from typing import Protocol

from mailnode.mail.quantity import Seconds
from mailnode.queue.settings import QueueSettings


class Randomness(Protocol):
    """What is asked of ``random.Random``."""

    def random(self) -> float:
        """Give a number from 0 up to, not including, 1."""
        ...


def next_attempt(attempts: int, left: float, settings: QueueSettings, random: Randomness) -> Seconds | None:
    """Tell how long to wait after that many attempts (1 or more); None: give up.

    ``left`` are the seconds until the message expires. The last wait is cut so that one more attempt is made at the end.
    """
    if left <= 0:
        return None
    step = settings.retry[min(attempts, len(settings.retry)) - 1]
    return Seconds(min(_spread(step, settings, random), left))


def is_warning_due(age: float, settings: QueueSettings) -> bool:
    """Tell whether a sender should hear by now that the message is delayed."""
    return 0 < settings.warn_after <= age


def expiry(arrived: float, settings: QueueSettings, *, is_notice: bool) -> float:
    """Tell when to give up on a message that arrived then; a notice has the null reverse-path."""
    return arrived + (settings.bounce_give_up if is_notice else settings.give_up)


def rest(times: int, settings: QueueSettings, random: Randomness) -> Seconds:
    """Tell how long to leave a next hop alone that was found dead that many times in a row (1 or more)."""
    doubled = settings.rest_minimum * 2.0 ** min(times - 1, 32)
    return _spread(min(doubled, settings.rest_maximum), settings, random)


def _spread(wait: float, settings: QueueSettings, random: Randomness) -> Seconds:
    return Seconds(wait * (1 + settings.jitter * (2 * random.random() - 1)))
