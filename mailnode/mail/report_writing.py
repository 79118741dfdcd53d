"""Fields of a report: values that came from others made harmless, lines folded, moments as dates."""

from email.utils import formatdate

MOST_OCTETS = 800
"""No value that came from others is longer than this; with a field's name it fits into a line (RFC 5322 2.1.1)."""


def date(moment: float) -> str:
    """Write a moment as a date-time (RFC 5322 section 3.3), in UTC."""
    return formatdate(moment)


def clean(text: str, *, is_utf8: bool) -> str:
    """Make hostile text harmless: one line, no controls, ASCII unless told otherwise, and not too long."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    words = " ".join(printable.split())
    octets = words.encode("utf-8", "replace") if is_utf8 else words.encode("ascii", "replace")
    return octets[:MOST_OCTETS].decode("utf-8", "ignore")


def fold(name: str, value: str) -> str:
    """Write a field, folded at blanks to 78 characters where it can be (RFC 5322 section 2.2.3)."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > 78 and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += " " + word
    return "\r\n".join(lines) + "\r\n"
