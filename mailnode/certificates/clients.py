"""The certificates that clients show (RFC 5246 section 7.4.6, RFC 8446 section 4.4.2).

A client is asked for a certificate where a listener has a ``client_ca``, and may have none. One that cannot be verified
counts as none and does not end the handshake: mail servers show whatever they have when they are asked, and would
otherwise not get their mail through. What a verified one says is believed: the mail addresses and host names in its
subjectAltName; only where it has none, those of its subject. Revocation is not looked at: an authority of one's own is
better exchanged.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from mailnode.certificates.reading import alternative_names, parse_chain, subject_values


class Verdict:
    """What was found out about one client's certificate."""

    def __init__(self) -> None:
        self.is_bad = False


def ask_for_certificates(context: SSL.Context, path: str, authorities: bytes) -> None:
    """Let a context ask for a certificate of these authorities; raises Unusable."""
    store = context.get_cert_store()
    assert store is not None  # noqa: S101 - a context has one
    for authority in parse_chain(path, authorities):
        made = crypto.X509.from_cryptography(authority)
        store.add_cert(made)
        context.add_client_ca(authority)
    context.set_verify(SSL.VERIFY_PEER, _note)
    context.set_session_id(b"mailnode")  # OpenSSL wants a name for sessions of verified clients


def _note(connection: SSL.Connection, _certificate: crypto.X509, _error: int, _depth: int, is_good: int) -> bool:
    """Remember a certificate that is not to be believed, and go on."""
    verdict: Verdict = connection.get_app_data()
    if not is_good:
        verdict.is_bad = True
    return True


def names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the mail addresses and host names that a verified certificate vouches for; a wildcard names nobody."""
    named = alternative_names(certificate)
    if named is not None:
        found = [*named.get_values_for_type(x509.RFC822Name), *named.get_values_for_type(x509.DNSName)]
    else:
        found = [*subject_values(certificate, NameOID.EMAIL_ADDRESS), *subject_values(certificate, NameOID.COMMON_NAME)]
    return tuple(name for name in found if name.isprintable() and name.strip() and "*" not in name)
