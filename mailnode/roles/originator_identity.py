"""Whose address is whose: what an account may send as (RFC 6409 section 6.1, RFC 4954 section 6).

An address belongs to an account when mail for it would reach the account: it is the account's own, one with a tag
(``ann+shop``), or an alias of ours among whose members the account is. So the same table that leads mail in says what may go
out, and nobody keeps a second one. The null reverse-path is anybody's: programs answer with it that a message was read (RFC 8098
section 3), and who bears it can hurt nobody with bounces.
"""

from attrs import frozen

from mailnode.accounts.key import key_of
from mailnode.interfaces import Refused
from mailnode.mail.address import NULL, AddressFault, Mailbox, parse_mailbox
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Refusal, Route
from mailnode.roles.house import LocalRouter
from mailnode.roles.originator_settings import SubmissionSettings

MAX_DEPTH = 3
"""Aliases of aliases."""

NOT_YOURS = Reply.of(553, "5.7.1", "This address is not one of your account's")


def account_of(peer: Peer) -> Mailbox:
    """Give the account's address; NULL for who has none."""
    try:
        return parse_mailbox(peer.account) if peer.account else NULL
    except AddressFault:
        return NULL


@frozen
class Identity:
    """Knows which addresses an account may use."""

    router: LocalRouter
    settings: SubmissionSettings

    async def check(self, peer: Peer, reverse_path: Mailbox) -> None:
        """Refuse a reverse-path that is not the account's."""
        if not peer.account or reverse_path == NULL or await self.belongs(reverse_path, account_of(peer)):
            return
        raise Refused(NOT_YOURS)

    async def belongs(self, mailbox: Mailbox, account: Mailbox) -> bool:
        """Tell whether the account may send as this address; Refused with 4yz when it cannot be known now."""
        if self.settings.sender_check == "none":
            return True
        if NULL in (account, mailbox):
            return False
        if self.settings.sender_check == "domain":
            return mailbox.domain_key == account.domain_key
        return key_of(mailbox) == key_of(account) or await self._leads_to(mailbox, account, MAX_DEPTH)

    async def _leads_to(self, mailbox: Mailbox, account: Mailbox, depth: int) -> bool:
        if not depth or not self.router.is_local(mailbox):
            return False
        routing = await self.router.route(mailbox)
        if isinstance(routing, Route):
            # The router has taken a tag off, if the account has none of its own for it.
            return key_of(routing.forward_path) == key_of(account)
        if isinstance(routing, Expansion):
            if any(key_of(member) == key_of(account) for member in routing.members):
                return True
            if routing.own is not None and key_of(routing.own.forward_path) == key_of(account):
                return True
            return len(routing.members) == 1 and await self._leads_to(routing.members[0], account, depth - 1)
        if isinstance(routing, Refusal) and routing.reply.is_transient:
            raise Refused(routing.reply)
        return False
