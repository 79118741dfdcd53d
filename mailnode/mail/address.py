"""Addresses of the envelope: the Mailbox of RFC 5321 section 4.1.2, with the UTF-8 of RFC 6531 section 3.3.

``Mailbox`` holds the *meaning*: the local part without its quotes, the domain as it was written. ``str()`` quotes
again where the grammar needs it. Parsing lives here as well, so that settings, commands and reports read addresses
by the same grammar.
"""

from attrs import frozen


@frozen
class Mailbox:
    """A local part at a domain; ``NULL`` is the null reverse-path, a bare ``Postmaster`` has no domain."""

    local_part: str
    domain: str
    """A domain name or an address literal with its brackets, as written; empty for ``NULL`` and ``<Postmaster>``."""


NULL = Mailbox("", "")
"""The null reverse-path ``<>`` of notifications (RFC 5321 section 4.5.5)."""
