"""Read certificates and keys from PEM files, and say in words what is wrong with them (RFC 7468, RFC 5280).

A pair that has passed here can be shown: its key fits, its chain can be parsed, OpenSSL takes both.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from mailnode.certificates.policy import apply_policy
from mailnode.certificates.stock import Pair, Source, Unusable

LARGEST = 1 << 20
"""Octets of a PEM file that are read at most."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@frozen
class Read:
    """A pair, parsed."""

    chain: Sequence[x509.Certificate]
    """The certificate first."""
    key: Key

    @property
    def names(self) -> tuple[str, ...]:
        """Give the host names it is good for, in lower case, wildcards as they stand."""
        return host_names(self.chain[0])

    @property
    def expires(self) -> datetime:
        """Give the moment from which clients will not believe it."""
        return min(one.not_valid_after_utc for one in self.chain)


def read_pair(source: Source) -> Pair:
    """Read the files of a source, blocking; raises Unusable."""
    pair = Pair(source, read_file(source.certificate), read_file(source.private_key))
    parse_pair(pair)
    return pair


def read_file(path: str) -> bytes:
    """Read a PEM file, blocking; raises Unusable."""
    try:
        with Path(path).open("rb") as file:
            octets = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise Unusable(path, reason, is_forbidden=isinstance(error, PermissionError)) from None
    if len(octets) > LARGEST:
        raise Unusable(path, "is too large for a PEM file")
    return octets


def parse_pair(pair: Pair) -> Read:
    """Make objects of the PEM text; raises Unusable."""
    chain = parse_chain(pair.source.certificate, pair.chain)
    key = _parse_key(pair.source.private_key, pair.key)
    if _public(key) != _public(chain[0]):
        raise Unusable(pair.source.private_key, f"is not the key of the certificate in {pair.source.certificate}")
    try:
        fill(SSL.Context(SSL.TLS_METHOD), Read(chain, key))
    except SSL.Error as error:
        raise Unusable(pair.source.certificate, f"is not taken by OpenSSL: {words_of(error)}") from None
    return Read(chain, key)


def parse_chain(path: str, octets: bytes) -> list[x509.Certificate]:
    """Make certificates of PEM text; raises Unusable when there is none."""
    try:
        return x509.load_pem_x509_certificates(octets)
    except ValueError:
        raise Unusable(path, "holds no certificate in PEM form") from None


def _parse_key(path: str, octets: bytes) -> Key:
    try:
        key = load_pem_private_key(octets, password=None)
    except TypeError:
        raise Unusable(path, "holds a key that is encrypted; a server needs one without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable(path, "holds no private key in PEM form") from None
    if not isinstance(key, Key):
        raise Unusable(path, "holds a key that is neither RSA nor ECDSA")
    return key


def _public(owner: Key | x509.Certificate) -> bytes:
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fill(context: SSL.Context, read: Read) -> None:
    """Give a context the policy, the certificate, its chain and the key; raises SSL.Error."""
    apply_policy(context)
    context.use_certificate(read.chain[0])
    for one in read.chain[1:]:
        context.add_extra_chain_cert(one)
    context.use_privatekey(read.key)
    context.check_privatekey()


def words_of(error: BaseException) -> str:
    """Give OpenSSL's reason in its own words."""
    stack = error.args[0] if error.args else ()
    if isinstance(stack, (list, tuple)) and stack and isinstance(stack[-1], tuple):
        return str(stack[-1][-1]) or "unknown"
    return str(error) or "the connection was closed"


def host_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the DNS names of the subjectAltName; without one the common name (RFC 6125 section 6.4.4)."""
    named = alternative_names(certificate)
    if named is not None:
        return tuple(name.lower() for name in named.get_values_for_type(x509.DNSName))
    return tuple(name.lower() for name in subject_values(certificate, NameOID.COMMON_NAME))


def alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    """Give the subjectAltName (RFC 5280 section 4.2.1.6), None where there is none that can be read."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None


def subject_values(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> list[str]:
    """Give the texts of one kind in the subject's name."""
    return [str(one.value) for one in certificate.subject.get_attributes_for_oid(kind)]


def end_point(certificate: x509.Certificate) -> bytes:
    """Give the channel binding ``tls-server-end-point``: the certificate's hash (RFC 5929 section 4.1)."""
    try:
        used = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        used = None
    weak = used is None or used.name in ("md5", "sha1")
    chosen: HashAlgorithm = SHA256() if weak or used is None else used
    digest = Hash(chosen)
    digest.update(certificate.public_bytes(Encoding.DER))
    return digest.finalize()


def says_of_time(pair: Pair, now: float) -> str:
    """Say what is to be said of a certificate's days: that it has expired, or not begun; else nothing."""
    leaf = parse_chain(pair.source.certificate, pair.chain)[0]
    moment = datetime.fromtimestamp(now, UTC)
    if leaf.not_valid_after_utc < moment:
        return f"has expired on {leaf.not_valid_after_utc:%Y-%m-%d}"
    if leaf.not_valid_before_utc > moment:
        return f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}"
    return ""
