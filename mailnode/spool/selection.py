"""What a Selection means, the same for every spool: which messages, which recipients, and where a page begins."""

from attrs import field, frozen

from mailnode.interfaces import Selection
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.message import Message, QueuedRecipient

_MARKS = 256
"""How many page ends are remembered."""


def fold(domain: str) -> str:
    """Fold the ASCII letters of a domain, as the DNS compares names (RFC 4343 section 3); others stay."""
    return domain.encode().lower().decode()


def sender_of(selection: Selection) -> Mailbox | None:
    """Read the reverse-path that is asked for; None when any will do."""
    if not selection.sender:
        return None
    if selection.sender == "<>":
        return NULL
    local_part, _, domain = selection.sender.removeprefix("<").removesuffix(">").rpartition("@")
    if len(local_part) > 1 and local_part[0] == local_part[-1] == '"':
        local_part = _unquoted(local_part[1:-1])
    return Mailbox(local_part, domain)


def _unquoted(quoted: str) -> str:
    octets = iter(quoted)
    return "".join(next(octets, "") if octet == "\\" else octet for octet in octets)


def selects_message(selection: Selection, message: Message) -> bool:
    """Tell whether the message is meant, its recipients aside."""
    sender = sender_of(selection)
    reverse_path = message.envelope.reverse_path
    return (
        selection.queue_id in ("", message.queue_id)
        and (selection.older_than == 0.0 or message.arrived < selection.older_than)
        and (
            sender is None
            or (sender.local_part == reverse_path.local_part and fold(sender.domain) == fold(reverse_path.domain))
        )
    )


def selects_recipient(selection: Selection, queued: QueuedRecipient) -> bool:
    """Tell whether the recipient of a message that is meant is meant too."""
    if selection.next_hop and selection.next_hop != queued.lane.next_hop:
        return False
    if not selection.domain:
        return True
    theirs, meant = fold(queued.recipient.forward_path.domain), fold(selection.domain)
    return theirs == meant or (selection.with_subdomains and theirs.endswith(f".{meant}"))


def selects(selection: Selection, message: Message, queued: QueuedRecipient) -> bool:
    """Tell whether this recipient of this message is meant."""
    return selects_message(selection, message) and selects_recipient(selection, queued)


@frozen
class Marks:
    """Where the last pages of listings ended, so that paging goes on although the message at the end has left."""

    _places: dict[str, int] = field(factory=dict)

    def note(self, queue_id: str, place: int) -> None:
        """Remember that the message stood at ``place``; the oldest memory is dropped for it."""
        self._places.pop(queue_id, None)
        self._places[queue_id] = place
        if len(self._places) > _MARKS:
            del self._places[next(iter(self._places))]

    def place(self, queue_id: str) -> int | None:
        """Tell where it stood, None when that is not known."""
        return self._places.get(queue_id)
