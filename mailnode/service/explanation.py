"""Explain a route: follow an address through aliases and lists to its ends, with the reason of each step."""

from collections.abc import AsyncIterator
from typing import Any, assert_never

from mailnode.interfaces import Router
from mailnode.mail.address import Mailbox
from mailnode.mail.route import Expansion, Refusal, Route, Routing

MOST_STEPS = 1000
"""Addresses that are followed at most; a list of lists can be longer than anyone will read."""


async def explain(router: Router, address: Mailbox) -> AsyncIterator[dict[str, Any]]:
    """Give a step for the address and for each that it stands for, in the order they are met."""
    waiting = [(address, 0)]
    met: set[Mailbox] = set()
    while waiting and len(met) < MOST_STEPS:
        current, depth = waiting.pop(0)
        if current in met:
            yield {"address": str(current), "depth": depth, "outcome": "seen", "why": ["it was met before"]}
            continue
        met.add(current)
        routing = await router.route(current)
        yield {"address": str(current), "depth": depth, **_item(routing)}
        if isinstance(routing, Expansion):
            if routing.own is not None:
                yield {"address": str(current), "depth": depth + 1, **_item(routing.own)}
            waiting[:0] = [(member, depth + 1) for member in routing.members]


def _item(routing: Routing) -> dict[str, Any]:
    match routing:
        case Route(lane, forward_path, why):
            return {
                "outcome": "route",
                "courier": lane.courier,
                "next_hop": lane.next_hop,
                "forward_path": str(forward_path),
                "why": list(why),
            }
        case Expansion(members, why, is_list):
            names = [str(member) for member in members]
            return {"outcome": "list" if is_list else "alias", "members": names, "why": list(why)}
        case Refusal(reply, why):
            return {"outcome": "refusal", "reply": str(reply), "why": list(why)}
        case _:
            assert_never(routing)
