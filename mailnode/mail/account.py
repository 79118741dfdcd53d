"""An account as it is shown and changed: who may log in here, under what name."""

from attrs import field, frozen

from mailnode.mail.address import Mailbox


@frozen
class Account:
    """One account."""

    mailbox: Mailbox
    name: str = ""
    """The full name of its owner."""
    is_disabled: bool = False
    """Its mail is taken, but nobody may log in."""
    has_password: bool = False
    relayed_domains: tuple[str, ...] = ()
    """Domains whose mail waits here until the account fetches it (RFC 2645), sorted."""


@frozen
class AccountChange:
    """What is to be different; None leaves a thing as it is."""

    name: str | None = None
    password: str | None = field(default=None, repr=False)
    """Prepared by SASLprep; empty takes the password away."""
    is_disabled: bool | None = None
    relayed_domains: tuple[str, ...] | None = None


UNCHANGED = AccountChange()
"""Nothing is to be different."""
