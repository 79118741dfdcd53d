"""Contents sent and arrived: made alike, compared octet by octet, and random ones of any size."""

import hashlib
import random

_END = b"end\r\n"
_TRACE = (b"return-path:", b"delivered-to:", b"received:", b"x-original-to:", b"authentication-results:")


def crlf(octets: bytes) -> bytes:
    """Give the same lines with CRLF ends, whatever ends they had; the last line gets one too."""
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not lines.endswith(b"\n"):
        lines += b"\n"
    return lines.replace(b"\n", b"\r\n")


def digest(octets: bytes) -> str:
    """Name octets by their SHA-256, line ends made CRLF first (a Maildir keeps them as it likes)."""
    return hashlib.sha256(crlf(octets)).hexdigest()


def below_trace(arrived: bytes) -> bytes:
    """Cut off the trace fields that the servers on the way have put on top (RFC 5321 section 4.4)."""
    rest = crlf(arrived)
    while rest.lower().startswith(_TRACE):
        _, _, rest = rest.partition(b"\r\n")
        while rest.startswith((b" ", b"\t")):
            _, _, rest = rest.partition(b"\r\n")
    return rest


def assert_carried(arrived: bytes, sent: bytes) -> None:
    """Hold that what arrived is what was sent, with nothing but trace fields on top."""
    whole, tail = crlf(arrived), crlf(sent)
    assert digest(whole[-len(tail) :]) == digest(tail), f"sent {len(tail)} octets, arrived {whole[:2000]!r}"
    on_top = whole[: -len(tail)]
    assert below_trace(on_top) in (b"", b"\r\n"), f"more than trace fields on top: {on_top!r}"


def letter(size: int, seed: int = 0, *, to: str = "ann@example.org", sender: str = "bob@example.net") -> bytes:
    """Make a complete message of about ``size`` octets: random text of lines to 76, some of them beginning with dots."""
    chance = random.Random(seed)
    header = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: letter {seed} of {size} octets\r\n"
        f"Date: Fri, 01 Aug 2025 12:00:00 +0000\r\nMessage-ID: <{seed}.{size}.{chance.getrandbits(64):x}@example.net>\r\n\r\n"
    ).encode()
    return header + _body(chance, max(0, size - len(header) - len(_END))) + _END


def _body(chance: random.Random, size: int) -> bytes:
    """Make about ``size`` octets of lines; a big body repeats one page, each time with its number."""
    page = b"".join(_line(chance) for _ in range(min(1000, size // 35 + 1)))
    pages = (b"page %d\r\n" % number + page for number in range(size // len(page) + 1))
    return b"".join(pages)[:size].rpartition(b"\r\n")[0] + b"\r\n"


def _line(chance: random.Random) -> bytes:
    start = chance.choice([b"", b"", b"", b".", b"..", b"From "])
    return start + chance.randbytes(chance.randrange(36)).hex().encode() + b"\r\n"
