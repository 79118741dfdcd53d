"""PEM files are read, and what is wrong with them is said."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from mailnode.certificates.reading import LARGEST, end_point, parse_pair, read_pair, says_of_time, words_of
from mailnode.certificates.stock import Source, Unusable
from tests.kit.pki import MOMENT, authority

ONE = authority().sign("mx.example.org", "*.Example.net")


def _source(folder: Path, certificate: bytes, key: bytes) -> Source:
    (folder / "c.pem").write_bytes(certificate)
    (folder / "k.pem").write_bytes(key)
    return Source(str(folder / "c.pem"), str(folder / "k.pem"))


def test_a_good_pair_is_read_with_its_names(tmp_path: Path) -> None:
    """Chain and key may stand in one file; the names are those of the subjectAltName."""
    path = tmp_path / "all.pem"
    path.write_bytes(ONE.key_pem + ONE.pem + authority().identity.pem)
    read = parse_pair(read_pair(Source(str(path), str(path))))
    assert read.names == ("mx.example.org", "*.example.net")
    assert len(read.chain) == 2
    assert read.expires > MOMENT + timedelta(days=80)


def test_a_certificate_without_alternative_names_has_its_common_name(tmp_path: Path) -> None:
    """Old certificates are still known by their subject."""
    old = authority().sign(common_name="Old.example.org")
    assert parse_pair(read_pair(_source(tmp_path, old.pem, old.key_pem))).names == ("old.example.org",)


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        (b"", ONE.key_pem, "c.pem holds no certificate in PEM form"),
        (ONE.pem[:-100], ONE.key_pem, "c.pem holds no certificate in PEM form"),
        (ONE.pem, b"nonsense", "k.pem holds no private key in PEM form"),
        (ONE.pem, ONE.key_pem[:100], "k.pem holds no private key in PEM form"),
        (ONE.pem, authority().sign("x.example").key_pem, "k.pem is not the key of the certificate in"),
        (ONE.pem, b"x" * (LARGEST + 1), "k.pem is too large"),
    ],
    ids=["none", "cut off", "no key", "key cut off", "another key", "too large"],
)
def test_what_is_wrong_is_said(tmp_path: Path, certificate: bytes, key: bytes, reason: str) -> None:
    """Each fault has its own words, and the file's name."""
    with pytest.raises(Unusable, match=reason):
        read_pair(_source(tmp_path, certificate, key))


def test_keys_of_no_use_are_told(tmp_path: Path) -> None:
    """A passphrase nobody will type, and a kind of key that mail clients do not know."""
    locked = ONE.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(Unusable, match="is encrypted"):
        read_pair(_source(tmp_path, ONE.pem, locked))
    odd = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Unusable, match="neither RSA nor ECDSA"):
        read_pair(_source(tmp_path, ONE.pem, odd))
    with pytest.raises(Unusable, match="cannot be read: No such file"):
        read_pair(Source(str(tmp_path / "missing"), "x"))


def test_expired_and_future_certificates_are_told(tmp_path: Path) -> None:
    """The day is named; a valid one needs no words."""
    pair = read_pair(_source(tmp_path, ONE.pem, ONE.key_pem))
    day = 86400.0
    assert says_of_time(pair, MOMENT.timestamp()) == ""
    assert says_of_time(pair, MOMENT.timestamp() + 100 * day).startswith("has expired on 2")
    assert says_of_time(pair, MOMENT.timestamp() - 100 * day).startswith("is not valid before 2")


@pytest.mark.rfc("5929", "4.1")
def test_the_end_point_binding_is_the_hash_of_the_certificate() -> None:
    """With the hash of its signature."""
    from hashlib import sha256

    assert end_point(ONE.certificate) == sha256(ONE.certificate.public_bytes(Encoding.DER)).digest()


def test_the_words_of_openssl_are_found() -> None:
    """The reason at the end of its stack, or what there is."""
    assert words_of(SSL.Error([("SSL routines", "", "no shared cipher")])) == "no shared cipher"
    assert words_of(SSL.Error()) == "the connection was closed"
    assert words_of(ValueError("other")) == "other"
