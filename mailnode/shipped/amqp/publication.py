"""What is published at once, and the seam to whatever publishes it."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from attrs import field, frozen


@frozen
class Publication:
    """What is published at once."""

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    content_type: str
    message_id: str
    timestamp: int
    """Seconds since the epoch: when the mail arrived."""
    headers: Mapping[str, Any]
    if_unroutable: Literal["failed", "delayed"] = "failed"


class Publisher(Protocol):
    """Publishes; ``amqp.publishing`` does it, and tests have their own."""

    async def publish(self, one: Publication) -> None:
        """Return when the broker has confirmed it, else raise Trouble or what the general table knows."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
