"""What the system's own files say about names: resolv.conf(5) and hosts(5), and a server as a setting."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen

from mailnode.routing.names import parse_address, to_a_labels


@frozen
class NameServer:
    """Where a DNS server listens."""

    address: str
    port: int = 53

    @property
    def is_loopback(self) -> bool:
        """Tell whether it runs on this machine."""
        return ip_address(self.address).is_loopback

    def __str__(self) -> str:
        """Render as in the settings."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


DEFAULT_SERVER = NameServer("127.0.0.1")
"""Asked where nothing names a server, as resolv.conf(5) has it."""

# Brackets, or no colon, or else the whole is an IPv6 address.
_SERVER = re.compile(r"(?:\[([^\]]+)\]|([^:\[]+))(?::([0-9]{1,5}))?|[0-9A-Fa-f:.]+", re.ASCII)

LOCALHOST = ("::1", "127.0.0.1")
"""What localhost is, whatever the DNS says (RFC 6761 section 6.3)."""


def parse_server(text: str) -> NameServer:
    """Read ``127.0.0.1``, ``127.0.0.1:53``, ``::1`` or ``[::1]:53``; ValueError says what would be right."""
    found = _SERVER.fullmatch(text)
    host, port = (found[1] or found[2] or text, int(found[3] or 53)) if found else ("", 0)
    try:
        address = str(parse_address(host))
    except ValueError:
        address = ""
    if not address or not 0 < port < 65536:
        raise ValueError(f'expected a DNS server such as "127.0.0.1:53" or "[::1]:53", not "{text}"')
    return NameServer(address, port)


def read_servers(path: str) -> tuple[NameServer, ...]:
    """Give the name servers of a resolv.conf; its search list and options do not count for mail."""
    found: list[NameServer] = []
    for words in _lines(path):
        if words[0] == "nameserver" and len(words) > 1:
            try:
                found.append(NameServer(str(parse_address(words[1]))))
            except ValueError:
                continue
    return tuple(found) or (DEFAULT_SERVER,)


def read_hosts(path: str) -> Mapping[str, tuple[str, ...]]:
    """Give the addresses of each name in a hosts file, IPv6 first; localhost is always there."""
    found: dict[str, list[str]] = {}
    for address, *names in _lines(path):
        try:
            parsed = str(parse_address(address))
            keys = [to_a_labels(name) for name in names]
        except ValueError:
            continue
        for key in keys:
            found.setdefault(key, []).append(parsed)
    found.setdefault("localhost", list(LOCALHOST))
    return {
        name: tuple(sorted(dict.fromkeys(addresses), key=lambda each: ":" not in each))
        for name, addresses in found.items()
    }


def _lines(path: str) -> Iterator[list[str]]:
    """Give the words of each line, without comments; a file that is not there has none."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
    except OSError:
        text = ""
    for line in text.splitlines():
        words = line.partition("#")[0].partition(";")[0].split()
        if words:
            yield words
