"""Tests of couriers that are made when they are needed."""

from collections.abc import Mapping
from typing import Any, cast

from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Outcome
from mailnode.service.late import LateCourier
from tests.kit.results import now


class Counted:
    """A courier that counts how often it is asked and closed."""

    made = 0

    def __init__(self) -> None:
        Counted.made += 1
        self.carried = 0
        self.closed = 0

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Count."""
        self.carried += 1
        return {}

    async def close(self) -> None:
        """Count."""
        self.closed += 1


def test_it_is_made_once_and_asked_each_time() -> None:
    """The first message makes it; closing closes it."""
    Counted.made = 0
    late = LateCourier(cast("Any", Counted))
    assert not Counted.made
    request = cast("DeliveryRequest", None)
    assert now(late.carry(request)) == {}
    assert now(late.carry(request)) == {}
    now(late.close())
    made = cast("Counted", late.courier)
    assert (Counted.made, made.carried, made.closed) == (1, 2, 1)


def test_what_was_never_made_needs_no_closing() -> None:
    """A node that sends nothing out never loads what it takes to send."""
    Counted.made = 0
    now(LateCourier(cast("Any", Counted)).close())
    assert not Counted.made
