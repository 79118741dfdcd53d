"""VERB, as sendmail had it: from now on the answer to the final dot tells how each recipient fared.

The door decides how much this peer may know; this only remembers that it has asked. Between transactions only, for a
transaction answers the way it was begun.
"""

from collections.abc import Mapping

from attrs import evolve

from mailnode.mail.reply import Reply
from mailnode.sessions.dialogue import Dialogue
from mailnode.smtp import replies

_WISHES: Mapping[str, tuple[bool, Reply]] = {
    "": (True, replies.VERBOSE),
    "ON": (True, replies.VERBOSE),
    "OFF": (False, replies.TERSE),
}


def answer_verb(dialogue: Dialogue, argument: str) -> bytes:
    """Switch the details on or off."""
    wish = _WISHES.get(argument.upper())
    if wish is None:
        return dialogue.say(replies.ON_OR_OFF)
    dialogue.peer = evolve(dialogue.peer, is_verbose=wish[0])
    return dialogue.say_idling(wish[1])
