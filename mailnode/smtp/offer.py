"""What a set of extensions adds up to: worked out once for a listener, shared by all its connections."""

from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from mailnode.smtp.extensions import Extension, MailParameter, RcptParameter
from mailnode.smtp.settings import ServerSettings


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
    with_status: bool
    """Replies carry enhanced status codes."""
    with_smtputf8: bool


@lru_cache(maxsize=256)
def offer_of(settings: ServerSettings, extensions: tuple[Extension, ...]) -> Offer:
    """Put the extensions together."""
    keywords = {extension.keyword for extension in extensions}
    return Offer(
        settings=settings,
        lines=tuple(extension.line for extension in extensions),
        mail={keyword: read for extension in extensions for keyword, read in extension.mail.items()},
        rcpt={keyword: read for extension in extensions for keyword, read in extension.rcpt.items()},
        verbs=frozenset(verb for extension in extensions for verb in extension.verbs),
        with_status="ENHANCEDSTATUSCODES" in keywords,
        with_smtputf8="SMTPUTF8" in keywords,
    )
