"""A directory in memory: the twin of the one on disk, for tests and for private nodes."""

from collections.abc import Iterable, Mapping, Sequence

from mailnode.accounts.key import Key, folded, key_of
from mailnode.mail.address import Mailbox


class MemoryDirectory:
    """Knows the mailboxes it was told of; implements interfaces.Directory."""

    def __init__(self, mailboxes: Iterable[Mailbox] = (), full_names: Mapping[Mailbox, str] | None = None) -> None:
        self._known: set[Key] = {key_of(mailbox) for mailbox in mailboxes}
        self._full_names = {key_of(mailbox): name for mailbox, name in (full_names or {}).items()}

    async def find(self, mailbox: Mailbox) -> bool:
        """Tell whether the mailbox exists."""
        return key_of(mailbox) in self._known

    async def describe(self, mailbox: Mailbox) -> str:
        """Give the full name, if one is known."""
        return self._full_names.get(key_of(mailbox), "")

    async def add(self, mailbox: Mailbox) -> None:
        """Make the mailbox known; ValueError if it is already."""
        key = key_of(mailbox)
        if key in self._known:
            raise ValueError(f"{mailbox} is known already")
        self._known.add(key)

    async def remove(self, mailbox: Mailbox) -> None:
        """Make it unknown; LookupError if it was not known."""
        key = key_of(mailbox)
        if key not in self._known:
            raise LookupError(f"{mailbox} is not known")
        self._known.remove(key)

    async def names(self, domain: str = "") -> Sequence[Mailbox]:
        """List the mailboxes, of one domain or all, sorted by domain and local part."""
        wanted = folded(domain)
        return [Mailbox(local_part, at) for at, local_part in sorted(self._known) if not domain or at == wanted]

    def close(self) -> None:
        """Nothing to let go of."""
