"""Matrix users that stand for mail addresses, and back (Matrix, appendix 4.2.1)."""

import re
from fnmatch import fnmatchcase

from attrs import frozen

from mailnode.gateways.api import parse_mailbox

MOST_USER = 255
"""Octets of a user id."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/+")
_ESCAPED = re.compile(r"=([0-9a-f]{2})")
_USER = re.compile(r"@[!-9;-~]{1,200}:[A-Za-z0-9.:\[\]-]{1,200}", re.ASCII)
_ALIAS = re.compile(r"#[^\x00-\x20:\x7f]{1,200}:[A-Za-z0-9.:\[\]-]{1,200}")


def is_user(text: str) -> bool:
    """Tell whether it is a user id."""
    return _USER.fullmatch(text) is not None and len(text) <= MOST_USER


def is_alias(text: str) -> bool:
    """Tell whether it is the alias of a room."""
    return _ALIAS.fullmatch(text) is not None and len(text.encode()) <= MOST_USER


@frozen
class Puppets:
    """The users of ours on one homeserver."""

    prefix: str
    server_name: str
    bot: str
    """The local part of the application service's own user."""

    def user(self, address: str) -> str:
        """Give the user that stands for a mail address; ValueError when it is too long to be one."""
        escaped = "".join(
            char if char in _PLAIN else "".join(f"={octet:02x}" for octet in char.encode()) for char in address.lower()
        )
        user = f"@{self.prefix}{escaped}:{self.server_name}"
        if len(user) > MOST_USER:
            raise ValueError(f"{address} is too long for a user id")
        return user

    def address(self, user: str) -> str:
        """Give the mail address that a user stands for; empty when he is none of ours."""
        head, tail = f"@{self.prefix}", f":{self.server_name}"
        if not user.startswith(head) or not user.endswith(tail):
            return ""
        escaped = user[len(head) : -len(tail)]
        try:
            address = re.sub(_ESCAPED, lambda found: chr(int(found[1], 16)), escaped).encode("latin-1").decode()
            parse_mailbox(address)
        except ValueError:
            return ""
        return address if self.user(address) == user else ""

    def is_ours(self, user: str) -> bool:
        """Tell whether a user is one of ours, whatever he stands for."""
        if user == f"@{self.bot}:{self.server_name}":
            return True
        return user.startswith(f"@{self.prefix}") and user.endswith(f":{self.server_name}")


def is_among(user: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a user fits a pattern such as ``@*:matrix.example``."""
    return any(fnmatchcase(user, pattern) for pattern in patterns)
