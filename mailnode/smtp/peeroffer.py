"""What the server at the other end offers: the extensions of its EHLO reply, read by a client (RFC 5321 4.1.1.1)."""

from collections.abc import Mapping

from attrs import field, frozen

from mailnode.mail.reply import Reply


@frozen
class PeerOffer:
    """The extensions of one server; no keywords at all for one that knows only HELO."""

    keywords: Mapping[str, str] = field(factory=dict)
    """Each keyword in capitals, with its parameters as they stood."""
    pipelining: bool = False
    """RFC 2920."""
    eight_bit: bool = False
    """8BITMIME, RFC 6152."""
    smtputf8: bool = False
    """RFC 6531."""
    dsn: bool = False
    """RFC 3461."""
    starttls: bool = False
    """RFC 3207."""
    requiretls: bool = False
    """RFC 8689; counts only where it was heard within TLS."""
    mechanisms: tuple[str, ...] = ()
    """SASL mechanisms, in capitals (RFC 4954)."""
    has_size: bool = False
    """The SIZE parameter is understood (RFC 1870)."""
    size_limit: int = 0
    """The largest message taken, in octets; 0: none was named."""
    rcpt_max: int = 0
    """Recipients of one transaction (RCPTMAX, RFC 9422); 0: none was named."""
    mail_max: int = 0
    """Transactions of one session (MAILMAX); 0: none was named."""
    domain_max: int = 0
    """Different recipient domains of one transaction (RCPTDOMAINMAX); 0: none was named."""

    @classmethod
    def of(cls, reply: Reply) -> "PeerOffer":
        """Read the reply to EHLO or LHLO; its first line is the greeting, strange lines are passed over."""
        keywords = dict(map(_keyword, reply.lines[1:]))
        limits = _limits(keywords.get("LIMITS", ""))
        return cls(
            keywords,
            pipelining="PIPELINING" in keywords,
            eight_bit="8BITMIME" in keywords,
            smtputf8="SMTPUTF8" in keywords,
            dsn="DSN" in keywords,
            starttls="STARTTLS" in keywords,
            requiretls="REQUIRETLS" in keywords,
            mechanisms=tuple(keywords.get("AUTH", "").upper().split()),
            has_size="SIZE" in keywords,
            size_limit=_number(keywords.get("SIZE", "")),
            rcpt_max=limits.get("RCPTMAX", 0),
            mail_max=limits.get("MAILMAX", 0),
            domain_max=limits.get("RCPTDOMAINMAX", 0),
        )


def _keyword(line: str) -> tuple[str, str]:
    keyword, _, parameters = line.strip().partition(" ")
    return keyword.upper(), parameters.strip()


def _limits(parameters: str) -> dict[str, int]:
    """Read the parameters of LIMITS; those that make no sense count as absent (RFC 9422 section 3)."""
    named = (part.partition("=") for part in parameters.split())
    return {name.upper(): _number(value) for name, _, value in named}


def _number(text: str) -> int:
    """Read a decimal number of at most 20 digits (RFC 1870 section 3); 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
