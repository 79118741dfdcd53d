"""The times by which messages are to be delivered: each is looked at when its time is over, even if its lane rests (RFC 2852).

A dead host's lane is left alone, for up to half an hour, and nothing of it is claimed meanwhile. A sender who has set a time is to
hear when it is over and not then. So whoever passes through memory with a deadline is noted here, and at its time made due once
more, which opens its lane. What is noted is lost with the process: after a restart a message is noted again when it is next
claimed, and one whose lane rests just then is returned when the rest is over.
"""

from collections.abc import Callable

from attrs import Factory, define
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mailnode.mail.message import Message
from mailnode.mail.wishes import FOREVER, deadline_of

MOST = 10_000
"""Messages that are noted; those beyond it are looked at in their lane's own time."""

_JUST_AFTER = 0.01


@define
class Deadlines:
    """Calls ``over`` with a queue id when the message's time is over."""

    clock: IReactorTime
    over: Callable[[str], None]
    _calls: dict[str, IDelayedCall] = Factory(dict)

    def note(self, message: Message) -> None:
        """Remember the message until its time is over; one without a deadline costs nothing."""
        if not message.envelope.extra or message.queue_id in self._calls or len(self._calls) >= MOST:
            return
        left = deadline_of(message) - self.clock.seconds()
        if 0 < left < FOREVER:
            self._calls[message.queue_id] = self.clock.callLater(left + _JUST_AFTER, self._is_over, message.queue_id)

    def stop(self) -> None:
        """Forget all."""
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()

    def _is_over(self, queue_id: str) -> None:
        del self._calls[queue_id]
        self.over(queue_id)
