"""Lines as IRC can carry them: no controls, UTF-8, and no longer than the server passes on (RFC 2812 section 2.3)."""

import re
from collections.abc import Iterator

MOST_LINE = 512
"""Octets of a line, with its CRLF and the prefix that the server puts before it."""
LONGEST_USER, LONGEST_HOST = 11, 63
"""Octets of user name and host in a prefix; ours may change, so the longest count."""
_COLOURS = re.compile("\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?")
_JOINER = "\u200d"
_NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,63}", re.ASCII)
_CHANNEL = re.compile(r"[#&+!][^\x00-\x20,:\x7f]{1,63}")
_FOLDED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\^", "abcdefghijklmnopqrstuvwxyz{}|~")


def is_nick(name: str) -> bool:
    """Tell whether a person can be called so."""
    return _NICK.fullmatch(name) is not None


def is_channel(name: str) -> bool:
    """Tell whether a channel can be called so."""
    return _CHANNEL.fullmatch(name) is not None


def folded(name: str) -> str:
    """Give the form of a name in which equal names are the same: RFC 1459's, which holds on servers that know only ASCII too."""
    return name.translate(_FOLDED)


def cleaned(line: str) -> str:
    """Take out colours and controls; what stood around them stays apart."""
    bare = _COLOURS.sub("", line)
    spaced = "".join(char if char.isprintable() or char == _JOINER else " " for char in bare)
    return " ".join(spaced.encode("utf-8", "replace").decode().split())


def room(nick: str, command: str, target: str) -> int:
    """Give the octets that are left for the text of a line."""
    prefix = len(f":{nick}!@ ".encode()) + LONGEST_USER + LONGEST_HOST
    return MOST_LINE - 2 - prefix - len(f"{command} {target} :".encode())


def cut(line: str, octets: int) -> Iterator[str]:
    """Cut a cleaned line into pieces of at most so many octets, at blanks where there are some."""
    left = line
    while len(left.encode()) > octets:
        piece = left.encode()[:octets].decode("utf-8", "ignore")
        blank = piece.rfind(" ")
        if blank > len(piece) // 2:
            piece = piece[:blank]
        yield piece
        left = left[len(piece) :].lstrip(" ")
    if left:
        yield left


def written(header: str, text: str, octets: int, most: int) -> list[str]:
    """Write a message as at most ``most`` lines: its header line, its text, and how much of it is missing."""
    lines = [next(cut(cleaned(header), octets), "")]
    pieces = [piece for line in text.split("\n") for piece in cut(cleaned(line), octets)]
    if len(pieces) + 1 <= most:
        return lines + pieces
    kept = pieces[: max(0, most - 2)]
    missing = len(pieces) - len(kept)
    return [*lines, *kept, f"[... {missing} more {'line' if missing == 1 else 'lines'}]"][:most]
