"""XCLIENT: a trusted front tells for whom it speaks (an extension of Postfix, described in its XCLIENT_README).

The grammar::

    xclient   = "XCLIENT" 1*( SP name "=" value )
    name      = "NAME" / "ADDR" / "PORT" / "PROTO" / "HELO" / "LOGIN" / "DESTADDR" / "DESTPORT"
    value     = xtext; "[UNAVAILABLE]" and "[TEMPUNAVAIL]" when it is not known, for good or for now

Addresses of IPv6 bear the prefix ``IPV6:``. What is not known of an address is never empty here, since an empty one is
that of a local socket, which may send to anywhere: it is the unspecified address, which nobody trusts. The front is
answered 220, like a greeting, and begins with EHLO again.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from attrs import evolve

from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.smtp.extensions import Extension
from mailnode.smtp.faults import Fault
from mailnode.smtp.xtext import decode_xtext

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it
"""Stands for an address that the front does not know."""

_UNAVAILABLE = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
_HELLO = re.compile(r"[^\s()<>;,\\\"\x00-\x1f\x7f]{1,255}")
_LONGEST_LOGIN = 255


def _wrong(what: str) -> Fault:
    return Fault(Reply.of(501, "5.5.4", f"Bad {what} in XCLIENT"))


def _address_of(value: str, name: str) -> str:
    if value.upper() in _UNAVAILABLE:
        return UNKNOWN_ADDRESS
    is_long = value[:5].upper() == "IPV6:"
    try:
        if not is_long:
            return str(IPv4Address(value))
        address = IPv6Address(value[5:].partition("%")[0])
    except ValueError:
        raise _wrong(name) from None
    return str(address.ipv4_mapped or address)


def _address(value: str) -> Mapping[str, Any]:
    return {"address": _address_of(value, "ADDR")}


def _destination(value: str) -> Mapping[str, Any]:
    return {"local_address": _address_of(value, "DESTADDR")}


def _port_of(value: str, name: str) -> int:
    if value.upper() in _UNAVAILABLE:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) < 65536):
        raise _wrong(name)
    return int(value)


def _port(value: str) -> Mapping[str, Any]:
    return {"port": _port_of(value, "PORT")}


def _destination_port(value: str) -> Mapping[str, Any]:
    _port_of(value, "DESTPORT")
    return {}


def _protocol(value: str) -> Mapping[str, Any]:
    if value.upper() not in ("SMTP", "ESMTP"):
        raise _wrong("PROTO")
    return {"is_extended": value.upper() == "ESMTP"}


def _hello(value: str) -> Mapping[str, Any]:
    if value.upper() in _UNAVAILABLE:
        return {"hello": ""}
    if not _HELLO.fullmatch(value):
        raise _wrong("HELO")
    return {"hello": value}


def _login(value: str) -> Mapping[str, Any]:
    if value.upper() in _UNAVAILABLE:
        return {"account": ""}
    if not value or len(value) > _LONGEST_LOGIN or not value.isprintable():
        raise _wrong("LOGIN")
    return {"account": value}


def _name(value: str) -> Mapping[str, Any]:
    """Read the client's name in the DNS, which nothing here goes by."""
    if value.upper() not in _UNAVAILABLE and not _HELLO.fullmatch(value):
        raise _wrong("NAME")
    return {}


_ATTRIBUTES: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "NAME": _name,
    "ADDR": _address,
    "PORT": _port,
    "PROTO": _protocol,
    "HELO": _hello,
    "LOGIN": _login,
    "DESTADDR": _destination,
    "DESTPORT": _destination_port,
}

_UNPROVED: Mapping[str, Any] = {"hello": "", "account": "", "user": "", "certificate_names": ()}
"""What the front itself may have proved or said, and what is not said of another one."""

XCLIENT = Extension("XCLIENT", " ".join(_ATTRIBUTES), verbs=("XCLIENT",))
"""For those who may speak for others."""

XCLIENT_UNSAID = Extension("XCLIENT", verbs=("XCLIENT",), is_said=False)
"""For all others of such a listener: they get 550, and are not told that others may."""


def read_xclient(argument: str, peer: Peer) -> Peer:
    """Read the attributes into what is known of the peer; Fault with 501 for a wrong one.

    With an address, somebody else speaks through the front: what was proved before was not proved by them.
    """
    changes: dict[str, Any] = {}
    words = argument.split()
    if not words:
        raise Fault(Reply.of(501, "5.5.4", "Syntax: XCLIENT attribute=value ..."))
    for word in words:
        name, equals, value = word.partition("=")
        read = _ATTRIBUTES.get(name.upper())
        if read is None or not equals:
            raise _wrong("attribute")
        try:
            changes.update(read(decode_xtext(value)))
        except ValueError:
            raise _wrong(name.upper()) from None
    proved = _UNPROVED if "address" in changes else {}
    return evolve(peer, **{**proved, **changes})
