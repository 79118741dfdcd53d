"""Service extensions of the server (RFC 5321 section 2.2): each is one object.

An ``Extension`` is its EHLO keyword and parameter, the parameters it opens on MAIL and RCPT, and the verbs it adds. A
parameter is a function that reads the value into the draft of the command; it raises ``Fault`` for a wrong one. The
value is None when the parameter stands without ``=``. Where two extensions open the same parameter the later one
reads it, so that BINARYMIME, which must stand after 8BITMIME, widens BODY.

A new extension needs nothing else: build an ``Extension`` and put it into the tuple a ServerConnection is made with.
Its verbs come as ``Extra`` events; parameters that must travel on go into ``MailDraft.extra``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from attrs import Factory, define, field, frozen

from mailnode.mail.address import AddressFault, Mailbox
from mailnode.mail.envelope import Body, Notify, Return
from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.faults import Fault
from mailnode.smtp.settings import ServerSettings
from mailnode.smtp.xtext import decode_utf8_address, decode_xtext

MAX_ENVELOPE_ID = 100
"""Characters of an ENVID (RFC 3461 section 4.4)."""

MAX_ORIGINAL = 500
"""Characters of an ORCPT (RFC 3461 section 4.2)."""


@define
class MailDraft:
    """What the parameters of MAIL add up to."""

    reverse_path: Mailbox
    size: int = 0
    envelope_id: str = ""
    returns: Return = Return.UNSPECIFIED
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    extra: list[tuple[str, str]] = Factory(list)


@define
class RcptDraft:
    """What the parameters of RCPT add up to."""

    forward_path: Mailbox
    smtputf8: bool
    """Whether the transaction was opened with SMTPUTF8."""
    notify: Notify = Notify.UNSPECIFIED
    original: str = ""


MailParameter = Callable[[MailDraft, str | None], None]
RcptParameter = Callable[[RcptDraft, str | None], None]


@frozen(eq=False)
class Extension:
    """One service extension."""

    keyword: str
    parameter: str = ""
    """What follows the keyword in the answer to EHLO."""
    mail: Mapping[str, MailParameter] = field(factory=dict)
    """Parameters of MAIL by their keyword in capitals."""
    rcpt: Mapping[str, RcptParameter] = field(factory=dict)
    """Parameters of RCPT by their keyword in capitals."""
    verbs: tuple[str, ...] = ()
    """Commands it adds, in capitals; AUTH, BDAT and STARTTLS are known to the machine, others come as ``Extra``."""
    is_said: bool = True
    """It stands in the answer to EHLO; else its verbs are known, but nobody is told."""

    @property
    def line(self) -> str:
        """Give its line in the answer to EHLO."""
        return f"{self.keyword} {self.parameter}" if self.parameter else self.keyword


def _wrong(text: str) -> Fault:
    return Fault(Reply.of(501, "5.5.4", text))


# --- SIZE (RFC 1870) --------------------------------------------------------------------------------------------


def size(max_size: int) -> Extension:
    """Make SIZE: the most octets a message may have, 0 for no fixed limit (RFC 1870 section 3)."""

    def read(draft: MailDraft, value: str | None) -> None:
        if value is None or not (value.isascii() and value.isdigit() and len(value) <= 20):
            raise _wrong("SIZE is a number of octets")
        draft.size = int(value)
        if max_size and draft.size > max_size:
            raise Fault(replies.TOO_BIG)

    return Extension("SIZE", str(max_size), mail={"SIZE": read})


# --- BODY (RFC 6152, RFC 3030) ----------------------------------------------------------------------------------


def _body(*allowed: Body) -> MailParameter:
    bodies = {body.value: body for body in allowed}

    def read(draft: MailDraft, value: str | None) -> None:
        body = bodies.get((value or "").upper())
        if body is None:
            raise _wrong(f"BODY is one of {', '.join(bodies)}")
        draft.body = body

    return read


# --- SMTPUTF8 (RFC 6531) ----------------------------------------------------------------------------------------


def _smtputf8(draft: MailDraft, value: str | None) -> None:
    if value is not None:
        raise _wrong("SMTPUTF8 has no value")
    draft.smtputf8 = True


# --- DSN (RFC 3461, RFC 6533) -----------------------------------------------------------------------------------

_RETURNS = {"FULL": Return.FULL, "HDRS": Return.HEADERS}
_NOTIFY = {"SUCCESS": Notify.SUCCESS, "FAILURE": Notify.FAILURE, "DELAY": Notify.DELAY}


def _ret(draft: MailDraft, value: str | None) -> None:
    returns = _RETURNS.get((value or "").upper())
    if returns is None:
        raise _wrong("RET is FULL or HDRS")
    draft.returns = returns


def _envid(draft: MailDraft, value: str | None) -> None:
    try:
        if not value or len(value) > MAX_ENVELOPE_ID:
            raise _wrong(f"ENVID is xtext of 1 to {MAX_ENVELOPE_ID} characters")
        draft.envelope_id = _printable(decode_xtext(value))
    except ValueError:
        raise _wrong("ENVID is xtext") from None


def _notify(draft: RcptDraft, value: str | None) -> None:
    words = (value or "").upper().split(",")
    if words == ["NEVER"]:
        draft.notify = Notify.NEVER
        return
    for word in words:
        if word not in _NOTIFY or _NOTIFY[word] in draft.notify:
            raise _wrong("NOTIFY is NEVER, or SUCCESS, FAILURE and DELAY, each at most once")
        draft.notify |= _NOTIFY[word]


def _orcpt(draft: RcptDraft, value: str | None) -> None:
    kind, _, address = (value or "").partition(";")
    try:
        if not address or len(value or "") > MAX_ORIGINAL or not kind.replace("-", "").isalnum() or not kind.isascii():
            raise _wrong(f"ORCPT is an address type, a semicolon and xtext, at most {MAX_ORIGINAL} characters")
        is_utf8 = kind.lower() == "utf-8"
        decoded = decode_utf8_address(address, smtputf8=draft.smtputf8) if is_utf8 else decode_xtext(address)
        draft.original = f"{kind};{_printable(decoded)}"
    except ValueError:
        raise _wrong("The address in ORCPT is not rightly encoded") from None


def _printable(text: str) -> str:
    """Refuse controls: the value will stand in a header field of a notification one day."""
    if not text.isprintable():
        raise AddressFault("A control character is encoded in the value.")
    return text


# --- AUTH (RFC 4954) --------------------------------------------------------------------------------------------

MAX_SUBMITTER = 500
"""Characters of the AUTH parameter of MAIL (RFC 4954 section 3)."""


def _submitter(_draft: MailDraft, value: str | None) -> None:
    """Read the AUTH parameter of MAIL and let it go no further.

    A server that does not trust its client to vouch for others must behave as if ``AUTH=<>`` stood there (RFC 4954
    section 5), and so do we: whoever submitted a message elsewhere is not ours to assert.
    """
    try:
        if not value or len(value) > MAX_SUBMITTER or not _printable(decode_xtext(value)):
            raise _wrong(f"AUTH is <> or an address as xtext of at most {MAX_SUBMITTER} characters")
    except ValueError:
        raise _wrong("AUTH is xtext") from None


@lru_cache(maxsize=64)
def auth(mechanisms: tuple[str, ...]) -> Extension:
    """Make AUTH with these mechanisms; without any the command is understood, so that it is refused well, but not offered."""
    if not mechanisms:
        return Extension("AUTH", verbs=("AUTH",), is_said=False)
    return Extension("AUTH", " ".join(mechanisms), mail={"AUTH": _submitter}, verbs=("AUTH",))


# --- the set ----------------------------------------------------------------------------------------------------

PIPELINING = Extension("PIPELINING")
"""RFC 2920: the machine answers in order whatever is sent ahead."""
EIGHT_BIT_MIME = Extension("8BITMIME", mail={"BODY": _body(Body.SEVEN_BIT, Body.EIGHT_BIT_MIME)})
CHUNKING = Extension("CHUNKING", verbs=("BDAT",))
BINARY_MIME = Extension("BINARYMIME", mail={"BODY": _body(*Body)})
"""Needs CHUNKING (RFC 3030 section 3)."""
SMTPUTF8 = Extension("SMTPUTF8", mail={"SMTPUTF8": _smtputf8})
"""Needs 8BITMIME (RFC 6531 section 3.1)."""
DSN = Extension("DSN", mail={"RET": _ret, "ENVID": _envid}, rcpt={"NOTIFY": _notify, "ORCPT": _orcpt})
ENHANCED_STATUS_CODES = Extension("ENHANCEDSTATUSCODES")
"""RFC 2034: without it replies carry no status."""
STARTTLS = Extension("STARTTLS", verbs=("STARTTLS",))
"""RFC 3207: left out of the set once TLS is there."""


def limits(*, max_recipients: int = 0, max_transactions: int = 0) -> Extension:
    """Make LIMITS (RFC 9422): what a client may plan with; 0 says nothing about it."""
    said = (("MAILMAX", max_transactions), ("RCPTMAX", max_recipients))
    return Extension("LIMITS", " ".join(f"{name}={number}" for name, number in said if number))


def standard_extensions(settings: ServerSettings) -> tuple[Extension, ...]:
    """Give all we offer to everyone, in the order in which EHLO says them; STARTTLS depends on the listener."""
    limited = limits(max_recipients=settings.max_recipients, max_transactions=settings.max_transactions)
    return (
        PIPELINING,
        size(settings.max_size),
        EIGHT_BIT_MIME,
        CHUNKING,
        BINARY_MIME,
        SMTPUTF8,
        DSN,
        ENHANCED_STATUS_CODES,
        *([limited] if limited.parameter else []),
    )
