"""Admission: how many sessions there may be, in all and from one address.

Whoever has an IPv6 address has 2**64 of them: sessions are counted for the network of 64 bits (RFC 4291 section 2.5.1).
"""

from collections import Counter
from enum import Enum, auto
from ipaddress import IPv6Address

from twisted.internet.interfaces import IAddress

from mailnode.sessions.settings import SessionSettings


def plain_address(address: IAddress | None) -> str:
    """Give the IP address of one end of a connection, empty for a unix socket; a mapped IPv4 address is one of IPv4."""
    return str(getattr(address, "host", "")).removeprefix("::ffff:").partition("%")[0]


class Admitted(Enum):
    """The answer to a new connection."""

    YES = auto()
    LATER = auto()
    """The house is full; it may wait a little for a place."""
    NO = auto()
    TOO_MANY_FROM_ADDRESS = auto()


class Admission:
    """Counts the sessions of one process, over all its listeners."""

    def __init__(self, settings: SessionSettings) -> None:
        self.settings = settings
        self.sessions = 0
        self.waiting = 0
        self._by_address: Counter[str] = Counter()

    def ask(self, address: str, *, trusted: bool) -> Admitted:
        """Judge a new connection; nothing is counted yet."""
        if address and not trusted and self._by_address[neighbours(address)] >= self.settings.max_sessions_per_address:
            return Admitted.TOO_MANY_FROM_ADDRESS
        if self.has_place:
            return Admitted.YES
        return Admitted.LATER if self.waiting < self.settings.max_waiting_sessions else Admitted.NO

    @property
    def has_place(self) -> bool:
        """Tell whether one more session fits in."""
        return self.sessions < self.settings.max_sessions

    def enter(self, address: str) -> None:
        """Count a session in."""
        self.sessions += 1
        self._by_address[neighbours(address)] += 1

    def leave(self, address: str) -> None:
        """Count a session out."""
        self.sessions -= 1
        key = neighbours(address)
        left = self._by_address[key] - 1
        if left > 0:
            self._by_address[key] = left
        else:
            del self._by_address[key]


def neighbours(address: str) -> str:
    """Give what is equal for addresses that are counted together."""
    if ":" not in address:
        return address
    return IPv6Address(address).packed[:8].hex()
