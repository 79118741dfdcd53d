"""A directory in memory: the twin of the one on disk, for tests and for private nodes."""

from collections.abc import Iterable, Mapping, Sequence

from mailnode.accounts.key import Key, folded, key_of
from mailnode.mail.account import UNCHANGED, Account, AccountChange
from mailnode.mail.address import Mailbox


class MemoryDirectory:
    """Knows the mailboxes it was told of; implements interfaces.Directory."""

    def __init__(self, mailboxes: Iterable[Mailbox] = (), full_names: Mapping[Mailbox, str] | None = None) -> None:
        self._known: set[Key] = {key_of(mailbox) for mailbox in mailboxes}
        self._full_names = {key_of(mailbox): name for mailbox, name in (full_names or {}).items()}
        self._with_password: set[Key] = set()
        self._disabled: set[Key] = set()
        self._relayed: dict[Key, tuple[str, ...]] = {}

    async def find(self, mailbox: Mailbox) -> bool:
        """Tell whether the mailbox exists."""
        return key_of(mailbox) in self._known

    async def describe(self, mailbox: Mailbox) -> str:
        """Give the full name, if one is known."""
        return self._full_names.get(key_of(mailbox), "")

    async def add(self, mailbox: Mailbox, details: AccountChange = UNCHANGED) -> None:
        """Make the mailbox known; ValueError if it is already."""
        key = key_of(mailbox)
        if key in self._known:
            raise ValueError(f"{mailbox} is known already")
        self._known.add(key)
        await self.change(mailbox, details)

    async def change(self, mailbox: Mailbox, details: AccountChange) -> None:
        """Change the account; LookupError if it is not known. Of a password only its presence is kept."""
        key = key_of(mailbox)
        if key not in self._known:
            raise LookupError(f"{mailbox} is not known")
        if details.name is not None:
            self._full_names[key] = details.name
        if details.password is not None:
            (self._with_password.add if details.password else self._with_password.discard)(key)
        if details.is_disabled is not None:
            (self._disabled.add if details.is_disabled else self._disabled.discard)(key)
        if details.relayed_domains is not None:
            self._relayed[key] = tuple(sorted({folded(domain) for domain in details.relayed_domains}))

    async def accounts(self, domain: str = "") -> Sequence[Account]:
        """List the accounts, of one domain or all, sorted as the names are."""
        return [self._account(key_of(mailbox)) for mailbox in await self.names(domain)]

    def _account(self, key: Key) -> Account:
        return Account(
            Mailbox(key[1], key[0]), self._full_names.get(key, ""), key in self._disabled, key in self._with_password,
            self._relayed.get(key, ()),
        )  # fmt: skip

    async def remove(self, mailbox: Mailbox) -> None:
        """Make it unknown; LookupError if it was not known."""
        key = key_of(mailbox)
        if key not in self._known:
            raise LookupError(f"{mailbox} is not known")
        self._known.remove(key)
        self._with_password.discard(key)
        self._disabled.discard(key)
        self._full_names.pop(key, None)
        self._relayed.pop(key, None)

    async def names(self, domain: str = "") -> Sequence[Mailbox]:
        """List the mailboxes, of one domain or all, sorted by domain and local part."""
        wanted = folded(domain)
        return [Mailbox(local_part, at) for at, local_part in sorted(self._known) if not domain or at == wanted]

    def close(self) -> None:
        """Nothing to let go of."""
