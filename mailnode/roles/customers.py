"""Customers of On-Demand Mail Relay: which account may call for the mail of which domains (RFC 2645)."""

from collections.abc import Collection, Mapping
from pathlib import Path

from attrs import field, frozen

from mailnode.routing.names import domain_key


@frozen
class CustomerSettings:
    """A ``[[customer]]``: who calls for the mail of domains whose courier is odmr."""

    account: str = ""
    """The name it authenticates by: an account of this node, or any name with a password_file."""
    domains: tuple[str, ...] = ()
    """The domains whose mail it gets by ATRN; each is a [[domain]] with courier = "odmr"."""
    password_file: str = field(default="", repr=False)
    """A file whose first line is the password for CRAM-MD5, the mechanism that callers such as fetchmail know; empty: none."""


@frozen
class Customers:
    """All customers of a node; implements roles.on_demand.Customers."""

    _domains: Mapping[str, frozenset[str]]
    _secrets: Mapping[str, tuple[str, bytes]] = field(repr=False)

    def domains(self, account: str) -> Collection[str]:
        """Give the domains of an account, folded; none for whoever is no customer."""
        return self._domains.get(account.casefold(), frozenset())

    def secret(self, name: str) -> tuple[str, bytes] | None:
        """Give the account of a name and its password, if it has one of its own."""
        return self._secrets.get(name.casefold())

    @property
    def has_secrets(self) -> bool:
        """Tell whether anybody may use CRAM-MD5."""
        return bool(self._secrets)


def read_customers(settings: Collection[CustomerSettings]) -> Customers:
    """Read the table and the files it names; OSError when one cannot be read, ValueError when one holds no password."""
    domains = {one.account.casefold(): frozenset(map(domain_key, one.domains)) for one in settings}
    secrets = {
        one.account.casefold(): (one.account, read_password(one.password_file)) for one in settings if one.password_file
    }
    return Customers(domains, secrets)


def read_password(path: str) -> bytes:
    """Give the first line of a file; ValueError when it is empty."""
    with Path(path).open("rb") as file:
        line = file.readline(4096).rstrip(b"\r\n")
    if not line:
        raise ValueError(f"{path} holds no password")
    return line
