"""What whoever hands mail over gets back: a receipt, or an exception that says why there is none."""

from collections.abc import Sequence

from attrs import frozen

from mailnode.mail.reply import Reply

USAGE, DATA, NO_USER, UNAVAILABLE, TEMPORARY, DENIED = 64, 65, 67, 69, 75, 77
"""Exit codes of sysexits.h."""


@frozen
class RefusedRecipient:
    """An address that the node does not take mail for."""

    address: str
    reply: Reply

    def __str__(self) -> str:
        """Say it in one line."""
        return f"<{self.address}>: {self.reply}"

    @property
    def code(self) -> int:
        """Choose the exit code: nobody of that name, or another reason for good, or one that may pass."""
        if not self.reply.is_permanent:
            return TEMPORARY
        status = self.reply.status
        return NO_USER if status is not None and (status.kind, status.subject) == (5, 1) else UNAVAILABLE


@frozen
class Receipt:
    """The message is durable, for all recipients but the refused."""

    queue_id: str = ""
    """The name it has in the queue and in the log; empty when no node took it yet."""
    kept_as: str = ""
    """The name it has in the maildrop, when (some of) its recipients wait there for the node."""
    refused: tuple[RefusedRecipient, ...] = ()


class NotSent(Exception):  # noqa: N818 - it says what is not the case
    """The message was not taken for anybody; ``code`` is one of sysexits.h."""

    def __init__(self, message: str, *, code: int, refused: Sequence[RefusedRecipient] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.refused = tuple(refused)


class BadDraft(NotSent):
    """The draft itself cannot be sent: an address that is none, or no recipient at all."""

    def __init__(self, message: str, *, code: int = DATA) -> None:
        super().__init__(message, code=code)


class NobodyTakesIt(NotSent):
    """No node answers, and the maildrop takes nothing either; it may be tried again."""

    def __init__(self, message: str, *, code: int = TEMPORARY) -> None:
        super().__init__(message, code=code)


def all_refused(refused: Sequence[RefusedRecipient]) -> NotSent:
    """Make the exception for a message that was refused for everyone."""
    code = max((one.code for one in refused), key=lambda code: (code == TEMPORARY, code == NO_USER))
    return NotSent("; ".join(map(str, refused)), code=code, refused=refused)
