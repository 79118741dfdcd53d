"""The extensions of old: EXPN and HELP, SEND, SOML and SAML, and VERB (RFC 821, RFC 1869 section 7, the IANA registry).

EXPN must be said in the answer to EHLO where it is answered (RFC 5321 section 3.5.2); VRFY is in every server.
"""

from mailnode.smtp.extensions import Extension

EXPN = Extension("EXPN")
HELP = Extension("HELP")
SEND = Extension("SEND", verbs=("SEND",))
SOML = Extension("SOML", verbs=("SOML",))
SAML = Extension("SAML", verbs=("SAML",))
VERB = Extension("VERB", verbs=("VERB",))
"""As sendmail had it; its event is an ``Extra``."""


def classic_extensions(*, expands: bool, sends: bool, is_verbose: bool) -> tuple[Extension, ...]:
    """Give those that are switched on."""
    return (
        HELP,
        *([EXPN] if expands else []),
        *([SEND, SOML, SAML] if sends else []),
        *([VERB] if is_verbose else []),
    )
