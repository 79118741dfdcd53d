"""Names of accounts as clients give them: an account is an address."""

import unicodedata

from mailnode.mail.address import AddressFault, Mailbox, parse_mailbox
from mailnode.mail.saslprep import prepared


def account_named(name: str, domain: str = "") -> Mailbox | None:
    """Give the account that a name means, in its one spelling, or None; names without a domain are of ``domain``."""
    try:
        name = prepared(name)
        mailbox = parse_mailbox(name if "@" in name or not domain else f"{name}@{domain}")
    except (AddressFault, ValueError):
        return None
    return Mailbox(unicodedata.normalize("NFC", mailbox.local_part.lower()), mailbox.domain_key)
