"""The next hop of a Lane or a setting: the one grammar that settings, router and couriers read.

==========================  =======================================================
``example.org``             the MX records of example.org
``example.org:2525``        the MX records of example.org, but this port
``[relay.example.org]:26``  this host, no MX
``[192.0.2.7]``             this address (RFC 5321 section 4.1.3)
``[IPv6:2001:db8::1]:26``   this address and port; the tag may be left out
==========================  =======================================================
"""

import re

from attrs import frozen

from mailnode.routing.names import parse_address, to_host_name

_FORM = re.compile(r"(?:\[([^\[\]]*)\]|([^\[\]:]*))(?::([0-9]{1,5}))?", re.ASCII)
_EXPECTED = 'expected a next hop such as "example.org", "[relay.example.org]:26" or "[192.0.2.7]"'


@frozen
class NextHop:
    """A next hop, read."""

    host: str
    """A host name in A-labels and lower case, or an IP address without brackets."""
    port: int = 0
    """0 where none was given."""
    has_exchanges: bool = False
    """Its MX records are to be asked for."""
    is_address: bool = False


def parse_next_hop(text: str) -> NextHop:
    """Read a next hop; ValueError says what would be right."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f'{_EXPECTED}, not "{text}"')
    bracketed, name, port = found[1], found[2], _port(found[3], text)
    if bracketed is None:
        return NextHop(_host(name, text), port, has_exchanges=True)
    address = _address(bracketed)
    if address:
        return NextHop(address, port, is_address=True)
    return NextHop(_host(bracketed, text), port)


def parse_literal(domain: str) -> str:
    """Read the address literal of a mailbox and give the IP address; ValueError for any other domain (RFC 5321 4.1.3)."""
    address = _address(domain[1:-1]) if domain.startswith("[") and domain.endswith("]") else ""
    if not address:
        raise ValueError(f"{domain} is no address literal")
    return address


def literal_hop(address: str) -> str:
    """Write an IP address as a next hop."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _address(text: str) -> str:
    is_tagged = text[:5].lower() == "ipv6:"
    try:
        address = parse_address(text[5:] if is_tagged else text)
    except ValueError:
        return ""
    return "" if is_tagged and address.version == 4 else str(address)


def _host(name: str, text: str) -> str:
    try:
        return to_host_name(name)
    except ValueError:
        raise ValueError(f'{_EXPECTED}, not "{text}"') from None


def _port(digits: str | None, text: str) -> int:
    if digits is None:
        return 0
    if not 0 < int(digits) < 65536:
        raise ValueError(f'"{text}" has no port between 1 and 65535')
    return int(digits)
