"""Addresses that were written without a domain get ours (RFC 6409 section 6.2)."""

from attrs import evolve

from mailnode.mail.address import NULL, Mailbox

POSTMASTER = "postmaster"


def qualified(mailbox: Mailbox, domain: str) -> Mailbox:
    """Give the address with a domain; ``<>`` and a bare ``Postmaster`` are whole without one (RFC 5321 section 4.5.1)."""
    if mailbox.domain or mailbox == NULL or mailbox.local_part.lower() == POSTMASTER:
        return mailbox
    return evolve(mailbox, domain=domain)
