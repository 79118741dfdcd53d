"""Choose among several by a host name: exact names first, then wildcards, then the first of all (RFC 6125 section 6.4.3)."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Choice(Generic[T]):
    """Things with the names they are good for; where two have the same name the earlier one is meant."""

    def __init__(self, things: Iterable[tuple[T, Sequence[str]]]) -> None:
        """Take at least one thing."""
        self._by_name: dict[str, T] = {}
        self.all: list[T] = []
        for thing, names in things:
            self.all.append(thing)
            for name in names:
                self._by_name.setdefault(name.rstrip("."), thing)

    @property
    def first(self) -> T:
        """Give what is shown to whoever asks for nothing we have."""
        return self.all[0]

    def of(self, name: str) -> T:
        """Give what is good for ``name``; a wildcard stands for exactly one label."""
        plain = name.lower().rstrip(".")
        found = self._by_name.get(plain)
        if found is None:
            _, _, parent = plain.partition(".")
            found = self._by_name.get(f"*.{parent}") if parent else None
        return self.first if found is None else found
