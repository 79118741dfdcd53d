"""What programs write is made lines: every line ends in CRLF, and a lone dot may end it all (RFC 5321 section 2.3.8)."""

from collections.abc import Iterable, Iterator


def crlf(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Make every line end CRLF, wherever the blocks are cut, and end the last line."""
    last = b""
    for block in blocks:
        held = b"\r" if last == b"\r" else b""
        whole = held + block
        last = whole[-1:]
        if last == b"\r":
            whole = whole[:-1]
        yield _repaired(whole)
    if last == b"\r" or last not in (b"", b"\n"):
        yield b"\r\n"


def _repaired(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


_DOT = b"\r\n.\r\n"


def until_dot(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Give what comes before a line with nothing but a dot, if there is one; the lines end in CRLF.

    Nothing is read beyond the block that holds it.
    """
    held = b"\r\n"  # in effect, a line end stands before the first line
    skipped = len(held)
    for block in blocks:
        held += block
        end = held.find(_DOT)
        if end >= 0:
            yield held[skipped : end + 2]
            return
        if len(held) > skipped + len(_DOT):
            # Its last octets may be the beginning of the dot's line.
            yield held[skipped : 1 - len(_DOT)]
            held, skipped = held[1 - len(_DOT) :], 0
    yield held[skipped:]
