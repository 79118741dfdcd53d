"""Domain names as the DNS sees them: A-labels, lower case, no final dot (RFC 5890 section 2.3.2.1, RFC 1035 2.3.1)."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

from mailnode.interfaces import NoSuchDomain
from mailnode.mail.domain import key

MAX_NAME = 253
"""Octets of a name as written, without its final dot (RFC 1035 section 2.3.4 gives 255 on the wire)."""

# The underscore is no letter of host names, but names such as _dmarc.example.org are asked for as well.
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


class CnameLoop(NoSuchDomain):
    """The name is an alias that leads back to itself, or on and on: there is nothing at its end."""


def to_a_labels(name: str) -> str:
    """Give the name as the DNS compares it; ValueError when it is none."""
    folded = name.removesuffix(".").lower()
    if not folded.isascii():
        try:
            folded = idna.encode(folded, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f'"{name}" is no domain name: {error}') from None
    if len(folded) > MAX_NAME or not _NAME.fullmatch(folded):
        raise ValueError(f'"{name}" is no domain name')
    return folded


def to_host_name(name: str) -> str:
    """Give the name of a host as the DNS compares it; ValueError for anything else, an IP address among it."""
    folded = to_a_labels(name)
    # A name that ends in digits would be read as an IPv4 address by many (RFC 1123 section 2.1).
    if folded.rpartition(".")[2].isdigit():
        raise ValueError(f'"{name}" is no host name')
    return folded


def is_host_name(name: str) -> bool:
    """Tell whether ``to_host_name`` would take it."""
    try:
        to_host_name(name)
    except ValueError:
        return False
    return True


def domain_key(domain: str) -> str:
    """Give the domain of a mailbox in the one form that is compared; ValueError when it is no domain."""
    return key(domain) if domain.startswith("[") else to_a_labels(domain)


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """Read an IP address; ValueError for anything else, a scope id among it."""
    if "%" in text:
        raise ValueError(f'"{text}" has a scope id')
    return ip_address(text)
