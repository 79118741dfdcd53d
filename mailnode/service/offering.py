"""What a listener offers beyond what all of them do, and its own bounds: those of submission differ (RFC 6409 section 7)."""

from attrs import evolve
from twisted.internet.interfaces import IReactorTime

from mailnode.mail.quantity import Octets
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.sessions.settings import SessionSettings
from mailnode.smtp.deliver_by import DELIVER_BY
from mailnode.smtp.extensions import Extension
from mailnode.smtp.future_release import future_release
from mailnode.smtp.mt_priority import MT_PRIORITY

HOUR = 3600


def session_for(listener: ListenerSettings, settings: NodeSettings) -> SessionSettings:
    """Give the bounds of a session on this listener."""
    most = settings.submission.max_recipients if listener.service == "submission" else 0
    return evolve(settings.session, max_recipients=most) if most else settings.session


def max_size_for(listener: ListenerSettings, settings: NodeSettings) -> Octets:
    """Give the most octets of one message on this listener."""
    return listener.max_size or settings.reception.max_size


class SubmissionOffer:
    """Gives the extensions for submission: one of them says a date, and must be made anew as time goes by."""

    def __init__(self, settings: SubmissionSettings, clock: IReactorTime) -> None:
        self._settings = settings
        self._clock = clock
        self._hour = -1
        self._extensions: tuple[Extension, ...] = ()

    def __call__(self) -> tuple[Extension, ...]:
        """Give them as they are in this hour."""
        hour = int(self._clock.seconds() // HOUR)
        if hour != self._hour:
            self._hour = hour
            self._extensions = tuple(self._made(float(hour * HOUR)))
        return self._extensions

    def _made(self, now: float) -> list[Extension]:
        settings = self._settings
        longest = int(settings.max_hold)
        offered = [future_release(longest, now + longest)] if longest else []
        if settings.deliver_by:
            offered.append(DELIVER_BY)
        if settings.priority:
            offered.append(MT_PRIORITY)
        return offered
