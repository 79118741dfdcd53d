"""The answer to XCLIENT: the session goes on with somebody else at its other end."""

from attrs import frozen

from mailnode.mail.reply import Reply
from mailnode.sessions.dialogue import Dialogue
from mailnode.smtp import replies
from mailnode.smtp.faults import Fault
from mailnode.smtp.xclient import read_xclient


@frozen
class Xclient:
    """Answers XCLIENT on a listener; ``greeting`` is what a client is greeted with."""

    greeting: Reply

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
        return dialogue.begin_anew(peer, self.greeting)
