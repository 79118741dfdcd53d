"""Send mail from Python, through the node of this machine.

In a script, without a reactor; it works whether or not a node runs, and when it returns the message is durable::

    from email.message import EmailMessage
    from mailnode.originate import NotSent, send

    message = EmailMessage()
    message["From"] = "Backup <backup@example.org>"
    message["To"] = "ann@example.org"
    message["Subject"] = "The backup of tonight"
    message.set_content("All is well.")
    try:
        receipt = send(message, data="/var/lib/mailnode")
    except NotSent as trouble:
        raise SystemExit(f"not sent: {trouble}")
    for refused in receipt.refused:
        print("refused:", refused)
    print("sent as", receipt.queue_id or "kept until the node runs")

In a program on Twisted, ``Originator`` does the same without blocking: ``Originator.of(data, disk)`` in a process of its own.
Within the node (a gateway) it is given the node's reception and takes no detour by a socket (``mailnode.originator.within``).

Date, Message-ID and From are added where they are missing, Bcc is removed, addresses without a domain get the node's.
"""

import io
from collections.abc import Sequence
from email.message import Message
from email.policy import SMTP
from email.policy import SMTPUTF8 as SMTP_UTF8
from pathlib import Path
from typing import Protocol

from attrs import frozen

from mailnode.interfaces import Disk
from mailnode.mail.envelope import Notify, Return
from mailnode.originator.draft import Draft, recipients_in, sender_in
from mailnode.originator.handing import hand_over
from mailnode.originator.lines import crlf
from mailnode.originator.place import Place
from mailnode.originator.receipt import BadDraft, NobodyTakesIt, NotSent, Receipt, RefusedRecipient

DATA = "/var/lib/mailnode"
"""The data folder of a node whose configuration does not name another."""

Octets = bytes | bytearray | memoryview
AnyMessage = Message | Octets | str


def draft_of(
    message: AnyMessage,
    *,
    sender: str | None = None,
    recipients: Sequence[str] | None = None,
    notify: Notify = Notify.UNSPECIFIED,
    returns: Return = Return.UNSPECIFIED,
    envelope_id: str = "",
) -> Draft:
    """Make a draft of a message; raises BadDraft.

    ``message`` is an ``email.message`` one, or its octets or text with any line ends. Without ``sender`` it is the address in
    Sender or From (``""`` is the null reverse-path), without ``recipients`` those in To, Cc and Bcc.
    """
    content = io.BytesIO(b"".join(crlf([_octets(message)])))
    to = recipients_in(content) if recipients is None else tuple(recipients)
    who = sender_in(content) if sender is None else sender.removeprefix("<").removesuffix(">")
    return Draft(who, to, content, notify, returns, envelope_id)


def _octets(message: AnyMessage) -> bytes:
    if isinstance(message, Message):
        try:
            return message.as_bytes(policy=SMTP)
        except UnicodeEncodeError:
            return message.as_bytes(policy=SMTP_UTF8)
    return message.encode() if isinstance(message, str) else bytes(message)


def send(
    message: AnyMessage,
    *,
    sender: str | None = None,
    recipients: Sequence[str] | None = None,
    notify: Notify = Notify.UNSPECIFIED,
    returns: Return = Return.UNSPECIFIED,
    envelope_id: str = "",
    data: str | Path = DATA,
) -> Receipt:
    """Send a message through the node whose data folder is ``data``; blocks. Arguments as for ``draft_of``.

    When this returns, the message is durable: in the node's queue or in mailboxes, or in its maildrop when no node runs.
    Raises NotSent: BadDraft for what is no address, NobodyTakesIt when it may be tried again, NotSent itself when every
    recipient was refused.
    """
    draft = draft_of(
        message, sender=sender, recipients=recipients, notify=notify, returns=returns, envelope_id=envelope_id
    )
    return hand_over(Place(Path(data)), draft)


class Originating(Protocol):
    """Hands a draft over: over the socket, or within the node."""

    async def submit(self, draft: Draft) -> Receipt:
        """Make it durable; raises NotSent."""
        ...


@frozen
class FromOutside:
    """An Originating for another process than the node's; blocks on a thread of ``disk``."""

    place: Place
    disk: Disk

    async def submit(self, draft: Draft) -> Receipt:
        """Hand it over."""
        return await self.disk.run(lambda: hand_over(self.place, draft))


@frozen
class Originator:
    """Sends mail without blocking."""

    way: Originating

    @classmethod
    def of(cls, data: str | Path, disk: Disk) -> "Originator":
        """Make one for a process that is not the node's; ``data`` is the node's data folder."""
        return cls(FromOutside(Place(Path(data)), disk))

    async def send(
        self,
        message: AnyMessage,
        *,
        sender: str | None = None,
        recipients: Sequence[str] | None = None,
        notify: Notify = Notify.UNSPECIFIED,
        returns: Return = Return.UNSPECIFIED,
        envelope_id: str = "",
    ) -> Receipt:
        """Send a message; arguments, result and exceptions as for ``draft_of`` and ``send``."""
        return await self.way.submit(
            draft_of(
                message, sender=sender, recipients=recipients, notify=notify, returns=returns, envelope_id=envelope_id
            )
        )


__all__ = [
    "BadDraft",
    "Draft",
    "NobodyTakesIt",
    "NotSent",
    "Notify",
    "Originator",
    "Receipt",
    "RefusedRecipient",
    "Return",
    "draft_of",
    "send",
]
