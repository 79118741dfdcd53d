"""What a command is given and how it fails: the request, whoever asked, and the rooms it works on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Directory, Disk, Queue, Reception, Refused, Router, Selection, Spool, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.reply import Reply

USAGE, DATA, NO_SUCH, UNAVAILABLE, BUG, TEMPORARY, DENIED = 64, 65, 67, 69, 70, 75, 77
"""Exit codes of sysexits.h."""


class CommandFailed(Exception):  # noqa: N818 - it is an answer
    """The command could not be done; the message is one clear line, ``code`` the exit code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


def failure_of(error: Exception) -> CommandFailed | None:
    """Say what went wrong in words for whoever asked; None when it is a bug."""
    match error:
        case CommandFailed():
            return error
        case Refused():
            return CommandFailed(str(error.reply), code=code_of(error.reply))
        case SpoolTrouble():
            return CommandFailed(f"the spool: {error}", code=TEMPORARY)
        case _:
            return None


def code_of(reply: Reply) -> int:
    """Choose the exit code for a refusal."""
    return UNAVAILABLE if reply.is_permanent else TEMPORARY


class Exchange(Protocol):
    """Whoever asked: takes items of the answer and gives the content that came with the request."""

    async def emit(self, item: dict[str, Any]) -> None:
        """Take one item of the answer."""
        ...

    async def read(self) -> bytes:
        """Give the next octets of the content, empty at its end."""
        ...


@frozen
class Parts:
    """What the commands work on."""

    spool: Spool
    queue: Queue
    directory: Directory
    router: Router
    reception: Reception
    disk: Disk
    clock: IReactorTime
    history: Path
    flush_history: Callable[[], Awaitable[None]]
    """Writes down what the history still keeps in memory."""
    fetch: Callable[[str], Awaitable[Sequence[tuple[str, bool, str]]]] | None = None
    """Calls providers for our mail: the one of that name, or all; None where there is none, or no node runs."""


Request = Mapping[str, Any]


def text(request: Request, key: str) -> str:
    """Give a text of the request, empty when it is not there."""
    value = request.get(key, "")
    if not isinstance(value, str):
        raise CommandFailed(f"{key}: expected a text", code=USAGE)
    return value


def mailbox(written: str, *, may_be_null: bool = False) -> Mailbox:
    """Read an address."""
    bare = written.strip().removeprefix("<").removesuffix(">")
    if may_be_null and not bare:
        return NULL
    try:
        return parse_mailbox(bare)
    except ValueError as error:
        raise CommandFailed(f"{written!r} is not an address: {error}", code=USAGE) from None


def selection(request: Request, clock: IReactorTime) -> Selection:
    """Read which entries are meant; ``older`` is in seconds."""
    older = request.get("older", 0)
    if not isinstance(older, int | float) or older < 0:
        raise CommandFailed("older: expected seconds", code=USAGE)
    return Selection(
        queue_id=text(request, "queue_id"),
        domain=text(request, "domain"),
        sender=text(request, "from"),
        older_than=clock.seconds() - older if older else 0.0,
    )
