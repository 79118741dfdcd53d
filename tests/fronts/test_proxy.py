"""The PROXY header is read from any octets, however they are cut, and never raises."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.fronts.proxy import (
    INCOMPLETE,
    LONGEST_BODY,
    LONGEST_LINE,
    SIGNATURE,
    Header,
    Incomplete,
    Malformed,
    Place,
    read_header,
)

LINE = b"PROXY TCP4 203.0.113.9 192.0.2.1 40000 25\r\n"
LINE6 = b"PROXY TCP6 2001:db8::9 2001:db8::1 40000 25\r\n"


def binary(command: int, kind: int, body: bytes) -> bytes:
    """Write a header of version 2."""
    return SIGNATURE + bytes([command, kind]) + struct.pack("!H", len(body)) + body


def inet(client: str, server: str, fields: bytes = b"") -> bytes:
    """Write the header of a TCP connection."""
    places = [ipaddress.ip_address(one) for one in (client, server)]
    kind = 0x11 if places[0].version == 4 else 0x21
    return binary(0x21, kind, b"".join(one.packed for one in places) + struct.pack("!HH", 40000, 25) + fields)


WHOLE = {
    LINE: ("203.0.113.9", "192.0.2.1"),
    LINE6: ("2001:db8::9", "2001:db8::1"),
    b"PROXY TCP6 ::ffff:203.0.113.9 ::1 40000 25\r\n": ("203.0.113.9", "::1"),
    inet("203.0.113.9", "192.0.2.1"): ("203.0.113.9", "192.0.2.1"),
    inet("2001:db8::9", "2001:db8::1"): ("2001:db8::9", "2001:db8::1"),
    inet("203.0.113.9", "192.0.2.1", b"\x20\x00\x05\x01\x00\x00\x00\x00"): ("203.0.113.9", "192.0.2.1"),
    inet("::ffff:203.0.113.9", "::ffff:192.0.2.1"): ("203.0.113.9", "192.0.2.1"),
}
"""Headers, and whom they name."""

OWN = [
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    binary(0x20, 0x00, b""),
    binary(0x20, 0x11, b"\0" * 12),
    binary(0x21, 0x00, b""),
    binary(0x21, 0x31, b"\0" * 216),
]
"""Headers of a connection that is the front's own, or nobody's we could name."""

FAULTY = [
    b"EHLO client.example\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 40000\r\n",
    b"PROXY TCP4 203.0.113.900 192.0.2.1 40000 25\r\n",
    b"PROXY TCP4 2001:db8::9 2001:db8::1 40000 25\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 70000 25\r\n",
    b"PROXY TCP4  203.0.113.9 192.0.2.1 40000 25\r\n",
    b"PROXY UDP4 203.0.113.9 192.0.2.1 40000 25\r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 40000 25\n" + b"x" * 100,
    b"PROXY " + b"x" * LONGEST_LINE,
    binary(0x11, 0x11, b"\0" * 12),
    binary(0x22, 0x11, b"\0" * 12),
    binary(0x21, 0x12, b"\0" * 12),
    binary(0x21, 0x41, b"\0" * 12),
    binary(0x21, 0x11, b"\0" * 11),
    SIGNATURE + b"\x21\x11" + struct.pack("!H", LONGEST_BODY + 1),
]


@pytest.mark.parametrize("octets", WHOLE)
def test_the_client_and_what_it_reached(octets: bytes) -> None:
    """Both versions name the client and what it has reached; fields are skipped, and the rest is the client's."""
    client, server = WHOLE[octets]
    expected = Header(len(octets), Place(client, 40000), Place(server, 25))
    assert read_header(octets) == read_header(octets + b"EHLO client.example\r\n") == expected


@pytest.mark.parametrize("octets", [*WHOLE, *OWN])
def test_every_cut_of_a_header_waits_for_more(octets: bytes) -> None:
    """A header that is not whole is no fault."""
    assert {read_header(octets[:end]) for end in range(len(octets))} == {INCOMPLETE}


@pytest.mark.parametrize("octets", OWN)
def test_a_connection_that_is_the_fronts_own(octets: bytes) -> None:
    """LOCAL, UNKNOWN and unix sockets name nobody."""
    assert read_header(octets) == Header(len(octets))


@pytest.mark.parametrize("octets", FAULTY)
def test_what_is_no_header(octets: bytes) -> None:
    """Anything else is malformed, and says why."""
    found = read_header(octets)
    assert isinstance(found, Malformed)
    assert found.why


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21", SIGNATURE + b"\x21\x11\0\x0c"]),
    st.binary(),
)
def test_whatever_comes_it_never_raises(beginning: bytes, octets: bytes) -> None:
    """Any octets give one of the three values; what waits for more is short."""
    found = read_header(beginning + octets)
    assert isinstance(found, Header | Incomplete | Malformed)
    if isinstance(found, Incomplete):
        assert len(beginning + octets) < 16 + LONGEST_BODY


@given(st.ip_addresses(), st.integers(0, 65535), st.binary(max_size=64), st.integers(0, 300))
def test_any_client_however_cut(
    client: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, fields: bytes, cut: int
) -> None:
    """What was packed is read, wherever it is cut."""
    kind = 0x11 if client.version == 4 else 0x21
    octets = binary(0x21, kind, client.packed * 2 + struct.pack("!HH", port, 25) + fields)
    found = read_header(octets)
    assert isinstance(found, Header)
    assert found.client is not None
    mapped = getattr(client, "ipv4_mapped", None)
    assert (found.client.address, found.client.port) == (str(mapped or client), port)
    assert cut >= len(octets) or read_header(octets[:cut]) is INCOMPLETE
