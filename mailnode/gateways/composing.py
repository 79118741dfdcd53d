"""The reverse: text, HTML and files become a correct MIME message, in the thread they belong to (RFC 5322, 2045, 3676).

Values may come from strangers: a line end in a subject is made a blank, never a new field.
"""

from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate

from attrs import field, frozen

from mailnode.gateways.adapting import Attachment, header_line
from mailnode.gateways.flowed import to_flowed
from mailnode.mail.address import Mailbox, parse_mailbox

MOST_REFERENCES = 20
"""Message-IDs in References: the first, which is the thread, and the last ones (RFC 5322 section 3.6.4)."""


@frozen
class Draft:
    """A message to be written."""

    sender: str
    """The mail address of whoever has written it; stands in From and is the reverse-path."""
    to: Sequence[str]
    text: str = ""
    html: str = ""
    """With text it becomes the other half of a multipart/alternative."""
    subject: str = ""
    sender_name: str = ""
    files: Sequence[Attachment] = ()
    in_reply_to: str = ""
    """The Message-ID, with its angle brackets, of what this answers."""
    references: Sequence[str] = ()
    """The Message-IDs of the thread so far, the oldest first."""
    message_id: str = ""
    """Empty: one is made."""
    date: float | None = None
    """Seconds since the epoch; None: now."""
    is_automatic: bool = False
    """A machine wrote it: then it says ``Auto-Submitted: auto-generated`` (RFC 3834)."""
    extra: Sequence[tuple[str, str]] = field(default=())
    """Further header fields."""
    cc: Sequence[str] = ()
    """Who gets it besides; stands in Cc. (Who stands in neither field is named to ``submit`` only.)"""
    names: Mapping[str, str] = field(factory=dict)
    """Names to be written before addresses of ``to`` and ``cc``."""


def compose(draft: Draft, *, now: float, message_id: str) -> bytes:
    """Write the draft as octets with CRLF line ends; ``message_id`` is used if it has none. ValueError for a bad address."""
    sender = parse_mailbox(draft.sender)
    to, cc = (
        [(parse_mailbox(address), draft.names.get(address, "")) for address in part] for part in (draft.to, draft.cc)
    )
    is_utf8 = sender.needs_smtputf8 or any(one.needs_smtputf8 for one, _ in (*to, *cc))
    email = EmailMessage(policy=SMTPUTF8 if is_utf8 else SMTP)
    email["From"] = _address(sender, draft.sender_name)
    if cc:
        email["Cc"] = [_address(*one) for one in cc]
    if to or not cc:
        email["To"] = [_address(*one) for one in to] or "undisclosed-recipients:;"
    email["Subject"] = header_line(draft.subject)
    email["Date"] = formatdate(now if draft.date is None else draft.date)
    email["Message-ID"] = _message_id(draft.message_id) or message_id
    _thread(email, draft)
    if draft.is_automatic:
        email["Auto-Submitted"] = "auto-generated"
    for name, value in draft.extra:
        email[name] = header_line(value)
    _content(email, draft)
    return email.as_bytes()


def _content(email: EmailMessage, draft: Draft) -> None:
    if draft.text or not draft.html:
        plain = _speakable(draft.text)
        email.set_content(to_flowed(plain) + "\n", charset=_charset(plain), params={"format": "flowed"})
    if draft.html:
        html = _speakable(draft.html)
        put = email.add_alternative if draft.text else email.set_content
        put(html, subtype="html", charset=_charset(html))
    for one in draft.files:
        maintype, _, subtype = one.content_type.partition("/")
        is_leaf = bool(subtype) and maintype in ("application", "audio", "font", "image", "text", "video")
        kind = (maintype, subtype) if is_leaf else ("application", "octet-stream")
        email.add_attachment(
            one.octets, maintype=kind[0], subtype=kind[1], filename=header_line(one.name) or "file.bin"
        )


def _thread(email: EmailMessage, draft: Draft) -> None:
    parent = _message_id(draft.in_reply_to)
    known = [one for one in map(_message_id, draft.references) if one]
    if parent and parent not in known:
        known.append(parent)
    if parent:
        email["In-Reply-To"] = parent
    if known:
        kept = known if len(known) <= MOST_REFERENCES else [known[0], *known[1 - MOST_REFERENCES :]]
        email["References"] = " ".join(kept)


def _message_id(text: str) -> str:
    """Give a Message-ID as it may stand in a header; empty for what is none."""
    line = header_line(text)
    is_one = line.startswith("<") and line.endswith(">") and " " not in line and line.isascii() and len(line) < 500
    return line if is_one and "@" in line else ""


def _address(mailbox: Mailbox, name: str = "") -> Address:
    return Address(header_line(name), mailbox.local_part, mailbox.domain)


def _speakable(text: str) -> str:
    """Take out what no mail program shows: controls but tabs and line ends, and halves of characters."""
    kept = "".join(
        char for char in text.replace("\r\n", "\n").replace("\r", "\n") if char in "\n\t" or char.isprintable()
    )
    return kept.encode("utf-8", "replace").decode()


def _charset(text: str) -> str:
    return "us-ascii" if text.isascii() else "utf-8"
