"""The terms on which mail goes to a next hop: how much TLS must be there, and as whom we authenticate.

A lane is told by its courier and its next hop, and stands like that in the spool. So the terms have to be in the courier's
name: ``smtp`` are the terms of the section ``[smtp]``, ``smtp+verify`` differs from them in its level, and terms that are
more than a level end with a digest: ``smtp+verify+9a1c03f7``. Equal terms have equal names, in every process and after
every restart; connections are shared within a lane and never beyond it.

========  ===========  ======================  ========================================================================
level     TLS          certificate             else
========  ===========  ======================  ========================================================================
none      never
may       if offered   anything                goes in clear text, also when the handshake fails (RFC 7435)
encrypt   always       anything                waits, 4.7.4
verify    always       must be good            waits, 4.7.4 or 4.7.5
implicit  at once      must be good            waits, 4.7.5; port 465 unless the next hop names one (RFC 8314 section 3.3)
========  ===========  ======================  ========================================================================

A good certificate has one of the *references* in its subjectAltName (RFC 9525 section 6.1): ``tls_names`` where the route
has some, else the next hop as it was configured. The name of an MX host is a reference too where DNSSEC vouches for it: an
unsigned answer could name anybody's host, and the certificate would then prove that we talk to that anybody. This is what
Postfix calls ``secure``; its ``verify``, which believes the DNS, has no match here.
"""

from collections.abc import Collection
from hashlib import sha256
from typing import Literal

from attrs import frozen

Level = Literal["none", "may", "encrypt", "verify", "implicit"]
"""How much TLS there must be."""

Wish = Literal["", "none", "may", "encrypt", "verify", "implicit"]
"""What a route says of it; empty: nothing."""

VERIFIED: Collection[Level] = ("verify", "implicit")
"""Levels that want a good certificate."""

STRICT: Collection[Level] = ("encrypt", "verify", "implicit")
"""Levels that never send in clear text."""

LOWERED: Collection[Level] = ("encrypt", "verify")
"""Levels that a message may lower for itself (RFC 8689 section 4); at the port of ``implicit`` nobody speaks in clear text."""

IMPLICIT_PORT = 465
"""Where servers speak TLS from the first octet (RFC 8314 section 7.3)."""

_MARK = "+"


@frozen
class Terms:
    """What one route asks for beyond the section of its courier."""

    tls: Wish = ""
    """Empty: as the courier's section says."""
    tls_names: tuple[str, ...] = ()
    """References instead of the next hop's own name."""
    username: str = ""
    """As whom to authenticate; empty: not at all."""
    password_file: str = ""
    auth_without_tls: bool = False
    """The password may go in clear text."""

    @property
    def suffix(self) -> str:
        """Give what the terms add to a courier's name; empty for those of its section."""
        if not (self.tls_names or self.username):
            return f"{_MARK}{self.tls}" if self.tls else ""
        parts = (*self.tls_names, "", self.username, self.password_file, str(self.auth_without_tls))
        digest = sha256("\0".join(parts).encode()).hexdigest()[:8]
        return f"{_MARK}{self.tls}{_MARK}{digest}"

    def __str__(self) -> str:
        """Say them in a few words; empty for those of the section."""
        names = f" for {' or '.join(self.tls_names)}" if self.tls_names else ""
        said = [_WORDS[self.tls] + names] if self.tls else [f"certificate{names}"] if names else []
        if self.username:
            clear = ", in clear text if need be" if self.auth_without_tls else ""
            said.append(f"AUTH as {self.username}{clear}")
        return ", ".join(said)


_WORDS: dict[str, str] = {
    "none": "no TLS",
    "may": "TLS if it is offered",
    "encrypt": "TLS with any certificate",
    "verify": "TLS with a verified certificate",
    "implicit": "TLS from the first octet, with a verified certificate",
}


def base_of(courier: str) -> str:
    """Give the courier's own name, without terms."""
    return courier.partition(_MARK)[0]


def has_terms(courier: str) -> bool:
    """Tell whether a courier's name holds terms of a route."""
    return _MARK in courier
