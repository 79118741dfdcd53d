"""Address lists as they stand in header fields, read as they are: From, To, Cc and their like (RFC 5322 section 3.4).

Nothing is normalized. A list is cut into its tokens, and what matters is where they lie: so one address can be completed and
every other octet of the field, comments and folding and all, stays as it was. What is no list by the grammar (a quote or a
bracket that is never closed) is read as no list at all, and whoever changes fields leaves such a one alone.
"""

import re
from collections.abc import Iterator

from attrs import frozen

from mailnode.mail.address import NULL, AddressFault, Mailbox, parse_mailbox

MAX_COMMENT = 50
"""Comments within comments; deeper is hostile."""

_TOKEN = re.compile(
    rb'(?P<blank>[ \t\r\n]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<literal>\[[^\[\]\\]*\])|(?P<atom>[^][ \t\r\n()<>:;@\\,."]+)'
    rb"|(?P<special>[<>:;@,.])",
    re.DOTALL,
)
_COMMENT = re.compile(rb"[^()\\]+|\\.|[()]", re.DOTALL)


@frozen
class Token:
    """One token of a list, and where it lies."""

    kind: str
    """``atom``, ``quoted``, ``literal``, or the special character itself."""
    start: int
    end: int


@frozen
class Found:
    """One address of a list."""

    spec: bytes
    """The address without blanks, comments and brackets: ``ann@example.org``, or ``ann`` alone."""
    end: int
    """Where its last word ends in what was read."""
    is_bare: bool
    """It has no ``@``: there is only a local part."""

    @property
    def mailbox(self) -> Mailbox:
        """Read it; NULL when it is no address of the envelope's grammar."""
        try:
            return parse_mailbox(self.spec.decode())
        except (AddressFault, UnicodeDecodeError):
            return NULL


@frozen
class AddressList:
    """What a field's value says."""

    addresses: tuple[Found, ...]
    commas: tuple[int, ...]
    """Where each address ends for good: the place behind its comma."""


def read_list(value: bytes) -> AddressList | None:
    """Read an address list, or a single mailbox; None when it is none."""
    tokens = _tokens(value)
    if tokens is None:
        return None
    found: list[Found] = []
    commas: list[int] = []
    part: list[Token] = []
    in_angle = False
    for token in tokens:
        in_angle = token.kind == "<" or (in_angle and token.kind != ">")
        if not in_angle and token.kind in (",", ";"):
            found.extend(_address(value, part))
            part = []
            commas.append(token.end)
        elif not in_angle and token.kind == ":":
            # All before it was the name of a group.
            part = []
        else:
            part.append(token)
    if in_angle:
        return None
    found.extend(_address(value, part))
    return AddressList(tuple(found), tuple(commas))


def _tokens(value: bytes) -> list[Token] | None:
    tokens: list[Token] = []
    place = 0
    while place < len(value):
        if value[place : place + 1] == b"(":
            place = _after_comment(value, place)
            if place < 0:
                return None
            continue
        one = _TOKEN.match(value, place)
        if one is None:
            return None
        place = one.end()
        kind = one.lastgroup or ""
        if kind != "blank":
            tokens.append(Token(one[0].decode("ascii") if kind == "special" else kind, one.start(), one.end()))
    return tokens


def _after_comment(value: bytes, start: int) -> int:
    """Find the end of a comment, which may hold others; -1 when there is none."""
    depth = 0
    for one in _COMMENT.finditer(value, start):
        depth += {b"(": 1, b")": -1}.get(one[0], 0)
        if depth > MAX_COMMENT:
            return -1
        if not depth:
            return one.end()
    return -1


def _address(value: bytes, part: list[Token]) -> Iterator[Found]:
    """Find the address among the tokens of one member: within the angle brackets, or all there is."""
    kinds = [token.kind for token in part]
    if "<" in kinds:
        start = kinds.index("<")
        if ">" not in kinds[start:]:
            return
        part = part[start + 1 : kinds.index(">", start)]
        kinds = [token.kind for token in part]
        if kinds[:1] == ["@"] and ":" in kinds:
            # A source route: read past it (RFC 5322 section 4.4).
            part = part[kinds.index(":") + 1 :]
            kinds = [token.kind for token in part]
    if not part or kinds[-1] not in ("atom", "quoted", "literal"):
        return
    spec = b"".join(value[token.start : token.end] for token in part)
    if "@" in kinds:
        yield Found(spec, part[-1].end, is_bare=False)
    elif _is_local_part(kinds) and not spec.startswith(b"=?"):
        yield Found(spec, part[-1].end, is_bare=True)


def _is_local_part(kinds: list[str]) -> bool:
    """Tell words with dots between them from words in a row, which are a name without an address."""
    return all(kind in ("atom", "quoted") for kind in kinds[::2]) and all(kind == "." for kind in kinds[1::2])
