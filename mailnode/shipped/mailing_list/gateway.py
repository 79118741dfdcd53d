"""The gateway ``list``: mail to the addresses of mailing lists (``mailnode.shipped.mailing_list`` tells of it)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from attrs import define, field
from twisted.application.service import IService

from mailnode.gateways.api import (
    Answer,
    Delayed,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Refused,
    Signer,
    Trouble,
    load_key,
    parse_mailbox,
)
from mailnode.shipped.mailing_list.commands import request
from mailnode.shipped.mailing_list.mailing import Mailing
from mailnode.shipped.mailing_list.names import POST, Place, check_name, read_place
from mailnode.shipped.mailing_list.posting import post
from mailnode.shipped.mailing_list.returns import bounce, to_owners
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.shipped.mailing_list.store import Store
from mailnode.shipped.mailing_list.tickets import Tickets


@define
class MailingLists(Gateway):
    """Mailing lists of one domain."""

    domain: str = field()
    """The domain of their addresses; its courier is this gateway."""
    lists: Mapping[str, ListSettings] = field()
    """The lists by their names."""
    base_url: str = field(default="")
    """What the URLs of one-click unsubscription begin with (https, RFC 8058); empty: there are none."""
    endpoint: str = ""
    """Where they are served, "tcp:8085:interface=127.0.0.1"; empty: nowhere by this node."""

    takes_automatic: ClassVar[bool] = True
    fans_out: ClassVar[bool] = True
    reads: ClassVar[Literal["octets", "text"]] = "octets"

    _mailings: dict[str, Mailing] = field(init=False, factory=dict)
    _store: Store | None = field(init=False, default=None)

    @domain.validator
    def _check_domain(self, _: object, value: str) -> None:
        parse_mailbox(f"list@{value}")

    @lists.validator
    def _check_lists(self, _: object, value: Mapping[str, ListSettings]) -> None:
        if not value:
            raise ValueError("expected a list at least: [gateway.NAME.lists.LIST]")
        for name in value:
            check_name(name)

    @base_url.validator
    def _check_base_url(self, _: object, value: str) -> None:
        parts = urlsplit(value)
        if value and (parts.scheme != "https" or not parts.hostname or value.endswith("/")):
            raise ValueError(f'expected a URL such as "https://lists.example.org", not "{value}"')

    def knows(self, address: str) -> bool:
        """Tell whether a list has that address."""
        return self._place(address) is not None

    def _place(self, address: str) -> Place | None:
        local_part, _, domain = address.rpartition("@")
        return read_place(local_part, self.lists) if domain.lower() == self.domain.lower() else None

    async def start(self) -> None:
        """Open what the lists must not forget, and let members by setting be members."""
        folder, disk = self.node.folder, self.node.disk
        key = await disk.run(lambda: load_key(folder / "key"))
        self._store = Store(folder / "lists.db", disk)
        signer = Signer(key)
        for name, settings in self.lists.items():
            members = [*settings.members]
            if settings.members_file:
                members += await disk.run(partial(read_members, Path(settings.members_file)))
            await self._store.settle(name, members)
            tickets = Tickets(name, signer)
            made = Mailing(name, self.domain, settings, self.base_url, self.node, self._store, tickets)
            await disk.run(partial(made.archive.mkdir, mode=0o700, parents=True, exist_ok=True))
            self._mailings[name] = made

    async def stop(self) -> None:
        """Close it."""
        if self._store is not None:
            await self._store.close()

    def source(self) -> IService | None:
        """Serve one-click unsubscription."""
        if not self.endpoint:
            return None
        from mailnode.shipped.mailing_list.web import service  # noqa: PLC0415 - only where it is served

        return service(self.node.reactor, self.endpoint, self._mailings)

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Treat the message at each address; what one of them cannot do is nothing to the others."""
        answers: dict[OutgoingRecipient, Outcome] = {}
        for one in recipients:
            try:
                answers[one] = await self._at(message, one)
            except Trouble as trouble:
                answers[one] = trouble.outcome
            except Refused as refused:
                answers[one] = Delayed(str(refused.reply), "4.3.0")
        return answers

    async def _at(self, message: OutgoingMessage, one: OutgoingRecipient) -> Outcome:
        place = self._place(one.address)
        if place is None:
            return Failed("there is no such list", "5.1.1")
        mailing = self._mailings[place.name]
        match place.role:
            case "owner":
                return await to_owners(mailing, message, one)
            case "bounces":
                return await bounce(mailing, message, one, place.token)
            case role if role == POST:
                return await post(mailing, message, one)
            case role:
                return await request(mailing, message, one, role, place.token)


def read_members(path: Path) -> list[str]:
    """Read a file of addresses, one a line; what follows # is a remark. OSError, ValueError."""
    lines = (text.partition("#")[0].strip() for text in path.read_text().splitlines())
    found = [text for text in lines if text]
    for address in found:
        parse_mailbox(address)
    return found
