"""VRFY and EXPN: who lives here, and who is on a list, for those who may know (RFC 5321 sections 3.5 and 7.3).

Whoever may not ask hears 252 whatever there is, which neither confirms nor denies. A bare local part is looked for at all
of our domains; when several know it, that is 553 with the possibilities.

======  ===========================================================================================================
250     the user, with the full name, by the address that has the mailbox
251     the mail goes on to another house
252     it cannot be known here: another server knows its users, the address is another host's, or it is a list
550     nobody
551     the user has moved, and the mail is not sent on
553     ambiguous, or no address at all
======  ===========================================================================================================
"""

import re

from attrs import frozen

from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.reply import Reply, Status
from mailnode.mail.route import Expansion, Refusal, Route
from mailnode.roles.house import Asker, House
from mailnode.routing.domains import POSTMASTER
from mailnode.routing.resolution import resolve
from mailnode.smtp import replies

MOST_DOMAINS = 1000
"""Domains of ours at which a bare local part is looked for."""

MOST_SHOWN = 10
"""Possibilities that are named when a local part is ambiguous."""

_BRACKETED = re.compile(r"[^<>]*<([^<>]*)>")
_KNOWN = Status(2, 1, 5)
_AMBIGUOUS = Status(5, 1, 4)


@frozen
class Asking:
    """Answers one peer's questions."""

    house: House
    is_trusted: bool
    """The peer may send to anywhere."""

    async def verify(self, argument: str) -> Reply:
        """Answer VRFY."""
        if not self._may(self.house.settings.verify):
            return replies.CANNOT_VERIFY
        try:
            found = await self._places(argument)
        except ValueError as fault:
            return Reply.of(553, "5.1.3", str(fault))
        if len(found) > 1:
            return await self._ambiguous(553, found)
        if not found:
            return replies.NO_SUCH_MAILBOX
        return await self._user(found[0])

    async def expand(self, argument: str) -> Reply:
        """Answer EXPN."""
        if not self._may(self.house.settings.expand):
            return replies.CANNOT_EXPAND
        try:
            candidates = self._candidates(argument)
        except ValueError:
            return replies.NO_SUCH_LIST
        lists = [(one, found) for one in candidates if (found := await self.house.router.expand_list(one)) is not None]
        if not lists:
            return replies.NO_SUCH_LIST
        if len(lists) > 1:
            return await self._ambiguous(550, [mailbox for mailbox, _ in lists])
        return await self._members(lists[0][1])

    def _may(self, asker: Asker) -> bool:
        return asker == "all" or (asker == "trusted" and self.is_trusted)

    # --- who is meant -----------------------------------------------------------------------------------------

    async def _places(self, argument: str) -> list[Mailbox]:
        """Give the address that is meant, or all of ours that a bare local part may mean."""
        candidates = self._candidates(argument)
        return candidates if len(candidates) == 1 else [one for one in candidates if await self._is_known(one)]

    def _candidates(self, argument: str) -> list[Mailbox]:
        bracketed = _BRACKETED.fullmatch(argument.strip())
        text = bracketed[1] if bracketed else argument.strip()
        if text.casefold() == POSTMASTER:
            return [Mailbox(text, "")]
        if "@" in text.rpartition('"')[2]:
            return [parse_mailbox(text)]
        local_part = parse_mailbox(f"{text}@localhost").local_part
        return [Mailbox(local_part, domain) for domain in self.house.router.domains[:MOST_DOMAINS]]

    async def _is_known(self, mailbox: Mailbox) -> bool:
        routing = await self.house.router.route(mailbox)
        return not isinstance(routing, Refusal) or routing.reply.code == 551 or routing.reply.is_transient

    # --- what is told -----------------------------------------------------------------------------------------

    async def _user(self, mailbox: Mailbox) -> Reply:
        if not self.house.router.is_local(mailbox):
            return replies.CANNOT_VERIFY if self.is_trusted else replies.RELAYING_DENIED
        resolution = await resolve(self.house.router, Recipient(mailbox))
        if isinstance(resolution, Refusal):
            return resolution.reply
        if resolution.is_list:
            return replies.IS_A_LIST
        recipient, route = resolution.routes[0]
        if resolution.moved_to != NULL or not self.house.router.is_local(recipient.forward_path):
            return replies.will_forward_to(recipient.forward_path)
        return await self._local_user(recipient.forward_path, route)

    async def _local_user(self, mailbox: Mailbox, route: Route) -> Reply:
        if not (route.is_local or await self.house.directory.find(mailbox)):
            return replies.CANNOT_VERIFY
        return Reply(250, (await self._person(mailbox),), _KNOWN)

    async def _members(self, expansion: Expansion) -> Reply:
        own = () if expansion.own is None else (expansion.own.forward_path,)
        members = [await self._person(member) for member in (*own, *expansion.members)]
        return Reply(250, tuple(members), _KNOWN)

    async def _ambiguous(self, code: int, found: list[Mailbox]) -> Reply:
        shown = [await self._person(mailbox) for mailbox in found[:MOST_SHOWN]]
        more = ("and more",) if len(found) > MOST_SHOWN else ()
        return Reply(code, ("Ambiguous; it may be", *shown, *more), _AMBIGUOUS)

    async def _person(self, mailbox: Mailbox) -> str:
        """Write ``Ann Example <ann@example.org>``; without the name where none is known."""
        name = await self.house.directory.describe(mailbox)
        return f"{' '.join(name.replace('<', ' ').replace('>', ' ').split())} <{mailbox}>".strip()
