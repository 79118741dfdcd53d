"""What is said of a delivery into a mailbox, Maildir or mbox: the replies with their enhanced status (RFC 3463)."""

import errno

from mailnode.mail.outcome import Delayed, Delivered, Failed, Outcome
from mailnode.mail.reply import Reply

DELIVERED = Delivered(Reply.of(250, "2.0.0", "Delivered"))
NO_SPACE = Delayed(Reply.of(452, "4.3.1", "No space left for mail"))
LOCKED = Delayed(Reply.of(451, "4.2.0", "The mailbox is in use"))
TROUBLE = Delayed(Reply.of(451, "4.3.0", "The mailbox cannot be written now"))
OVER_QUOTA = Failed(Reply.of(552, "5.2.2", "The mailbox is full"))
LOOP = Failed(Reply.of(554, "5.4.6", "This message was delivered here before: mail is forwarded in a circle"))
BAD_NAME = Failed(Reply.of(553, "5.1.3", "No mailbox can have this name"))

ALL: tuple[Outcome, ...] = (DELIVERED, NO_SPACE, LOCKED, TROUBLE, OVER_QUOTA, LOOP, BAD_NAME)
"""Every outcome a writer gives: by its place here it is named between processes."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


def outcome_of_error(error: OSError) -> Delayed:
    """Turn a failed system call into an outcome; TROUBLE is what should be logged."""
    return NO_SPACE if error.errno in _FULL else TROUBLE
