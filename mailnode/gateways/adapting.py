"""Mail made fit for another system: its best text, its attachments, some of its header. Usable alone, on any EmailMessage.

Every octet may be hostile: a charset that does not exist, a part that lies about itself, an HTML page without end. What
cannot be read is replaced, what is too long is cut with a mark that says how much is missing, and nothing raises but what
the caller asked to be told of (``Trouble``).
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as policy
from typing import Literal

from attrs import frozen

from mailnode.gateways.flowed import from_flowed
from mailnode.gateways.outcomes import Delayed, Failed, Trouble

MOST_HTML = 512 * 1024
"""Characters of HTML that are turned into text; the rest is left out, and said so."""

UNREADABLE = Failed("the message cannot be read: it is not built as RFC 5322 and MIME say", "5.6.0")

AttachmentPolicy = Literal["drop", "link", "pass", "reject"]


@frozen
class Attachment:
    """A file that came with a message."""

    name: str
    """Never a path; empty names become ``attachment-1.bin`` and so on."""
    content_type: str
    octets: bytes


def read_mail(octets: bytes) -> EmailMessage:
    """Read a message with Python's email package; Trouble when it cannot be read at all."""
    try:
        return BytesParser(policy=policy).parsebytes(octets)
    except (RecursionError, ValueError, LookupError, AttributeError, IndexError, TypeError) as error:
        raise Trouble(UNREADABLE) from error


# --- text -------------------------------------------------------------------------------------------------------


def best_text(email: EmailMessage) -> str:
    """Give the text that says most: text/plain, else HTML turned into text, else nothing. LF line ends."""
    part = _body(email, "plain")
    if part is not None:
        text = decoded(part)
        if str(part.get_param("format", "")).lower() == "flowed":
            text = from_flowed(text, delsp=str(part.get_param("delsp", "")).lower() == "yes")
        return text.strip("\n")
    part = _body(email, "html")
    return html_to_text(decoded(part)) if part is not None else ""


def html_to_text(html: str) -> str:
    """Turn HTML into text with its tables and lists; needs ``inscriptis`` (mailnode[gateways])."""
    try:
        from inscriptis import get_text  # type: ignore[import-untyped]  # noqa: PLC0415 - only HTML needs it
    except ImportError:
        raise Trouble(Delayed("HTML needs inscriptis: pip install 'mailnode[gateways]'", "4.3.5")) from None
    kept = shortened(html, MOST_HTML, mark="")
    try:
        text = get_text(kept)
    except Exception as error:  # a parser of hostile input raises what it likes
        raise Trouble(UNREADABLE) from error
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    return text if len(kept) == len(html) else f"{text}\n[{len(html) - len(kept)} characters of HTML left out]"


def shortened(text: str, limit: int, mark: str = " [... {left} more characters]") -> str:
    """Cut text to ``limit`` characters, mark included; the mark says how many characters are missing."""
    if len(text) <= limit:
        return text
    if not mark:
        return text[:limit]
    kept = max(0, limit - len(mark.format(left=len(text))))
    end = mark.format(left=len(text) - kept)
    return (text[:kept].rstrip() + end)[:limit]


def in_charset(text: str, charset: str) -> tuple[str, int]:
    """Give the text as the charset can hold it, and how many characters had to become a question mark.

    Typographic signs become plain ones and accents go before a character is lost.
    """
    pieces, lost = [], 0
    for char in text:
        for form in (char, unicodedata.normalize("NFKC", char), _bare(char), _PLAINER.get(char, "")):
            if form and _fits(form, charset):
                pieces.append(form)
                break
        else:
            pieces.append("?")
            lost += 1
    return "".join(pieces), lost


_PLAINER = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2013": "-", "\u2014": "-",
    "\u2022": "*", "\u20ac": "EUR", "\xdf": "ss",
}  # fmt: skip


def _bare(char: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", char) if not unicodedata.combining(one))


def _fits(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeError:
        return False
    return True


def decoded(part: EmailMessage) -> str:
    """Decode a part's text whatever it claims to be, with LF line ends."""
    try:
        octets = part.get_payload(decode=True)
    except (ValueError, LookupError):
        octets = b""
    raw = octets if isinstance(octets, bytes) else b""
    charset = str(part.get_content_charset("utf-8"))
    try:
        text = raw.decode("utf-8" if charset in ("us-ascii", "unknown-8bit") else charset, "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _body(email: EmailMessage, kind: str) -> EmailMessage | None:
    try:
        found = email.get_body((kind,))
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError, KeyError) as error:
        raise Trouble(UNREADABLE) from error
    return found if isinstance(found, EmailMessage) else None


# --- attachments ------------------------------------------------------------------------------------------------


def attachments_of(email: EmailMessage) -> tuple[Attachment, ...]:
    """Give the files of a message: everything that is neither its text nor around its text."""
    return tuple(_attachments(email))


def _attachments(email: EmailMessage) -> Iterator[Attachment]:
    bodies = [_body(email, "plain"), _body(email, "html")]
    number = 0
    for part in _leaves(email):
        if any(part is body for body in bodies) or not isinstance(part, EmailMessage):
            continue
        number += 1
        yield Attachment(_file_name(part, number), part.get_content_type(), _octets(part))


def _leaves(part: EmailMessage) -> Iterator[EmailMessage]:
    """Walk to what has no parts; an attached message is one file."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for inner in part.iter_parts():
            yield from _leaves(inner)  # type: ignore[arg-type]  # this policy makes no other parts
    else:
        yield part


def _octets(part: EmailMessage) -> bytes:
    if part.get_content_maintype() == "message" and part.is_multipart():
        return b"".join(inner.as_bytes() for inner in part.get_payload() if isinstance(inner, EmailMessage))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _file_name(part: EmailMessage, number: int) -> str:
    try:
        given = part.get_filename("") or ""
    except (ValueError, LookupError, TypeError):
        given = ""
    name = "".join(char for char in given.replace("\\", "/").rpartition("/")[2] if char.isprintable()).strip(". ")
    return name[:150] or f"attachment-{number}.bin"


@frozen
class Adapted:
    """What a policy made of the attachments."""

    text: str
    """The text, with a line for each attachment that was linked or left out."""
    files: tuple[Attachment, ...] = ()
    """What is to be passed on."""


def with_attachments(
    text: str,
    attachments: Sequence[Attachment],
    policy: AttachmentPolicy,
    link: Callable[[Attachment], str] | None = None,
) -> Adapted:
    """Treat attachments: drop them and say so, link them (``link`` keeps one and gives its URL), pass them, or reject.

    Reject raises Trouble with Failed 5.6.1.
    """
    if not attachments or policy == "pass":
        return Adapted(text, tuple(attachments))
    if policy == "reject":
        names = ", ".join(one.name for one in attachments)
        raise Trouble(Failed(f"attachments cannot be sent there: {names}", "5.6.1"))
    lines = [
        f"[{one.name}: {link(one)}]"
        if policy == "link" and link
        else f"[{one.name}, {len(one.octets)} octets, left out]"
        for one in attachments
    ]
    return Adapted("\n".join([*([text] if text else []), *lines]))


# --- header -----------------------------------------------------------------------------------------------------


def selected(email: EmailMessage, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Give these header fields as far as they are there: name as asked for, value decoded and on one line."""
    found: list[tuple[str, str]] = []
    for name in names:
        try:
            values = email.get_all(name, [])
        except (ValueError, LookupError, TypeError, AttributeError, IndexError):
            continue
        found.extend((name, header_line(str(value))) for value in values[:100])
    return tuple(found)


def header_line(text: str) -> str:
    """Make a value one line without controls."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:2000]
