r"""Dialogues as RFC 5321 prints them, read from a file and held against whoever plays the server.

    # a comment
    @ lmtp                      an option, with or without ``= value``
    S: 220 mx.example           a reply line must begin so; ``...`` stands for anything
    C: MAIL FROM:<a@b.example>  sent with CRLF; several in a row leave in one write
    C: {x*5000}\n\              ``{text*count}`` repeats; \r \n \xNN \\ are octets; a backslash at the end: no CRLF
    M: text                     a line of the content that arrived last, with the same escapes

Before the next ``C:`` and at the end, exactly the reply lines written must have come.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

_REPEAT = re.compile(r"\{(.+?)\*(\d+)\}")
_ESCAPE = re.compile(rb"\\(r|n|\\|x[0-9a-fA-F]{2})")
_NAMED = {b"r": b"\r", b"n": b"\n", b"\\": b"\\"}


@frozen
class Exchange:
    """What is sent in one go, and what must come back."""

    sent: bytes
    """Empty for the greeting."""
    replies: tuple[str, ...]
    content: bytes | None = None
    """The content that must have arrived by now."""


@frozen
class Dialogue:
    """One file."""

    options: Mapping[str, str]
    exchanges: tuple[Exchange, ...]


def read_dialogue(path: Path) -> Dialogue:
    """Read a file; ValueError with the number of a line that is none of ours."""
    options: dict[str, str] = {}
    sent, replies, content = b"", [], None  # type: bytes, list[str], bytes | None
    exchanges: list[Exchange] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        mark, text = line[:3].strip(), line[3:]
        if mark == "C:":
            if replies:
                exchanges.append(Exchange(sent, tuple(replies), content))
                sent, replies, content = b"", [], None
            sent += _octets(text)
        elif mark == "S:":
            replies.append(text)
        elif mark == "M:":
            content = (content or b"") + _octets(text)
        elif mark.startswith("@"):
            key, _, value = line[1:].partition("=")
            options[key.strip()] = value.strip()
        elif mark and not mark.startswith("#"):
            raise ValueError(f"{path.name}:{number}: {line!r}")
    return Dialogue(options, (*exchanges, Exchange(sent, tuple(replies), content)))


def matches(expected: str, line: str) -> bool:
    """Tell whether a reply line begins as expected."""
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.match(pattern, line) is not None


def differences(exchange: Exchange, said: bytes) -> Iterator[str]:
    """Tell what was said otherwise than expected."""
    lines = said.decode("utf-8").split("\r\n")
    if lines.pop() != "":
        yield "a reply without CRLF at its end"
    if len(lines) != len(exchange.replies):
        yield f"{len(lines)} lines instead of {len(exchange.replies)}: {lines}"
    for expected, line in zip(exchange.replies, lines, strict=False):
        if not matches(expected, line):
            yield f"{line!r} instead of {expected!r}"


def _octets(text: str) -> bytes:
    text = _REPEAT.sub(lambda found: found[1] * int(found[2]), text)
    ends_open = text.endswith("\\") and not text.endswith("\\\\")
    raw = text.removesuffix("\\") if ends_open else text
    octets = _ESCAPE.sub(_unescaped, raw.encode())
    return octets if ends_open else octets + b"\r\n"


def _unescaped(found: re.Match[bytes]) -> bytes:
    return _NAMED.get(found[1]) or bytes([int(found[1][1:], 16)])
