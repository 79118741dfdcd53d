"""The one spelling under which an account is kept: the domain's key, and the local part in lower case.

RFC 5321 section 2.4 leaves local parts to their own host. Here case does not matter, as people expect, and composed and
decomposed letters are the same (NFC): two accounts that look alike would share one folder.
"""

import unicodedata

from mailnode.mail.address import Mailbox

Key = tuple[str, str]
"""Domain first, so that keys sort by domain."""


def key_of(mailbox: Mailbox) -> Key:
    """Give the key of an address; it finds the same account as every other spelling of the address."""
    return (mailbox.domain_key, fold(mailbox.local_part))


def fold(local_part: str) -> str:
    """Give the one spelling of a local part."""
    return unicodedata.normalize("NFC", local_part.lower())


def folded(domain: str) -> str:
    """Give the one spelling of a domain."""
    return Mailbox("", domain).domain_key if domain else ""
