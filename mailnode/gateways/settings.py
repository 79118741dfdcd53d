"""The settings that every gateway has, whatever its kind: ``[gateway.NAME.queue]``, ``.source`` and ``.addresses``."""

import re
from collections.abc import Mapping

from attrs import Factory, field, frozen

from mailnode.mail.quantity import Seconds

_RATE = re.compile(r"(\d+)/(s|m|h|d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_rate(text: str) -> float:
    """Read "10/s", "60/m", "500/h" or "2000/d" as a number a second; 0 for the empty text: any rate. ValueError."""
    if not text:
        return 0.0
    found = _RATE.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(f'expected a rate such as "10/s", "60/m" or "500/h", not "{text}"')
    return int(found[1]) / _UNITS[found[2]]


def _check_rate(_: object, __: object, value: str) -> None:
    parse_rate(value)


@frozen
class GatewayQueueSettings:
    """How mail is handed to the other side."""

    retry: tuple[Seconds, ...] = ()
    """How long to wait after the first failed attempt, the second, and so on; the last repeats. Empty: that of [queue]."""
    give_up: Seconds = Seconds(0)
    """After how long a message is returned to its sender, if that is before give_up of [queue]; "0s": only that counts."""
    timeout: Seconds = Seconds(120)
    """How long one attempt may take."""
    concurrency: int = field(default=5)
    """Attempts at the same time; no more than lane_maximum of [queue]."""
    rate: str = field(default="", validator=_check_rate)
    """Recipients in a time, such as "10/s" or "500/h"; more wait. Empty: any number."""
    breaker_after: int = field(default=5)
    """Attempts in a row that could not reach the other side, after which nothing is tried for a while."""
    breaker_pause: Seconds = Seconds(30)
    """How long nothing is tried at first; doubled each time the other side is still not there."""
    breaker_longest: Seconds = Seconds(900)
    """How long nothing is tried at most."""
    receipt_silence: Seconds = Seconds(3 * 86400)
    """How long to wait for the receipt of what was handed on, before it counts as failed; "0s": for ever, and in silence."""
    max_hops: int = field(default=10)
    """How many times a message may pass through gateways; more is a loop."""

    @concurrency.validator
    @breaker_after.validator
    @max_hops.validator
    def _check_positive(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"expected 1 or more, not {value}")


@frozen
class GatewaySourceSettings:
    """What may come in from the other side."""

    relay: bool = False
    """Whether its people may send to any domain; else only to ours."""
    rate: str = field(default="50/s", validator=_check_rate)
    """Messages in a time from the other side as a whole; more are turned away for now. Empty: any number."""
    rate_per_sender: str = field(default="30/m", validator=_check_rate)
    """Messages in a time from one sender to one recipient; more are turned away for now. Empty: any number."""


@frozen
class GatewayAddressSettings:
    """How addresses of the two sides are turned into one another."""

    map: tuple[str, ...] = ()
    """Templates, "{number}@sms.example.org <-> {number}", the first that fits counts. Empty: those of the gateway's kind."""
    aliases: Mapping[str, str] = field(factory=dict)
    """Mail addresses and the names of the other side they stand for; they come before the templates."""
    reply_domain: str = ""
    """The domain of signed reply addresses; empty: the first domain that the gateway serves."""


@frozen
class GatewaySettings:
    """A ``[gateway.NAME]``."""

    kind: str = ""
    """What it is: the name of a kind that is installed, "package.module:Class", or "path/file.py:Class"."""
    queue: GatewayQueueSettings = Factory(GatewayQueueSettings)
    source: GatewaySourceSettings = Factory(GatewaySourceSettings)
    addresses: GatewayAddressSettings = Factory(GatewayAddressSettings)
    own: Mapping[str, object] = field(factory=dict)
    """All other keys, which are the kind's own."""


RESERVED = ("kind", "queue", "source", "addresses")
"""Keys that no kind of gateway can have for itself."""
