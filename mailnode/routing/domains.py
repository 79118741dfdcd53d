"""A domain of ours, read from its settings: aliases, subaddresses, and what happens to everybody else."""

from collections.abc import Mapping

from attrs import field, frozen

from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.route import ON_DEMAND, Lane
from mailnode.routing.names import to_a_labels
from mailnode.routing.settings import DomainSettings

POSTMASTER = "postmaster"
"""The local part that every domain has, in any case of its letters (RFC 5321 section 4.5.1)."""

MAILBOX_COURIERS = frozenset({"maildir", "mbox"})
"""Couriers that put mail into folders of ours, named by the local part."""

MAX_LOCAL_PART = 64
"""Octets (RFC 5321 section 4.5.3.1.1)."""


_ANSWERS = ("forward", "tell")


@frozen
class Moved:
    """A user who has moved (RFC 5321 section 3.4)."""

    to: Mailbox
    is_told: bool = False
    """The mail is refused with the new address, and not sent on."""


@frozen
class LocalDomain:
    """A domain whose mail is ours."""

    name: str
    """In A-labels and lower case."""
    courier: str = "maildir"
    next_hop: str = ""
    takes_any: bool = False
    """Every local part has a mailbox."""
    aliases: Mapping[str, tuple[Mailbox, ...]] = field(factory=dict)
    """Folded local part to members."""
    moved: Mapping[str, Moved] = field(factory=dict)
    """Folded local part to the new address."""
    catch_all: Mailbox = NULL
    separator: str = ""

    @property
    def lane(self) -> Lane:
        """Give the lane of its mail; all its mailboxes share it."""
        return Lane(self.courier, self.next_hop)

    @property
    def has_folders(self) -> bool:
        """Tell whether its mailboxes are folders of ours."""
        return self.courier in MAILBOX_COURIERS

    def members(self, local_part: str) -> tuple[Mailbox, ...]:
        """Give what an alias stands for; empty when there is no such alias."""
        return self.aliases.get(local_part.casefold(), ())

    def is_own(self, mailbox: Mailbox, local_part: str) -> bool:
        """Tell whether ``mailbox`` is ``local_part`` at this domain."""
        return mailbox.local_part.casefold() == local_part.casefold() and mailbox.domain.lower() == self.name

    def readings(self, local_part: str) -> tuple[str, ...]:
        """Give the local part as written and, if it has a tag, the user without it (RFC 5233 section 4)."""
        user, found, _ = local_part.partition(self.separator) if self.separator else (local_part, "", "")
        return (local_part, user) if found and user else (local_part,)


def read_domain(settings: DomainSettings) -> LocalDomain:
    """Read the settings of a domain; ValueError for what ``faults`` would have shown."""
    name = to_a_labels(settings.name)
    aliases = {
        alias.casefold(): tuple(read_member(member, name) for member in members)
        for alias, members in settings.aliases.items()
    }
    return LocalDomain(
        name=name,
        courier=settings.courier,
        next_hop=settings.next_hop or (name if settings.courier == ON_DEMAND else ""),
        takes_any=settings.accounts == "any",
        aliases=aliases,
        moved={user.casefold(): read_moved(entry, settings, name) for user, entry in settings.moved.items()},
        catch_all=read_member(settings.catch_all, name) if settings.catch_all else NULL,
        separator=settings.separator,
    )


def read_member(text: str, domain: str) -> Mailbox:
    """Read an address, or a local part of ``domain``; domains that are names come out in A-labels. ValueError says more."""
    mailbox = parse_mailbox(text if "@" in text else f"{text}@{domain}")
    if mailbox.domain.startswith("["):
        return mailbox
    return Mailbox(mailbox.local_part, to_a_labels(mailbox.domain))


def read_moved(entry: str, settings: DomainSettings, domain: str) -> Moved:
    """Read ``ann@new.example``, ``forward ann@new.example`` or ``tell ann@new.example``; ValueError for anything else."""
    word, blank, address = entry.strip().partition(" ")
    if not blank or word not in _ANSWERS:
        word, address = settings.moved_answer, entry
    return Moved(read_member(address.strip(), domain), word == "tell")


def is_safe_folder(local_part: str) -> bool:
    """Tell whether a local part may name a folder that comes into being by itself: no way out, nothing hidden."""
    return (
        0 < len(local_part.encode()) <= MAX_LOCAL_PART
        and local_part.isprintable()
        and not local_part.startswith(".")
        and not any(mark in local_part for mark in "/\\")
    )
