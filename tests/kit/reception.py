"""A door that a test holds open or shut: remembers what came through, and answers when told to."""

from collections.abc import Awaitable, Sequence

from twisted.internet.defer import Deferred

from mailnode.interfaces import Refused
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.smtp import replies


class StagedTransaction:
    """A transaction that keeps what it is given."""

    def __init__(self, door: "StagedReception", peer: Peer, envelope: Envelope) -> None:
        self.door = door
        self.peer = peer
        self.envelope = envelope
        self.recipients: list[Recipient] = []
        self.content = b""
        self.is_aborted = False
        self.is_committed = False

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Take everyone but ``nobody``; waits when the door is told to wait."""
        await self.door.wait("rcpt")
        if recipient.forward_path.local_part == "nobody":
            raise Refused(replies.NO_SUCH_MAILBOX)
        if recipient.forward_path.local_part == "bug":
            raise ZeroDivisionError
        self.recipients.append(recipient)
        return replies.RECIPIENT_OK

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Keep the octets."""
        self.content += octets
        return self.door.pause_for("write")

    async def commit(self) -> Sequence[Reply]:
        """Answer well, one for each recipient, unless the door knows better."""
        await self.door.wait("commit")
        self.is_committed = True
        self.door.messages.append(self)
        return self.door.answers or [Reply.of(250, "2.0.0", "Accepted")] * len(self.recipients)

    def abort(self) -> None:
        """Remember that it is over."""
        self.is_aborted = True


class StagedReception:
    """Implements interfaces.Reception for tests."""

    def __init__(self) -> None:
        self.messages: list[StagedTransaction] = []
        self.begun: list[StagedTransaction] = []
        self.answers: list[Reply] = []
        self.waits: dict[str, Deferred[None]] = {}
        """What to wait for: ``begin``, ``rcpt``, ``write`` or ``commit``."""

    def pause_for(self, word: str) -> Deferred[None] | None:
        """Give what ``word`` waits for, if anything."""
        return self.waits.pop(word, None)

    async def wait(self, word: str) -> None:
        """Wait if the test wants it."""
        pending = self.pause_for(word)
        if pending is not None:
            await pending

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> StagedTransaction:
        """Open a transaction."""
        await self.wait("begin")
        if envelope.reverse_path.local_part == "spammer":
            raise Refused(replies.RELAYING_DENIED)
        self.begun.append(StagedTransaction(self, peer, envelope))
        return self.begun[-1]

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Answer VRFY."""
        return replies.CANNOT_VERIFY

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Answer EXPN."""
        return replies.NO_SUCH_LIST
