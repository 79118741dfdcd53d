"""Signed words that stand in addresses: tickets, which expire, and the tokens of members, which do not.

A ticket is ``ACTION-EXPIRY-MAC`` or, where it is about something of ours, ``ACTION-EXPIRY-NUMBER-MAC``. About an address
(255 octets would not fit) it holds the signature only: whoever brings it back brings the address too.
"""

from collections.abc import Iterable

from attrs import frozen

from mailnode.gateways.api import Signer

HOUR = 3600.0
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 8


@frozen
class Ticket:
    """A ticket that is ours and still counts."""

    action: str
    about: str
    """The address, or the number of what it is about."""


def in_letters(number: int) -> str:
    """Write a number in base 36."""
    written = ""
    while True:
        number, digit = divmod(number, 36)
        written = _DIGITS[digit] + written
        if not number:
            return written


def from_letters(text: str) -> int | None:
    """Read a number in base 36, of few digits."""
    is_number = bool(text) and len(text) <= _MOST_DIGITS and all(char in _DIGITS for char in text)
    return int(text, 36) if is_number else None


@frozen
class Tickets:
    """Writes and reads the tickets and tokens of one list."""

    name: str
    signer: Signer

    def for_address(self, action: str, address: str, until: float) -> str:
        """Write a ticket about an address."""
        expiry = _expiry(until)
        return f"{action}-{expiry}-{self._mac(action, expiry, address.lower())}"

    def for_number(self, action: str, number: int, until: float) -> str:
        """Write a ticket about something of ours."""
        expiry, about = _expiry(until), in_letters(number)
        return f"{action}-{expiry}-{about}-{self._mac(action, expiry, f'#{about}')}"

    def read(self, token: str, addresses: Iterable[str], now: float) -> Ticket | None:
        """Read a ticket, about one of these addresses or about a number; None when it does not count."""
        action, _, rest = token.partition("-")
        expiry, _, rest = rest.partition("-")
        about, _, mac = rest.rpartition("-")
        hours = from_letters(expiry)
        if hours is None or now >= hours * HOUR:
            return None
        if about:
            number = from_letters(about)
            is_ours = number is not None and self._is_ours(mac, action, expiry, f"#{about}")
            return Ticket(action, str(number)) if is_ours else None
        for address in addresses:
            if self._is_ours(mac, action, expiry, address.lower()):
                return Ticket(action, address)
        return None

    def for_member(self, purpose: str, number: int) -> str:
        """Write what names a member in the address of a copy."""
        about = in_letters(number)
        return f"{about}-{self._mac(purpose, '', about)}"

    def member(self, purpose: str, token: str) -> int | None:
        """Read which member a token names; None when it is not ours."""
        about, _, mac = token.lower().partition("-")
        number = from_letters(about)
        return number if number is not None and self._is_ours(mac, purpose, "", in_letters(number)) else None

    def _mac(self, action: str, expiry: str, about: str) -> str:
        return self.signer.mac(f"list {self.name} {action}", f"{expiry} {about}")

    def _is_ours(self, mac: str, action: str, expiry: str, about: str) -> bool:
        return self.signer.is_ours(f"list {self.name} {action}", f"{expiry} {about}", mac)


def _expiry(until: float) -> str:
    return in_letters(int(-(-until // HOUR)))
