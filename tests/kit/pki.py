"""A certificate authority for tests: keys and certificates made in a moment, written as PEM files."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

MOMENT = datetime.now(UTC)


@frozen
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Give the certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Give the key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write ``name.pem`` and ``name.key``; give both paths."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


class Authority:
    """Signs certificates; nobody outside the tests believes it."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._name = _name(name)
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        draft = _draft(self._name, self._name, key, 3650)
        draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        draft = draft.add_extension(usage, critical=True).add_extension(_key_id(key), critical=False)
        self.identity = Identity(draft.sign(key, SHA256()), key)

    def sign(self, *names: str, common_name: str = "", days: int = 90) -> Identity:
        """Make a certificate for host names and mail addresses; negative ``days``: it has expired so long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name or (names[0] if names else "nobody"))
        draft = _draft(subject, self._name, key, days)
        if names:
            general = [x509.RFC822Name(name) if "@" in name else x509.DNSName(name) for name in names]
            draft = draft.add_extension(x509.SubjectAlternativeName(general), critical=False)
        draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        draft = draft.add_extension(_key_id(key), critical=False)
        draft = draft.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.identity.key.public_key()), critical=False
        )
        return Identity(draft.sign(self.identity.key, SHA256()), key)


@cache
def authority() -> Authority:
    """Give the authority that all tests of a run may share."""
    return Authority()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    ends = MOMENT + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(MOMENT, ends) - timedelta(days=1))
        .not_valid_after(ends)
    )
