"""A door that leads into the maildrop: what ``sendmail -bs`` speaks to when no node runs.

The program that holds the session does nothing else, so this may block. Nobody is looked up here: the node does that when it
takes the drafts.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mailnode.mail.envelope import Envelope, Notify, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.originator.draft import Draft
from mailnode.originator.maildrop import keep
from mailnode.originator.receipt import NobodyTakesIt
from mailnode.smtp import replies

IN_MEMORY = 1 << 20
"""Octets of a message that are kept in memory; a larger one goes through a temporary file."""


class DroppingReception:
    """Implements interfaces.Reception."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> "DroppingTransaction":  # noqa: ARG002
        """Open a transaction."""
        return DroppingTransaction(self._folder, envelope, self._now)

    async def verify(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002
        """Answer VRFY."""
        return replies.CANNOT_VERIFY

    async def expand(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002
        """Answer EXPN."""
        return replies.CANNOT_VERIFY


class DroppingTransaction:
    """Implements interfaces.Transaction."""

    def __init__(self, folder: Path, envelope: Envelope, now: Callable[[], float]) -> None:
        self._folder = folder
        self._envelope = envelope
        self._now = now
        self._recipients: dict[Notify, list[str]] = {}
        self._count = 0
        self._content: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - it lives as long as the transaction

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Take everybody."""
        self._recipients.setdefault(recipient.notify, []).append(str(recipient.forward_path))
        self._count += 1
        return replies.RECIPIENT_OK

    def write(self, octets: bytes) -> None:
        """Keep a block."""
        self._content.write(octets)

    async def commit(self) -> Sequence[Reply]:
        """Put a draft into the maildrop for all who have the same wishes."""
        envelope, kept = self._envelope, ""
        try:
            for notify, recipients in self._recipients.items():
                draft = Draft(
                    str(envelope.reverse_path), tuple(recipients), self._content, notify, envelope.returns,
                    envelope.envelope_id,
                )  # fmt: skip
                kept = keep(self._folder, draft, now=self._now())
        except NobodyTakesIt:
            return [replies.LOCAL_TROUBLE] * self._count
        finally:
            self.abort()
        return [Reply.of(250, "2.0.0", f"Kept as {kept}")] * self._count

    def abort(self) -> None:
        """Forget the content."""
        self._content.close()
