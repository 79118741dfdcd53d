"""The addresses of a list: ``news@``, ``news-subscribe@``, ``news-confirm+TOKEN@`` and so on."""

import re
from collections.abc import Collection

from attrs import frozen

POST = "post"
ROLES = ("subscribe", "unsubscribe", "confirm", "request", "help", "owner", "bounces")
_WITH_TOKEN = ("unsubscribe", "confirm", "bounces")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,22}[a-z0-9])?")
"""So short that the longest token fits into a local part (64 octets, RFC 5321 section 4.5.3.1.1)."""


@frozen
class Place:
    """What a local part means."""

    name: str
    """The list."""
    role: str = POST
    token: str = ""

    @property
    def local_part(self) -> str:
        """Write it."""
        start = self.name if self.role == POST else f"{self.name}-{self.role}"
        return f"{start}+{self.token}" if self.token else start


def read_place(local_part: str, names: Collection[str]) -> Place | None:
    """Read a local part; None when it is no list's. Letters are the same in either case."""
    written, plus, token = local_part.lower().partition("+")
    name, dash, role = written.rpartition("-")
    if written in names:
        place = Place(written)
    elif dash and name in names and role in ROLES:
        place = Place(name, role, token)
    else:
        return None
    has_room = place.role in _WITH_TOKEN and bool(token)
    return place if has_room or not plus else None


def check_name(name: str) -> None:
    """Refuse a name no list can have; ValueError."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(f'a list is named by up to 24 small letters, digits, ".", "_" and "-", not "{name}"')
    if name.rpartition("-")[2] in ROLES and "-" in name:
        raise ValueError(f'"{name}" would be an address of another list')
