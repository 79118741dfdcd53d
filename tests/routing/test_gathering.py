"""Several coroutines at once."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from mailnode.routing.gathering import gather
from tests.kit.results import now


async def wait_for(gate: Deferred[Any]) -> Any:
    """Wait."""
    return await gate


def test_results_come_in_order() -> None:
    """Whoever ends first, the order is that of the coroutines."""
    gates: list[Deferred[int]] = [Deferred(), Deferred()]
    both = Deferred.fromCoroutine(gather(wait_for(gate) for gate in gates))
    gates[1].callback(2)
    gates[0].callback(1)
    found: list[list[int]] = []
    both.addCallback(found.append)
    assert found == [[1, 2]]


def test_the_first_exception_comes_as_it_is() -> None:
    """No wrapper hides what went wrong."""
    gates: list[Deferred[int]] = [Deferred(), Deferred()]
    gates[1].errback(LookupError("x"))
    with pytest.raises(LookupError):
        now(gather(wait_for(gate) for gate in gates))


def test_cancelling_cancels_all() -> None:
    """All are cancelled, and whoever waits sees CancelledError."""
    gates: list[Deferred[int]] = [Deferred(), Deferred()]
    both = Deferred.fromCoroutine(gather(wait_for(gate) for gate in gates))
    both.cancel()
    kinds: list[object] = []
    both.addErrback(lambda failure: kinds.append(failure.type))
    assert kinds == [CancelledError]
    assert all(gate.called for gate in gates)
