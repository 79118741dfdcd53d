"""The right-hand side of an address: domain names and address literals (RFC 5321 4.1.2, 4.1.3; RFC 6531 3.3; RFC 5890).

A domain is kept as it was written. What compares and what is asked of the DNS is made here: ``ascii_form`` with every
U-label turned into its A-label, ``key`` folded as well. Both are cached, since mail comes from few domains many times.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

import idna

MAX_DOMAIN = 255
"""Octets of a domain (RFC 5321 4.5.3.1.2)."""

MAX_LABEL = 63
"""Octets of one label (RFC 1035 2.3.4)."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_GENERAL = re.compile(r"[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+", re.ASCII)
_IPV6_TAG = "ipv6:"


class AddressFault(ValueError):  # noqa: N818 - the word for what is wrong with what a peer sent
    """The text is no address; the message is a sentence that says why."""


@lru_cache(maxsize=4096)
def check(domain: str) -> None:
    """Raise AddressFault unless this is a domain name or an address literal in brackets."""
    if domain.startswith("["):
        _check_literal(domain)
    elif not _NAME.fullmatch(ascii_form(domain)):
        raise AddressFault(f"{_show(domain)} is not a domain name.")
    if len(ascii_form(domain)) > MAX_DOMAIN:
        raise AddressFault(f"A domain has at most {MAX_DOMAIN} octets.")


@lru_cache(maxsize=4096)
def ascii_form(domain: str) -> str:
    """Give the domain with A-labels in place of U-labels, otherwise as written; AddressFault for what is no U-label."""
    if domain.isascii():
        return domain
    if len(domain) > MAX_DOMAIN:  # as with labels: hundreds of them would be dear to work out
        raise AddressFault(f"A domain has at most {MAX_DOMAIN} octets.")
    return ".".join(label if label.isascii() else _a_label(label) for label in domain.split("."))


@lru_cache(maxsize=4096)
def key(domain: str) -> str:
    """Give what is equal for equal domains: A-labels, folded; literals in the one spelling of their address."""
    address = literal_address(domain)
    if isinstance(address, IPv6Address):
        return f"[ipv6:{address}]"
    return ascii_form(domain).lower()


def literal_address(domain: str) -> IPv4Address | IPv6Address | None:
    """Give the IP address of ``[192.0.2.1]`` or ``[IPv6:2001:db8::1]``; None for names and for other literals."""
    if not (domain.startswith("[") and domain.endswith("]")):
        return None
    inside = domain[1:-1]
    try:
        if inside[:5].lower() != _IPV6_TAG:
            return IPv4Address(inside)
        return None if "%" in inside else IPv6Address(inside[5:])
    except ValueError:
        return None


def _check_literal(domain: str) -> None:
    inside = domain[1:-1]
    if not domain.endswith("]") or (inside[:5].lower() == _IPV6_TAG and literal_address(domain) is None):
        raise AddressFault(f"{_show(domain)} is not an address literal.")
    is_general = _GENERAL.fullmatch(inside) and literal_address(f"[IPv6:{inside}]") is None  # the tag was forgotten
    if literal_address(domain) is None and not is_general:
        raise AddressFault(f"{_show(domain)} is not an address literal.")


def _a_label(label: str) -> str:
    if len(label) > MAX_LABEL:  # an A-label is never shorter, and nobody shall make us work it out
        raise AddressFault(f"A label of a domain has at most {MAX_LABEL} octets.")
    try:
        return idna.alabel(idna.uts46_remap(label, std3_rules=True)).decode("ascii")
    except UnicodeError as fault:
        raise AddressFault(f"{_show(label)} is not a label of an international domain name.") from fault


def _show(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
