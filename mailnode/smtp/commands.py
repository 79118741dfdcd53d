"""A command line becomes an event (RFC 5321 4.1.1, RFC 2033 4, RFC 3030 2, RFC 4954 4).

``VERBS`` is the table: each verb, its column in the table of order, and the function that reads its argument. Such a
function raises ``Fault`` with the reply to give; it knows nothing of the session but what ``Context`` tells it.
"""

import binascii
import re
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from mailnode.mail.address import parse_forward_path, parse_reverse_path
from mailnode.mail.envelope import Envelope, Manner, Recipient
from mailnode.mail.reply import Reply
from mailnode.smtp import events, replies
from mailnode.smtp.arguments import parse_path, read_parameters, split_path
from mailnode.smtp.events import Event
from mailnode.smtp.extensions import MailDraft, RcptDraft
from mailnode.smtp.faults import Fault
from mailnode.smtp.offer import Offer
from mailnode.smtp.states import Command

_NAME = re.compile(r"[^\s()<>;,\\\"\x00-\x1f\x7f]{1,255}")
_STRICT_NAME = re.compile(r"[A-Za-z0-9.-]{1,255}|\[[^\s()<>;,\\\"\[\]]{1,100}\]", re.ASCII)
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}", re.ASCII)
_CHUNK = re.compile(r"([0-9]{1,18})(?: +(LAST))?", re.ASCII | re.IGNORECASE)


@frozen
class Verb:
    """One command of the protocol."""

    command: Command
    read: Callable[[str, str, Offer, bool], Event]
    """Given verb, argument, the offer, and whether the transaction is under SMTPUTF8."""


@frozen
class Chunk:
    """BDAT: how many octets follow, and whether they are the last."""

    size: int
    is_last: bool


def _hello(verb: str, argument: str, offer: Offer, _smtputf8: bool) -> Event:
    name = argument.rstrip() if offer.settings.strict_syntax else argument.strip()
    if not (_STRICT_NAME if offer.settings.strict_syntax else _NAME).fullmatch(name):
        raise Fault(replies.NAME_NEEDED)
    return events.Hello(verb, name)


def _mail(_verb: str, argument: str, offer: Offer, _smtputf8: bool) -> events.Mail:
    strict = offer.settings.strict_syntax
    path, parameters = split_path(argument, "FROM:", replies.MAIL_SYNTAX, strict=strict)
    draft = MailDraft(parse_path(path, parse_reverse_path, 553, "5.1.7", bare=offer.settings.bare_addresses))
    if parameters:
        read_parameters(parameters, offer.mail, draft, strict=strict)
    if draft.reverse_path.needs_smtputf8 and not draft.smtputf8:
        raise Fault(replies.UTF8_SENDER)
    envelope = Envelope(
        draft.reverse_path, (), draft.envelope_id, draft.returns, draft.body, draft.smtputf8, tuple(draft.extra)
    )
    return events.Mail(envelope, draft.size)


def _send(verb: str, argument: str, offer: Offer, smtputf8: bool) -> Event:
    """Read SEND, SOML or SAML: MAIL by another name (RFC 821 section 3.4)."""
    event = _mail(verb, argument, offer, smtputf8)
    return evolve(event, envelope=evolve(event.envelope, manner=Manner(verb)))


def _rcpt(_verb: str, argument: str, offer: Offer, smtputf8: bool) -> Event:
    strict = offer.settings.strict_syntax
    path, parameters = split_path(argument, "TO:", replies.RCPT_SYNTAX, strict=strict)
    forward_path = parse_path(path, parse_forward_path, 553, "5.1.3", bare=offer.settings.bare_addresses)
    if forward_path.needs_smtputf8 and not smtputf8:
        raise Fault(replies.UTF8_RECIPIENT)
    if not parameters:
        return events.Rcpt(Recipient(forward_path))
    draft = RcptDraft(forward_path, smtputf8)
    read_parameters(parameters, offer.rcpt, draft, strict=strict)
    return events.Rcpt(Recipient(forward_path, draft.notify, draft.original))


def _bare(event: Event) -> Callable[[str, str, Offer, bool], Event]:
    """Read a command that has no argument."""

    def read(_verb: str, argument: str, _offer: Offer, _smtputf8: bool) -> Event:
        # Blanks at the end of a line are tolerated by every server (RFC 5321 4.1.1).
        if argument.strip():
            raise Fault(replies.NO_ARGUMENT)
        return event

    return read


