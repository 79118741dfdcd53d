"""What a line that somebody says asks for: ``mailnode: to ann@example.com: text``."""

import re

from attrs import frozen

from mailnode.shipped.irc.words import cleaned, folded

_TO = re.compile(r"(?:to\s+)?<?([^\s<>@:,;\"]{1,64}@[^\s<>@:,;\"]{1,255})>?\s*[:,]?\s+(.*)", re.IGNORECASE)


@frozen
class Order:
    """Something to be sent."""

    to: str
    """A mail address; empty: the line names none."""
    text: str


def addressed(line: str, nicks: tuple[str, ...], prefix: str) -> str | None:
    """Give what a line in a channel says to us; None when it is not meant for us."""
    said = cleaned(line)
    if prefix and said.startswith(prefix.strip() + " "):
        return said[len(prefix.strip()) :].strip()
    name, mark, rest = _named(said)
    return rest.strip() if mark and folded(name) in map(folded, nicks) else None


def order(said: str) -> Order:
    """Read what is said to us."""
    found = _TO.fullmatch(said)
    return Order(found[1], found[2].strip()) if found else Order("", said.strip())


def may_write_to(address: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether an address is among those allowed: whole ones, or ``@domain``."""
    lowered = address.lower()
    return any(
        lowered == one.lower() or (one.startswith("@") and lowered.endswith(one.lower()) and lowered.count("@") == 1)
        for one in allowed
    )


def _named(said: str) -> tuple[str, str, str]:
    """Part a name at the line's beginning from what follows its colon or comma."""
    found = re.match(r"@?([^\s:,]{1,64})([:,])\s+(.*)", said)
    return (found[1], found[2], found[3]) if found else ("", "", "")
