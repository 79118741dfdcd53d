"""Patterns of ``[[route]]``: which addresses a route is for."""

from attrs import frozen

from mailnode.routing.names import domain_key, to_a_labels


@frozen
class Pattern:
    """One of ``user@domain``, ``domain``, ``*.domain`` and ``*``, read."""

    domain: str
    """In A-labels and lower case; empty matches every domain."""
    local_part: str = ""
    """Folded; empty matches every local part."""
    is_beneath: bool = False
    """It matches what stands beneath the domain, and not the domain."""

    def matches(self, local_part: str, domain: str) -> bool:
        """Tell whether an address is meant; ``domain`` as ``names.domain_key`` gives it."""
        if self.is_beneath:
            return domain.endswith(f".{self.domain}")
        return self.domain in ("", domain) and self.local_part in ("", local_part.casefold())


def parse_pattern(text: str) -> Pattern:
    """Read a pattern; ValueError says what would be right."""
    try:
        return _parse(text)
    except ValueError:
        forms = '"user@example.org", "example.org", "*.example.org" or "*"'
        raise ValueError(f'expected {forms}, not "{text}"') from None


def _parse(text: str) -> Pattern:
    if text == "*":
        return Pattern("")
    if text.startswith("*."):
        return Pattern(to_a_labels(text[2:]), is_beneath=True)
    local_part, at, domain = text.rpartition("@")
    if at and not local_part:
        raise ValueError(text)
    return Pattern(domain_key(domain), local_part.casefold())