def _noop(_verb: str, _argument: str, _offer: Offer, _smtputf8: bool) -> Event:
    return events.Noop()


def _help(_verb: str, argument: str, _offer: Offer, _smtputf8: bool) -> Event:
    return events.HelpAsked(argument.strip())


def _asking(make: Callable[[str], Event]) -> Callable[[str, str, Offer, bool], Event]:
    """Read VRFY or EXPN, whose argument may end with SMTPUTF8 (RFC 6531 section 3.7.4.2)."""

    def read(_verb: str, argument: str, offer: Offer, _smtputf8: bool) -> Event:
        words = argument.strip()
        if offer.with_smtputf8 and words.upper().endswith(" SMTPUTF8"):
            words = words[: -len(" SMTPUTF8")].rstrip()
        if not words:
            raise Fault(replies.ARGUMENT_NEEDED)
        return make(words)

    return read


def _auth(_verb: str, argument: str, _offer: Offer, _smtputf8: bool) -> Event:
    words = argument.split()
    if len(words) not in (1, 2) or not _MECHANISM.fullmatch(words[0].upper()):
        raise Fault(replies.AUTH_SYNTAX)
    if len(words) == 1:
        return events.Authenticate(words[0].upper())
    return events.Authenticate(words[0].upper(), b"" if words[1] == "=" else decode_response(words[1]))


def decode_response(text: str) -> bytes:
    """Decode base64; Fault for anything else, blanks and missing padding too (RFC 4954 section 4, RFC 4648 section 4)."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Fault(replies.AUTH_NOT_BASE64) from None


def read_extra(verb: str, argument: str) -> Event:
    """Give the event of a command that an extension added."""
    return events.Extra(verb, argument.strip())


def read_chunk(argument: str) -> Chunk:
    """Read the argument of BDAT; Fault ends the session, since what follows may be content (RFC 3030 section 2)."""
    found = _CHUNK.fullmatch(argument.strip())
    if found is None:
        raise Fault(replies.BDAT_SYNTAX)
    return Chunk(int(found[1]), found[2] is not None)


_BOTH = {
    "MAIL": Verb(Command.MAIL, _mail),
    "RCPT": Verb(Command.RCPT, _rcpt),
    "DATA": Verb(Command.DATA, _bare(events.Data())),
    "RSET": Verb(Command.RSET, _bare(events.Reset())),
    "NOOP": Verb(Command.NOOP, _noop),
    "QUIT": Verb(Command.QUIT, _bare(events.Quit())),
    "VRFY": Verb(Command.NOOP, _asking(events.Verify)),
    "EXPN": Verb(Command.NOOP, _asking(events.Expand)),
    "HELP": Verb(Command.NOOP, _help),
}

VERBS: Mapping[str, Verb] = {**_BOTH, "EHLO": Verb(Command.HELLO, _hello), "HELO": Verb(Command.HELLO, _hello)}
"""The verbs of SMTP."""

LMTP_VERBS: Mapping[str, Verb] = {**_BOTH, "LHLO": Verb(Command.HELLO, _hello)}
"""The verbs of LMTP: EHLO and HELO are not among them (RFC 2033 section 4.1)."""

BY_EXTENSION: Mapping[str, Verb] = {
    "STARTTLS": Verb(Command.STARTTLS, _bare(events.StartTls())),
    "AUTH": Verb(Command.AUTH, _auth),
    "SEND": Verb(Command.MAIL, _send),
    "SOML": Verb(Command.MAIL, _send),
    "SAML": Verb(Command.MAIL, _send),
}
"""Verbs that only an extension opens but that the machine itself must know; BDAT is read apart."""

NOT_OURS: Mapping[str, Reply] = {
    **dict.fromkeys(
        ("AUTH", "BDAT", "STARTTLS", "ETRN", "ATRN", "BURL", "SEND", "SOML", "SAML", "VERB"), replies.NOT_OFFERED
    ),
    "TURN": replies.TURN_IS_INSECURE,
}
"""Verbs of RFCs which get 502 and not 500 where no extension offers them (RFC 5321 section 4.2.4)."""
