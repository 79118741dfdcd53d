"""What is added to a stream at once, and the seam to whatever adds it."""

from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen


@frozen
class Entry:
    """What is added to a stream at once."""

    stream: str
    key: str
    fields: Mapping[str, str | bytes] = field(repr=False)


class Adder(Protocol):
    """Adds entries; ``redis.adding`` does it, and tests have their own."""

    async def add(self, entry: Entry) -> str:
        """Add it and give its id; raises Trouble, or what the general table of troubles knows."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
