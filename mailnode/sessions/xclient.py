"""The answer to XCLIENT: the session goes on with somebody else at its other end.

A front may pass on what its client says from then on, so whoever it names may not speak for others again, unless that
address is a front's too. Else a client behind a front could give itself any address and any account.
"""

from collections.abc import Callable, Sequence

from attrs import frozen

from mailnode.mail.reply import Reply
from mailnode.sessions.dialogue import Dialogue
from mailnode.smtp import replies
from mailnode.smtp.extensions import Extension
from mailnode.smtp.faults import Fault
from mailnode.smtp.xclient import read_xclient


@frozen
class Xclient:
    """Answers XCLIENT on a listener."""

    greeting: Reply
    """What a client is greeted with."""
    speaks_for_others: Callable[[str], bool]
    """Tells by an address who may use XCLIENT."""
    extensions: Sequence[Extension]
    """What is always offered to those who may not."""

    def __call__(self, dialogue: Dialogue, argument: str) -> bytes:
        """Begin anew with whom the front names, or say why not."""
        if not dialogue.is_front:
            return dialogue.say(replies.MAY_NOT_SPEAK_FOR_OTHERS)
        try:
            peer = read_xclient(argument, dialogue.peer)
        except Fault as fault:
            return dialogue.say(fault.reply)
        if peer.address != dialogue.peer.address and not dialogue.moved(peer.address):
            return dialogue.say(replies.TOO_MANY_CONNECTIONS)
        if not self.speaks_for_others(peer.address):
            dialogue.is_front = False
            dialogue.always = tuple(self.extensions)
        return dialogue.begin_anew(peer, self.greeting)
