"""Couriers for terms: one for each set of terms that routes have beyond those of ``[smtp]`` and ``[lmtp]``.

A lane's courier has the terms in its name (see ``routing.terms``). When the routes change, couriers of terms that no route has
any more are closed, and with them the credentials are out of use; what still waits in their lanes finds its way anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mailnode.interfaces import Courier
from mailnode.roles.unrouted import UNROUTED
from mailnode.routing.settings import RouteSettings
from mailnode.routing.terms import Terms, has_terms
from mailnode.service.late import LateCourier

MakeCourier = Callable[[str, Terms], Courier]
"""Makes a courier, given its name without terms, and its terms."""


class Couriers(Mapping[str, Courier]):
    """All couriers by name, as the queue asks for them; unknown terms lead to the courier that routes anew."""

    log = Logger()

    def __init__(self, couriers: dict[str, Courier], make: MakeCourier) -> None:
        self._couriers = couriers
        self._make = make
        self._closing: set[Deferred[None]] = set()

    def learn(self, routes: Iterable[RouteSettings]) -> None:
        """Have a courier for the terms of each of these routes, and of no other."""
        wanted = {route.carried_by: route for route in routes if has_terms(route.carried_by)}
        for name in [name for name in self._couriers if has_terms(name) and name not in wanted]:
            self._part(self._couriers.pop(name))
        for name, route in wanted.items():
            if name not in self._couriers:
                self._couriers[name] = self._late(route.courier, route.terms)

    def _late(self, base: str, terms: Terms) -> Courier:
        return LateCourier(lambda: self._make(base, terms))

    def _part(self, courier: Courier) -> None:
        closing = Deferred.fromCoroutine(courier.close())
        self._closing.add(closing)
        closing.addErrback(lambda failure: self.log.failure("A courier could not be closed", failure))
        closing.addBoth(lambda _: self._closing.discard(closing))

    def __getitem__(self, name: str) -> Courier:
        found = self._couriers.get(name)
        if found is None and has_terms(name):
            found = self._couriers.get(UNROUTED.courier)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._couriers)

    def __len__(self) -> int:
        return len(self._couriers)
