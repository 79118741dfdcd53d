"""A certificate that nobody vouches for, made when none is configured: better than clear text on the wire.

It lies with its key in one file of the data folder, readable by the node alone, and is kept from start to start, so that
clients which remember it see the same one. It is made anew when the node's name has changed or its time is nearly over.
"""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailnode.certificates.reading import parse_pair, read_pair
from mailnode.certificates.stock import Source, Unusable

LIFE = timedelta(days=3650)
NEARLY_OVER = timedelta(days=30)


def ensure_self_signed(path: Path, hostname: str, now: float) -> bool:
    """See to it that there is a good certificate for ``hostname`` at ``path``, blocking; tell whether it was made now.

    Raises Unusable when the file cannot be written.
    """
    moment = datetime.fromtimestamp(now, UTC)
    if _is_good(path, hostname, moment):
        return False
    try:
        _write(path, _make(hostname, moment))
    except OSError as error:
        raise Unusable(str(path), f"cannot be written: {error.strerror or error}") from None
    return True


def _is_good(path: Path, hostname: str, moment: datetime) -> bool:
    try:
        read = parse_pair(read_pair(Source(str(path), str(path))))
    except Unusable:
        return False
    return hostname.lower() in read.names and moment + NEARLY_OVER < read.expires


def _make(hostname: str, moment: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))  # clients' clocks are not all right
        .not_valid_after(moment + LIFE)
        .add_extension(x509.SubjectAlternativeName(_names(hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + certificate.public_bytes(Encoding.PEM)


def _names(hostname: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(hostname.lower())]
    if hostname == "localhost":
        names += [x509.IPAddress(ip_address("127.0.0.1")), x509.IPAddress(ip_address("::1"))]
    return names


def _write(path: Path, octets: bytes) -> None:
    """Write a file that is whole or not there, and that nobody else can read at any time."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
