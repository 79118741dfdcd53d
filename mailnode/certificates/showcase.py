"""What one process shows of itself in TLS: the contexts of now for each listener.

OpenSSL is imported with the first handshake, or a moment after the start (``warm_up``), not before: a node has to greet
soon, and may never see TLS. New certificates are for new handshakes; sessions that are there keep what they have.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.logger import Logger

from mailnode.certificates.stock import Stock, Unusable
from mailnode.wire import Channel, Transport, Wire

if TYPE_CHECKING:
    from mailnode.certificates.contexts import Contexts


class Showcase:
    """The certificates of one process. ``complete`` gives the stock what is only made when it is first needed."""

    log = Logger()

    def __init__(
        self, stock: Stock, clock: IReactorTime, complete: Callable[[Stock], Stock] = lambda stock: stock
    ) -> None:
        self._stock = stock
        self._clock = clock
        self._complete: Callable[[Stock], Stock] | None = complete
        self._shown: dict[str, Contexts] = {}

    @property
    def stock(self) -> Stock:
        """Give the whole stock; raises Unusable when it cannot be completed."""
        if self._complete is not None:
            self._stock = self._complete(self._stock)
            self._complete = None
        return self._stock

    @property
    def known(self) -> Stock:
        """Give the stock as far as it is known by now."""
        return self._stock

    def show(self, stock: Stock) -> None:
        """Show these from now on."""
        self._stock, self._complete = stock, None
        self._shown = {}

    def warm_up(self) -> None:
        """Make ready for handshakes at all places."""
        for place in self._stock.places:
            ListenerEncryption(self, place.listener).is_ready()

    def contexts(self, listener: str) -> "Contexts":
        """Give a listener's contexts; raises Unusable."""
        found = self._shown.get(listener)
        if found is None:
            from mailnode.certificates.contexts import Contexts  # noqa: PLC0415

            place = self.stock.place(listener)
            if place is None:
                raise Unusable(listener, "has no TLS")
            found = self._shown[listener] = Contexts(place, self.stock, self._clock)
        return found


class ListenerEncryption:
    """TLS on one listener; implements wire.Encryption."""

    def __init__(self, showcase: Showcase, listener: str) -> None:
        self._showcase = showcase
        self._listener = listener

    def is_ready(self) -> bool:
        """Tell whether a handshake could begin now."""
        try:
            self._showcase.contexts(self._listener)
        except Unusable as trouble:
            self._showcase.log.error(
                "No TLS on {listener}: {reason}", event="certificate", listener=self._listener, reason=str(trouble)
            )
            return False
        return True

    def cover(self, protocol: IProtocol, wire: Wire) -> Transport:
        """Begin a handshake; to be called only when ready."""
        from mailnode.certificates.layer import lay_over  # noqa: PLC0415

        return lay_over(self._showcase.contexts(self._listener), protocol, wire)

    def channel(self, covered: Transport) -> Channel:
        """Tell what the handshake came to."""
        from mailnode.certificates.layer import channel_of  # noqa: PLC0415

        return channel_of(covered)

    def why(self, error: BaseException) -> str:
        """Say why a handshake failed."""
        from mailnode.certificates.layer import reason_of  # noqa: PLC0415

        return reason_of(error)
