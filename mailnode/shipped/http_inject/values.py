"""What a request has to say, once read, and how single values of it are read. Pure.

Nothing from a request reaches a header with a line end in it: such a value is refused, not repaired, since whoever sent it either
errs or tries to write fields of his own.
"""

from attrs import field, frozen

from mailnode.gateways.api import Draft, Mailbox, parse_mailbox
from mailnode.shipped.http_inject.problems import Wrong

LONGEST_LINE = 2000
"""Characters of a subject, a name or another value of a header."""
MOST_RECIPIENTS = 1000
LONGEST_KEY = 255


@frozen
class Posted:
    """A message that was posted."""

    mail: Draft | bytes
    sender: Mailbox | None
    """The reverse-path; None is the null one."""
    to: tuple[Mailbox, ...]
    authors: tuple[tuple[str, Mailbox], ...] = field(default=())
    """Whom it says it is from, each with the place where it does."""


def clean(value: object, pointer: str) -> str:
    """Take a string that may hold lines of text."""
    if not isinstance(value, str):
        raise Wrong("invalid", "expected a string", pointer=pointer)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Wrong("malformed", f"half a character at {error.start}", pointer=pointer) from None
    return value


def line(value: object, pointer: str, most: int = LONGEST_LINE) -> str:
    """Take a string that may stand in a header."""
    text = clean(value, pointer)
    if len(text) > most:
        raise Wrong("invalid", f"longer than {most} characters", pointer=pointer)
    if not text.isprintable():
        place = next(place for place, char in enumerate(text) if not char.isprintable())
        raise Wrong("invalid", f"a control character or line end at {place}", pointer=pointer)
    return text.strip()


def address(value: object, pointer: str) -> Mailbox:
    """Take a mail address without a name."""
    text = line(value, pointer)
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise Wrong("invalid", f"no mail address: {error}", pointer=pointer) from None


def key(value: str | None) -> str:
    """Take an Idempotency-Key; it may be a quoted string, as its draft has it, or stand without quotes."""
    if value is None:
        return ""
    text = value.strip()
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if not 0 < len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise Wrong("invalid", f"an Idempotency-Key has 1 to {LONGEST_KEY} visible characters")
    return text
