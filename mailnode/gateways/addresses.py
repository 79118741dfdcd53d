"""The address book of one gateway: aliases, templates and signed reply addresses, both ways."""

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from mailnode.gateways.templates import Template, parse_template
from mailnode.gateways.tokens import Signer
from mailnode.mail.address import MAX_LOCAL_PART, Mailbox, parse_mailbox

REPLY = "re."
"""What the local part of a signed reply address begins with."""

Key = tuple[str, str]


@define
class AddressBook:
    """Turns mail addresses into those of the other side and back. Without templates the mail address itself is used."""

    templates: tuple[Template, ...] = ()
    aliases: Mapping[str, str] = field(factory=dict)
    """Mail addresses and what they stand for; where several stand for one, the first is its mail address."""
    gateway: str = ""
    reply_domain: str = ""
    """Where signed reply addresses live; empty: there are none."""
    signer: Signer | None = None
    knows: Callable[[str], bool] | None = None
    """Asks the gateway whether somebody bears an address of the other side (Gateway.knows); None: anybody may be there."""
    _by_mail: dict[Key, str] = field(init=False)
    _by_foreign: dict[str, Mailbox] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Read the aliases; ValueError for a bad address."""
        read = [(parse_mailbox(address), foreign) for address, foreign in self.aliases.items()]
        self._by_mail = {_key(mailbox): foreign for mailbox, foreign in read}
        self._by_foreign = {foreign: mailbox for mailbox, foreign in reversed(read)}

    def foreign(self, mailbox: Mailbox) -> str | None:
        """Give what the other side calls this mailbox; None when it is nobody there."""
        found = self._foreign(mailbox)
        return found if found is None or self.knows is None or self.knows(found) else None

    def _foreign(self, mailbox: Mailbox) -> str | None:
        known = self._by_mail.get(_key(mailbox))
        if known is not None:
            return known
        signed = self._from_reply(mailbox)
        if signed is not None:
            return signed
        if not self.templates:
            return None if self._is_reply(mailbox) else str(mailbox)
        found = (template.foreign_of(mailbox) for template in self.templates)
        return next((one for one in found if one is not None), None)

    def mail(self, foreign: str) -> Mailbox | None:
        """Give the mail address of somebody on the other side, to which mail comes back; None when there is none."""
        known = self._by_foreign.get(foreign)
        if known is not None:
            return known
        made = [*(template.mailbox_of(foreign) for template in self.templates), self._itself(foreign)]
        return next((one for one in made if one is not None and self.foreign(one) == foreign), None)

    def reply_address(self, foreign: str) -> Mailbox:
        """Give an address that leads back to ``foreign``, signed if no template and no alias gives one.

        It is stable for as long as the key in the data folder lives. ValueError when there is no domain for it, or when the
        name is too long to be written into a local part (25 octets fit).
        """
        plain = self.mail(foreign)
        if plain is not None:
            return plain
        if self.signer is None or not self.reply_domain:
            raise ValueError("the gateway has no domain for reply addresses: set reply_domain")
        local_part = REPLY + self.signer.sealed(f"reply {self.gateway}", foreign)
        if len(local_part) > MAX_LOCAL_PART:
            raise ValueError(f"{foreign!r} is too long for a reply address")
        return Mailbox(local_part, self.reply_domain)

    def _itself(self, foreign: str) -> Mailbox | None:
        if self.templates:
            return None
        try:
            return parse_mailbox(foreign)
        except ValueError:
            return None

    def _is_reply(self, mailbox: Mailbox) -> bool:
        is_there = bool(self.reply_domain) and mailbox.domain.lower() == self.reply_domain.lower()
        return is_there and mailbox.local_part.lower().startswith(REPLY)

    def _from_reply(self, mailbox: Mailbox) -> str | None:
        if self.signer is None or not self._is_reply(mailbox):
            return None
        return self.signer.opened(f"reply {self.gateway}", mailbox.local_part[len(REPLY) :])


def parse_map(texts: Sequence[str]) -> tuple[Template, ...]:
    """Read templates; ValueError for the first bad one."""
    return tuple(map(parse_template, texts))


def _key(mailbox: Mailbox) -> Key:
    return mailbox.local_part.casefold(), mailbox.domain.lower()
