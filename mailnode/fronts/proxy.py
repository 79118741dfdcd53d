r"""The PROXY header: what a load balancer says before the client's own octets (haproxy's PROXY protocol, versions 1 and 2).

Version 1 is one line, ``PROXY TCP4 192.0.2.1 198.51.100.9 40000 25\r\n``; version 2 is binary: a signature of 12
octets, version and command, family, the length of what follows, addresses, and type-length-value fields, which are
skipped. Both say where the client comes from and what it wanted to reach, or that the connection is the front's own (``LOCAL``, a health
check) or that it cannot be said (``UNKNOWN``): then what the socket itself shows counts.

``read_header`` is a function of the octets received so far: whatever they are, it gives one of three values and raises
nothing. A client that came to the front by a unix socket is none we could name: it counts as the front itself, since
an empty address would make it a client of our own machine, which may send to anywhere.
"""

import re
from ipaddress import IPv4Address, IPv6Address

from attrs import frozen

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LONGEST_LINE = 107
"""Octets of a header of version 1 with its CRLF (section 2.1)."""
LONGEST_BODY = 4096
"""Octets after the fixed part of version 2 that are taken: addresses need 36 at most, the rest are fields we skip."""

_FIXED = 16
_LINE = re.compile(r"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]{1,5}) ([0-9]{1,5})", re.ASCII)
_VERSION, _LOCAL, _PROXY = 0x20, 0, 1
_STREAM = 1
_UNSPECIFIED, _INET, _INET6, _UNIX = 0, 1, 2, 3


@frozen
class Place:
    """An address and a port."""

    address: str
    port: int


@frozen
class Header:
    """What the front has said."""

    length: int
    """Octets of the header: those behind it are the client's."""
    client: Place | None = None
    """None: the front speaks for itself, or cannot tell."""
    server: Place | None = None
    """What the client has reached."""


@frozen
class Incomplete:
    """More octets must come first."""


@frozen
class Malformed:
    """It is no header."""

    why: str


INCOMPLETE = Incomplete()


def read_header(octets: bytes) -> Header | Incomplete | Malformed:
    """Read the header at the beginning of ``octets``."""
    if octets.startswith(SIGNATURE):
        return _binary(octets)
    if SIGNATURE.startswith(octets) or b"PROXY ".startswith(octets):
        return INCOMPLETE
    if octets.startswith(b"PROXY "):
        return _line(octets)
    return Malformed("it does not begin like one")


# --- version 1 --------------------------------------------------------------------------------------------------


def _line(octets: bytes) -> Header | Incomplete | Malformed:
    end = octets.find(b"\r\n", 0, LONGEST_LINE)
    if end < 0:
        return INCOMPLETE if len(octets) < LONGEST_LINE else Malformed("its line does not end")
    text = octets[:end].decode("latin-1")
    if text == "PROXY UNKNOWN" or text.startswith("PROXY UNKNOWN "):
        return Header(end + 2)
    found = _LINE.fullmatch(text)
    if found is None:
        return Malformed("its line is none")
    family = IPv4Address if found[1] == "TCP4" else IPv6Address
    try:
        client, server = _plain(family(found[2])), _plain(family(found[3]))
    except ValueError:
        return Malformed("it has no proper addresses")
    ports = int(found[4]), int(found[5])
    if max(ports) > 65535:
        return Malformed("it has no proper ports")
    return Header(end + 2, Place(client, ports[0]), Place(server, ports[1]))


# --- version 2 --------------------------------------------------------------------------------------------------


def _binary(octets: bytes) -> Header | Incomplete | Malformed:
    if len(octets) < _FIXED:
        return INCOMPLETE
    command = octets[12]
    size = int.from_bytes(octets[14:16], "big")
    if command & 0xF0 != _VERSION or command & 0x0F not in (_LOCAL, _PROXY):
        return Malformed("it has an unknown version or command")
    if size > LONGEST_BODY:
        return Malformed(f"it has more than {LONGEST_BODY} octets")
    length = _FIXED + size
    if len(octets) < length:
        return INCOMPLETE
    if command & 0x0F == _LOCAL:
        return Header(length)
    return _addresses(octets[13], octets[_FIXED:length], length)


def _addresses(kind: int, body: bytes, length: int) -> Header | Malformed:
    family, transport = kind >> 4, kind & 0x0F
    if family in (_UNSPECIFIED, _UNIX):
        return Header(length)
    if family not in (_INET, _INET6) or transport != _STREAM:
        return Malformed("it has a family that mail does not come by")
    width = 4 if family == _INET else 16
    if len(body) < 2 * width + 4:
        return Malformed("its addresses are cut off")
    client, server = (_packed(body[start : start + width]) for start in (0, width))
    ports = (int.from_bytes(body[start : start + 2], "big") for start in (2 * width, 2 * width + 2))
    return Header(length, *(Place(address, port) for address, port in zip((client, server), ports, strict=True)))


def _packed(octets: bytes) -> str:
    return _plain(IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets))


def _plain(address: IPv4Address | IPv6Address) -> str:
    """Write an address; a mapped one of IPv4 is one of IPv4, however it came."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
