"""TLS laid over one connection, and what came of its handshake.

The transport keeps what it is; only its protocol changes: octets received go to the TLS protocol, and from there to the
session as clear text. What the session says goes to the TLS protocol, and ciphertext from there by the same ``Wire`` to
the kernel as clear text went before. ``ITLSTransport.startTLS`` is not used: it sends each reply a turn of the loop later
and asks the global reactor for it.
"""

from typing import Any, cast

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.protocols.tls import TLSMemoryBIOProtocol

from mailnode.certificates.clients import Verdict, names_in
from mailnode.certificates.contexts import Contexts
from mailnode.certificates.reading import words_of
from mailnode.wire import Channel, Wire

_EXPORTER = (b"EXPORTER-Channel-Binding", 32)
"""Label and length of ``tls-exporter`` (RFC 9266 section 2); its context is empty."""


class Beneath:
    """The transport as TLS sees it."""

    def __init__(self, wire: Wire) -> None:
        self.write = wire.write
        self.loseConnection = wire.close
        self.abortConnection = wire.abort
        self._transport = wire.transport

    def __getattr__(self, name: str) -> Any:
        """Leave all else to the transport."""
        return getattr(self._transport, name)


def lay_over(contexts: Contexts, protocol: IProtocol, wire: Wire) -> TLSMemoryBIOProtocol:
    """Begin a handshake as the server; the result is what ``protocol`` has for a transport from now on."""
    covered = TLSMemoryBIOProtocol(contexts.factory, protocol, False)
    transport: Any = wire.transport
    transport.protocol = covered
    covered.makeConnection(Beneath(wire))
    covered.getHandle().set_app_data(Verdict())  # Twisted has put the protocol there, which only its own contexts want
    return covered


def channel_of(covered: object) -> Channel:
    """Tell what the handshake came to."""
    connection: SSL.Connection = cast("TLSMemoryBIOProtocol", covered).getHandle()
    version = connection.get_protocol_version_name()
    bindings = [("tls-server-end-point", connection.get_context().get_app_data())]
    if version == "TLSv1.3":
        # In TLS 1.2 it needs the extended master secret (RFC 9266 section 4.2), and pyOpenSSL does not tell of it.
        bindings.insert(0, ("tls-exporter", connection.export_keying_material(*_EXPORTER)))
    return Channel(f"{version} {connection.get_cipher_name()}", _names(connection), tuple(bindings))


def _names(connection: SSL.Connection) -> tuple[str, ...]:
    verdict: Verdict = connection.get_app_data()
    certificate = connection.get_peer_certificate(as_cryptography=True)
    if certificate is None or verdict.is_bad:
        return ()
    return names_in(certificate)


def reason_of(error: BaseException) -> str:
    """Say why there is no TLS, in a few words."""
    if isinstance(error, ConnectionDone | ConnectionLost):
        return "the client went away"
    return words_of(error)
