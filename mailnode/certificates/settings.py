"""Settings of the certificates that all listeners share."""

from attrs import frozen


@frozen
class CertificateSettings:
    """One certificate; which of several is shown is chosen by the name the client asks for (SNI)."""

    certificate: str = ""
    """A PEM file with the certificate and its chain; the names in its subjectAltName say for whom it is shown."""
    private_key: str = ""
    """A PEM file with the certificate's key, not encrypted; empty: the key stands in the certificate's file."""
