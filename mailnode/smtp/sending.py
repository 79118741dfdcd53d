"""Dot-stuffing for content that goes out in blocks (RFC 5321 section 4.5.2).

Blocks may end anywhere, also between CR and LF or before the dot. Only the last two octets of what went before are
remembered; the work in between is one ``bytes.replace``.
"""

_FIRST = b"\r\n"
"""Before the first line stands, in effect, the line end of DATA."""


class DotStuffing:
    """Stuffs the blocks of one message, then ends it."""

    def __init__(self) -> None:
        self._last = _FIRST

    def block(self, octets: bytes) -> bytes:
        """Give the block as it must stand on the wire."""
        if not octets:
            return octets
        last = self._last
        self._last = octets[-2:] if len(octets) > 1 else last[-1:] + octets
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        if last == b"\r\n" and octets.startswith(b"."):
            return b"." + stuffed
        if last.endswith(b"\r") and octets.startswith(b"\n."):
            return b"\n." + stuffed[1:]
        return stuffed

    def end(self) -> bytes:
        """Give the end of data; a CRLF first when the content lacks its last one."""
        return b".\r\n" if self._last == b"\r\n" else b"\r\n.\r\n"


def stuffed(content: bytes) -> bytes:
    """Give a whole message as it stands on the wire, with its end of data."""
    stuffing = DotStuffing()
    return stuffing.block(content) + stuffing.end()
