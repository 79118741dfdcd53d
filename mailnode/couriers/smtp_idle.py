"""Sessions kept open for the next message to the same next hop."""

from mailnode.couriers.smtp_session import SmtpSession
from mailnode.mail.route import Lane


class IdleSessions:
    """Idle sessions by lane; a session leaves by being taken, by its own time limit, or when its peer hangs up."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lane_of: dict[SmtpSession, Lane] = {}
        self._of_lane: dict[Lane, dict[SmtpSession, None]] = {}

    def take(self, lane: Lane) -> SmtpSession | None:
        """Give the session that was used last, if one is left."""
        while lane in self._of_lane:
            session = next(reversed(self._of_lane[lane]))
            self.forget(session)
            if session.is_ready:
                return session
        return None

    def put(self, lane: Lane, session: SmtpSession) -> bool:
        """Keep a session that is ready; False when there are too many already."""
        if len(self._lane_of) >= self._limit:
            return False
        self._lane_of[session] = lane
        self._of_lane.setdefault(lane, {})[session] = None
        return True

    def forget(self, session: SmtpSession) -> None:
        """Let go of a session, if it is here."""
        lane = self._lane_of.pop(session, None)
        if lane is not None:
            sessions = self._of_lane[lane]
            del sessions[session]
            if not sessions:
                del self._of_lane[lane]
