"""TLS towards a next hop: the handshake, and what the certificate that was shown is worth.

The handshake itself never fails for a certificate: what is wrong with the chain is noted, and whoever opened the session
decides what that means for the message at hand. So one session can be told to be encrypted and not verified, which is what
opportunistic TLS is (RFC 7435), and another can be left before a word of mail is said.

A certificate is good when its chain leads to an authority of ours and its subjectAltName has one of the *references*: names
that did not come from an unsigned DNS answer (RFC 9525 section 6.1.2). Common names count for nothing. Neither revocation
lists nor OCSP are asked.
"""

from collections.abc import Collection
from typing import Any

from attrs import field, frozen
from cryptography import x509
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IProtocol, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailnode.certificates.layer import Beneath
from mailnode.certificates.policy import apply_policy
from mailnode.certificates.reading import alternative_names
from mailnode.mail.domain import literal_address
from mailnode.wire import Wire

_EXPORTER = (b"EXPORTER-Channel-Binding", 32)
"""Label and length of ``tls-exporter`` (RFC 9266 section 2); its context is empty."""

_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "comes from an authority we do not know",
    20: "comes from an authority we do not know",
    21: "comes from an authority we do not know",
    26: "is not for servers",
}
"""What OpenSSL's verification errors mean (X509_STORE_CTX_get_error); others are told by their number."""

_MOST_NAMES = 5
"""Names of a certificate that a diagnostic shows."""


class Covered(TLSMemoryBIOProtocol):
    """One connection with TLS over it, and what was noticed about the chain that was shown."""

    fault: str = ""
    """The first fault; empty when there is none."""


@frozen
class Secured:
    """What a handshake came to."""

    text: str
    """Version and cipher: ``"TLSv1.3 TLS_AES_256_GCM_SHA384"``."""
    trouble: str = ""
    """Why the certificate is not to be believed, a part of a sentence; empty when it is good."""
    binding: tuple[str, bytes] | None = field(default=None, repr=False)
    """What ties an authentication to this channel: the type and its data; None where there is none that is safe."""


class OutgoingTls:
    """Lays TLS over connections to next hops; one for all of them."""

    def __init__(self, ca_file: str, clock: IReactorTime) -> None:
        """Read the authorities from ``ca_file`` (PEM), or the system's when it is empty; blocks. Raises SSL.Error."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        apply_policy(context)
        if ca_file:
            context.load_verify_locations(ca_file)
        else:
            context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, _note)
        self._context = context
        self._clock = clock

    def lay_over(self, protocol: IProtocol, wire: Wire, host: str) -> Covered:
        """Begin a handshake with ``host``; the result is what ``protocol`` has for a transport from now on."""
        nobody: Any = None  # the protocol is made already
        factory = TLSMemoryBIOFactory(_Maker(self._context, host), True, nobody, self._clock)
        covered = Covered(factory, protocol, False)
        transport: Any = wire.transport
        transport.protocol = covered
        covered.makeConnection(Beneath(wire))
        return covered


@implementer(IOpenSSLClientConnectionCreator)
class _Maker:
    """Makes the OpenSSL end of a connection to one host."""

    def __init__(self, context: SSL.Context, host: str) -> None:
        self._context = context
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make it, asking for the host's own certificate (SNI, RFC 6066 section 3; an address is no name there)."""
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(tlsProtocol)
        if not _is_address(self._host):
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection


def _note(connection: SSL.Connection, _certificate: crypto.X509, error: int, _depth: int, is_good: int) -> bool:
    """Note a fault, and go on."""
    covered = connection.get_app_data()
    if not is_good and isinstance(covered, Covered) and not covered.fault:
        covered.fault = _FAULTS.get(error, f"cannot be verified (error {error})")
    return True


def secured(covered: Covered, references: Collection[str]) -> Secured:
    """Tell what the handshake came to; the certificate must be for one of ``references``, host names or IP addresses."""
    connection: SSL.Connection = covered.getHandle()
    version = connection.get_protocol_version_name()
    # In TLS 1.2 it needs the extended master secret (RFC 9266 section 4.2), and pyOpenSSL does not tell of it.
    is_bound = version == "TLSv1.3"
    binding = ("tls-exporter", connection.export_keying_material(*_EXPORTER)) if is_bound else None
    return Secured(f"{version} {connection.get_cipher_name()}", _trouble(covered, references), binding)


def _trouble(covered: Covered, references: Collection[str]) -> str:
    connection: SSL.Connection = covered.getHandle()
    certificate = connection.get_peer_certificate(as_cryptography=True)
    if certificate is None:
        return "it shows no certificate"
    if covered.fault:
        return f"its certificate {covered.fault}"
    if any(_is_for(connection, reference) for reference in references):
        return ""
    return f"its certificate is for {_names(certificate)}, not for {' or '.join(references) or 'a name that we know for certain'}"


def _is_for(connection: SSL.Connection, reference: str) -> bool:
    verify = verify_ip_address if _is_address(reference) else verify_hostname
    try:
        verify(connection, reference)
    except (VerificationError, CertificateError):
        return False
    return True


def _is_address(host: str) -> bool:
    return bool(literal_address(f"[{host}]") or literal_address(f"[IPv6:{host}]"))


def _names(certificate: x509.Certificate) -> str:
    named = alternative_names(certificate)
    names = [] if named is None else [str(name.value) for name in named]
    shown = [name for name in names[:_MOST_NAMES] if name.isprintable() and len(name) <= 255]
    return ", ".join(shown) + (" and others" if len(names) > len(shown) else "") or "no host"
