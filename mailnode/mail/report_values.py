"""What a delivery status notification is about, before it is written (RFC 3464)."""

import enum

from attrs import frozen

from mailnode.mail.envelope import Recipient
from mailnode.mail.message import Message
from mailnode.mail.reply import Reply, Status
from mailnode.mail.report_returned import Returned


class Action(enum.Enum):
    """What happened to a recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Kind(enum.Enum):
    """What a report as a whole is about: a NOTIFY keyword (RFC 3461 section 4.1)."""

    FAILURE = "FAILURE"
    DELAY = "DELAY"
    SUCCESS = "SUCCESS"


@frozen
class Reported:
    """One recipient in a report."""

    recipient: Recipient
    action: Action
    reply: Reply
    """What was heard last."""
    remote: str = ""
    """Who said it; empty when the words are ours."""
    last_attempt: float = 0.0
    """Seconds since the epoch."""
    retry_until: float = 0.0
    """Of a delayed one: when we give up, seconds since the epoch."""
    has_expired: bool = False
    """It failed because its time is over, whatever was heard last."""
    tls: str = ""
    """What protected it on its way to the next hop; empty in clear text, or when no session came about."""

    @property
    def status(self) -> Status:
        """Give the Status field: that of the reply, made to agree with its code, or 4.4.7 when time is over."""
        if self.has_expired:
            return Status(4, 4, 7)
        kind = self.reply.code // 100
        given = self.reply.status
        if self.action in (Action.DELIVERED, Action.RELAYED, Action.EXPANDED):
            kind = 2
        if kind not in (2, 4, 5):
            kind = 5
        return Status(kind, given.subject, given.detail) if given else Status(kind, 0, 0)


@frozen
class Report:
    """A report about one message, before it is written."""

    kind: Kind
    message: Message
    """The message it is about; its envelope's recipients are not looked at."""
    recipients: tuple[Reported, ...]
    hostname: str
    """The name of this node (Reporting-MTA)."""
    queue_id: str
    """The report's own queue id."""
    written: float
    """Seconds since the epoch."""
    returned: Returned | None = None
    """What is given back of the message; None when it could not be read."""

    @property
    def is_utf8(self) -> bool:
        """Tell whether it may hold UTF-8: the sender of an SMTPUTF8 message reads it (RFC 6533 section 4)."""
        return self.message.envelope.smtputf8
