"""What a set of extensions adds up to: worked out once for a listener, shared by all its connections."""

from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from mailnode.smtp.extensions import Extension, MailParameter, RcptParameter
from mailnode.smtp.settings import ServerSettings

MAX_AUTH_LINE = 12_288
"""Octets of a line of an authentication exchange (RFC 4954 section 4)."""


@frozen(eq=False)
class Offer:
    """The extensions of a session, as the parsers need them."""

    settings: ServerSettings
    lines: tuple[str, ...]
    """The lines of the answer to EHLO after its first."""
    mail: Mapping[str, MailParameter]
    rcpt: Mapping[str, RcptParameter]
    verbs: frozenset[str]
    """Those the extensions add."""
    said: frozenset[str]
    """Those of them that the peer is told of."""
    with_status: bool
    """Replies carry enhanced status codes."""
    with_smtputf8: bool
    max_line: int
    """Octets in any line that is no content; AUTH has longer ones than other commands."""


@lru_cache(maxsize=256)
def offer_of(settings: ServerSettings, extensions: tuple[Extension, ...]) -> Offer:
    """Put the extensions together."""
    keywords = {extension.keyword for extension in extensions}
    verbs = frozenset(verb for extension in extensions for verb in extension.verbs)
    return Offer(
        settings=settings,
        lines=tuple(extension.line for extension in extensions if extension.is_said),
        mail={keyword: read for extension in extensions for keyword, read in extension.mail.items()},
        rcpt={keyword: read for extension in extensions for keyword, read in extension.rcpt.items()},
        verbs=verbs,
        said=frozenset(verb for extension in extensions if extension.is_said for verb in extension.verbs),
        with_status="ENHANCEDSTATUSCODES" in keywords,
        with_smtputf8="SMTPUTF8" in keywords,
        max_line=max(settings.max_command_line, MAX_AUTH_LINE if "AUTH" in verbs else 0),
    )
