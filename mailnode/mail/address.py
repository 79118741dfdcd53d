"""Addresses of the envelope: the Mailbox of RFC 5321 section 4.1.2, with the UTF-8 of RFC 6531 section 3.3.

``Mailbox`` holds the *meaning*: the local part without its quotes, the domain as it was written. ``str()`` quotes
again where the grammar needs it. Parsing lives here as well, so that settings, commands and reports read addresses
by the same grammar::

    Mailbox        = Local-part "@" ( Domain / address-literal )
    Local-part     = Dot-string / Quoted-string
    Reverse-path   = Path / "<>"
    Forward-path   = Path / "<Postmaster>"
    Path           = "<" [ A-d-l ":" ] Mailbox ">"        A-d-l is a source route: accepted and dropped (appendix C)

Nearly every address is ASCII and plain: one regular expression takes those; the rest go the long way.
"""

import re
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address

from attrs import frozen

from mailnode.mail import domain as domains
from mailnode.mail.domain import AddressFault

MAX_LOCAL_PART = 64
"""Octets of a local part as it travels, quotes and all (RFC 5321 4.5.3.1.1)."""

MAX_MAILBOX = 254
"""Octets of a whole mailbox: a path has at most 256, of which two are its brackets (RFC 5321 4.5.3.1.3)."""

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_UTEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]"
# Controls of ASCII and of C1, line separators and lone surrogates are no text (RFC 5198 section 2).
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"({_ATEXT}+(?:\.{_ATEXT}+)*)@({_LABEL}(?:\.{_LABEL})*)", re.ASCII)
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_NEEDS_PAIR = re.compile(r'(["\\])')
_SOURCE_ROUTE = re.compile(r"@([^,:@\[\]]+|\[[^\]]*\])(?:,@([^,:@\[\]]+|\[[^\]]*\]))*:")


@cache
def _international() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Give Dot-string and Quoted-string with UTF-8; made when first needed, for a class of all Unicode takes 4 ms to make."""
    dot_string = re.compile(rf"{_UTEXT}+(?:\.{_UTEXT}+)*")
    quoted = re.compile(r'"((?:[ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]|\\[ -~])*)"')
    return dot_string, quoted


def _forms_for(local_part: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Give the Dot-string and the Quoted-string that a local part is measured by."""
    return (_DOT_STRING, _QUOTED) if local_part.isascii() else _international()


@frozen
class Mailbox:
    """A local part at a domain; ``NULL`` is the null reverse-path, a bare ``Postmaster`` has no domain."""

    local_part: str
    domain: str
    """A domain name or an address literal with its brackets, as written; empty for ``NULL`` and ``<Postmaster>``."""

    def __str__(self) -> str:
        """Write it as it travels, without angle brackets; ``NULL`` is the empty string."""
        if not self.domain:
            return self.local_part
        return f"{quote(self.local_part)}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Tell whether it can only travel under SMTPUTF8 as it is written (RFC 6531 section 3.2)."""
        return not (self.local_part.isascii() and self.domain.isascii())

    @property
    def ascii_domain(self) -> str:
        """Give the domain with A-labels for U-labels, as the DNS knows it (RFC 5890 section 2.3.2.1)."""
        return domains.ascii_form(self.domain)

    @property
    def domain_key(self) -> str:
        """Give what is equal for equal domains: A-labels, folded."""
        return domains.key(self.domain)

    @property
    def literal_address(self) -> IPv4Address | IPv6Address | None:
        """Give the IP address when the domain is a literal of one; else None."""
        return domains.literal_address(self.domain)


NULL = Mailbox("", "")
"""The null reverse-path ``<>`` of notifications (RFC 5321 section 4.5.5)."""


def quote(local_part: str) -> str:
    """Write a local part as it travels: as it is when it is a Dot-string, else as a Quoted-string."""
    dot_string, _ = _forms_for(local_part)
    if dot_string.fullmatch(local_part):
        return local_part
    return '"' + _NEEDS_PAIR.sub(r"\\\1", local_part) + '"'


@lru_cache(maxsize=4096)
def parse_mailbox(text: str) -> Mailbox:
    """Read ``local-part@domain``; AddressFault says what is wrong with it."""
    plain = _PLAIN.fullmatch(text)
    mailbox = Mailbox(plain[1], plain[2]) if plain else _parse_any(text)
    if len(text) > MAX_LOCAL_PART or not text.isascii():
        _check_sizes(text, mailbox.domain)
    return mailbox


def parse_reverse_path(text: str) -> Mailbox:
    """Read a path of MAIL with its angle brackets; ``<>`` is NULL; AddressFault for anything else."""
    return NULL if text == "<>" else parse_mailbox(_inside(text))


def parse_forward_path(text: str) -> Mailbox:
    """Read a path of RCPT with its angle brackets, ``<Postmaster>`` in any case too; AddressFault for anything else."""
    inside = _inside(text)
    if inside.lower() == "postmaster":
        return Mailbox(inside, "")
    return parse_mailbox(inside)


def _inside(path: str) -> str:
    """Take the brackets and the source route off a path."""
    if not (path.startswith("<") and path.endswith(">")):
        raise AddressFault("A path stands in angle brackets.")
    inside = path[1:-1]
    if not inside.startswith("@"):
        return inside
    route = _SOURCE_ROUTE.match(inside)
    if route is None:
        raise AddressFault("The source route of the path is not right.")
    for hop in route[0][:-1].split(","):
        domains.check(hop[1:])
    return inside[route.end() :]


def _parse_any(text: str) -> Mailbox:
    at = text.rfind("@")
    if at < 0:
        raise AddressFault("An address has a local part, an @ and a domain.")
    written, domain = text[:at], text[at + 1 :]
    if not domain:
        raise AddressFault("The address has no domain after its @.")
    local_part = _parse_local_part(written)
    domains.check(domain)
    return Mailbox(local_part, domain)


def _parse_local_part(written: str) -> str:
    if not written:
        raise AddressFault("The address has no local part before its @.")
    dot_string, quoted_string = _forms_for(written)
    if dot_string.fullmatch(written):
        return written
    quoted = quoted_string.fullmatch(written)
    if quoted is None:
        raise AddressFault("The local part is neither a dot-string nor a quoted string.")
    return _QUOTED_PAIR.sub(r"\1", quoted[1])


def _check_sizes(text: str, domain: str) -> None:
    octets = len(text.encode())
    if octets - 1 - len(domain.encode()) > MAX_LOCAL_PART:
        raise AddressFault(f"A local part has at most {MAX_LOCAL_PART} octets.")
    if octets > MAX_MAILBOX:
        raise AddressFault(f"An address has at most {MAX_MAILBOX} octets.")


__all__ = [
    "MAX_LOCAL_PART",
    "MAX_MAILBOX",
    "NULL",
    "AddressFault",
    "Mailbox",
    "parse_forward_path",
    "parse_mailbox",
    "parse_reverse_path",
    "quote",
]
