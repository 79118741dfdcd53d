"""The argument of MAIL and RCPT: a path, then parameters (RFC 5321 4.1.1.2, 4.1.1.3, 4.1.1.11, 4.1.2).

The grammar::

    mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]
    rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters]
    esmtp-param = esmtp-keyword ["=" esmtp-value]

People type blanks before ``FROM:`` and after it and forget the brackets; all that is understood unless the settings say
``strict_syntax``. Blanks at the end of a line are always understood (4.1.1).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from mailnode.mail.address import AddressFault, Mailbox, parse_mailbox
from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.faults import Fault

Draft = TypeVar("Draft")

_PATH = re.compile(r'<(?:[^"<>]|"(?:[^"\\]|\\.)*")*>')
_UNBRACKETED = re.compile(r'(?:[^"<> ]|"(?:[^"\\]|\\.)*")+')
_BLANKS = " \t"
_KEYWORD = re.compile(r"[A-Z0-9][A-Z0-9-]*", re.ASCII)


def split_path(argument: str, keyword: str, syntax: Reply, *, strict: bool) -> tuple[str, str]:
    """Split ``FROM:<a@b> SIZE=9`` into the path in its brackets and the rest; Fault with ``syntax`` if it is not that."""
    start = len(keyword)
    argument = argument.rstrip(_BLANKS) if strict else argument.strip(_BLANKS)
    if argument[:start].upper() != keyword:
        raise Fault(syntax)
    if not strict:
        while argument[start : start + 1] in (" ", "\t"):
            start += 1
    path = _path_at(argument, start, strict=strict)
    if not path:
        raise Fault(syntax)
    rest = argument[start + len(path) :]
    if rest and rest[0] != " ":
        raise Fault(syntax)
    return path if path[0] == "<" else f"<{path}>", rest[1:]


def _path_at(argument: str, start: int, *, strict: bool) -> str:
    if argument[start : start + 1] != "<":
        found = None if strict else _UNBRACKETED.match(argument, start)
        return found[0] if found else ""
    end = argument.find(">", start)
    if '"' not in argument[start:end]:
        return argument[start : end + 1]
    found = _PATH.match(argument, start)
    return found[0] if found else ""


def parse_path(path: str, parse: Callable[[str], Mailbox], code: int, status: str, *, bare: bool = False) -> Mailbox:
    """Read the path; Fault with the address's own sentence when it is none (RFC 3463 section 3.2).

    With ``bare`` a local part alone is an address too; its domain is empty.
    """
    try:
        return parse(path)
    except AddressFault as fault:
        found = _bare(path) if bare else None
        if found is not None:
            return found
        raise Fault(Reply.of(code, status, str(fault))) from None


def _bare(path: str) -> Mailbox | None:
    try:
        found = parse_mailbox(f"{path[1:-1]}@bare.invalid")
    except AddressFault:
        return None
    return Mailbox(found.local_part, "") if found.domain == "bare.invalid" and found.local_part else None


def read_parameters(
    text: str, known: Mapping[str, Callable[[Draft, str | None], None]], draft: Draft, *, strict: bool
) -> None:
    """Read every parameter into the draft; Fault for one that is unknown, wrong or there twice."""
    seen: set[str] = set()
    for parameter in _split(text, strict=strict):
        keyword, equals, value = parameter.partition("=")
        keyword = keyword.upper()
        if keyword in seen:
            raise Fault(replies.PARAMETER_TWICE)
        seen.add(keyword)
        read = known.get(keyword)
        if read is None:
            raise Fault(replies.PARAMETER_UNKNOWN if _KEYWORD.fullmatch(keyword) else replies.PARAMETER_SYNTAX)
        if equals and (not value or "=" in value):
            raise Fault(replies.PARAMETER_SYNTAX)
        read(draft, value if equals else None)


def _split(text: str, *, strict: bool) -> Iterator[str]:
    for parameter in text.split(" "):
        if parameter:
            yield parameter
        elif strict:
            raise Fault(replies.PARAMETER_SYNTAX)
