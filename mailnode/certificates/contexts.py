"""The OpenSSL contexts of one listener: one for each certificate, chosen by SNI (RFC 6066 section 3)."""

from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailnode.certificates.choice import Choice
from mailnode.certificates.clients import ask_for_certificates
from mailnode.certificates.reading import Read, end_point, fill, parse_pair
from mailnode.certificates.stock import Place, Stock, Unusable


@implementer(IOpenSSLServerConnectionCreator)
class Contexts:
    """Makes the OpenSSL end of new connections; ``factory`` is what Twisted's TLS protocol wants beside it."""

    def __init__(self, place: Place, stock: Stock, clock: IReactorTime) -> None:
        """Make them all; raises Unusable when there is no certificate."""
        pairs = [parse_pair(pair) for pair in stock.pairs_of(place)]
        if not pairs:
            raise Unusable(place.listener, "has no certificate to show")
        self._choice = Choice((_context(read, place, stock), read.names) for read in pairs)
        self._choice.first.set_tlsext_servername_callback(self._choose)
        nobody: Any = None  # the protocols are made elsewhere
        self.factory = TLSMemoryBIOFactory(self, False, nobody, clock)

    def _choose(self, connection: SSL.Connection) -> None:
        """Show the certificate for the name that was asked for."""
        asked = connection.get_servername()
        if asked is None:
            return
        chosen = self._choice.of(asked.decode("ascii", "replace"))
        if chosen is not self._choice.first:
            connection.set_context(chosen)

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: ARG002
        """Make one connection's end."""
        return SSL.Connection(self._choice.first, None)


def _context(read: Read, place: Place, stock: Stock) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    fill(context, read)
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    if place.client_ca:
        ask_for_certificates(context, place.client_ca, stock.authorities[place.client_ca])
    context.set_app_data(end_point(read.chain[0]))
    return context
