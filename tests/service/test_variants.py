"""Each set of terms has a courier of its own, as long as a route has these terms."""

from typing import Any

from mailnode.interfaces import Courier
from mailnode.roles.unrouted import UNROUTED
from mailnode.routing.settings import RouteSettings
from mailnode.routing.terms import Terms
from mailnode.service.late import LateCourier
from mailnode.service.variants import Couriers


class _Made:
    """A courier that remembers how it was made and that it was closed."""

    def __init__(self, base: str = "", terms: Terms = Terms()) -> None:  # noqa: B008 - frozen
        self.base, self.terms = base, terms
        self.is_closed = False

    async def carry(self, _: Any) -> Any:
        """Never called."""
        raise NotImplementedError

    async def close(self) -> None:
        """Remember it."""
        self.is_closed = True


def test_couriers_come_and_go_with_the_routes() -> None:
    """Known terms have their courier; it is closed when the last route is gone, and its lanes are routed anew."""
    unrouted, plain = _Made(), _Made()
    own: dict[str, Courier] = {"smtp": plain, UNROUTED.courier: unrouted}
    couriers = Couriers(own, _Made)
    strict = RouteSettings("a.example", tls="verify")
    couriers.learn([strict, RouteSettings("b.example"), RouteSettings("c.example", courier="lmtp", tls="encrypt")])
    late = couriers["smtp+verify"]
    assert isinstance(late, LateCourier)
    made = late.courier
    assert isinstance(made, _Made)
    assert (made.base, made.terms) == ("smtp", Terms("verify"))
    assert set(couriers) == {"smtp", "unrouted", "smtp+verify", "lmtp+encrypt"}
    couriers.learn([strict])
    assert couriers["smtp+verify"] is late
    couriers.learn([])
    assert made.is_closed
    assert {name: couriers[name] for name in ("smtp+verify", "smtp")} == {"smtp+verify": unrouted, "smtp": plain}
    assert couriers.get("uucp") is None
    assert len(couriers) == 2
