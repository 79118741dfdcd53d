"""Faults of TLS in a configuration are found, each with its path."""

from pathlib import Path

import pytest

from mailnode.certificates.settings import CertificateSettings
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.tls_faults import tls_faults, warnings_in
from tests.kit.pki import MOMENT, authority


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a good pair, an expired one and an authority."""
    authority().sign("a.example.org").write(tmp_path, "a")
    authority().sign("old.example.org", days=-3).write(tmp_path, "old")
    (tmp_path / "ca.pem").write_bytes(authority().identity.pem)
    return tmp_path


def _faults(settings: NodeSettings) -> list[tuple[str, str]]:
    return [(".".join(map(str, fault.steps)), fault.problem) for fault in tls_faults(settings)]


def _listener(**changes: str) -> NodeSettings:
    return NodeSettings(listener=(ListenerSettings(**{"tls": "starttls", **changes}),))  # type: ignore[arg-type]


def test_what_is_right_has_no_faults(folder: Path) -> None:
    """Also on a unix socket, and with an expired certificate: a host must start."""
    a, key = str(folder / "a.pem"), str(folder / "a.key")
    ca = str(folder / "ca.pem")
    assert _faults(_listener()) == []
    assert _faults(_listener(certificate=a, private_key=key, client_ca=ca, endpoint="unix:/run/x.sock")) == []
    old = _listener(certificate=str(folder / "old.pem"), private_key=str(folder / "old.key"))
    assert _faults(old) == []
    (warning,) = warnings_in(old, MOMENT.timestamp())
    assert "old.pem has expired on" in warning
    assert warnings_in(_listener(certificate=a, private_key=key), MOMENT.timestamp()) == []
    assert warnings_in(_listener(), 0.0) == []


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"certificate": "FOLDER/no.pem"}, "listener.0.certificate", "cannot be read: No such file"),
        ({"certificate": "FOLDER/a.pem"}, "listener.0.certificate", "holds no private key"),
        (
            {"certificate": "FOLDER/a.pem", "private_key": "FOLDER/old.key"},
            "listener.0.private_key",
            "is not the key of the certificate",
        ),
        ({"private_key": "FOLDER/a.key"}, "listener.0.private_key", "is of no use without a certificate"),
        ({"client_ca": "FOLDER/a.key"}, "listener.0.client_ca", "holds no certificate"),
        ({"tls": "none", "certificate": "FOLDER/a.pem"}, "listener.0.certificate", 'while tls is "none"'),
        ({"tls": "none", "client_ca": "FOLDER/ca.pem"}, "listener.0.client_ca", 'while tls is "none"'),
    ],
)
def test_what_is_wrong_with_a_listener_is_told(folder: Path, changes: dict[str, str], path: str, problem: str) -> None:
    """One fault, at the setting to be changed."""
    (fault,) = _faults(_listener(**{key: value.replace("FOLDER", str(folder)) for key, value in changes.items()}))
    assert fault[0] == path
    assert problem in fault[1]


def test_shared_certificates_are_looked_at(folder: Path) -> None:
    """Each table by its number."""
    shared = (CertificateSettings(str(folder / "a.pem"), str(folder / "a.key")), CertificateSettings())
    assert _faults(NodeSettings(certificate=shared)) == [("certificate.1.certificate", "expected a PEM file")]


def test_a_file_that_others_may_read_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may be the one who starts the node."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    settings = _listener(certificate=str(folder / "a.pem"), client_ca=str(folder / "ca.pem"))
    monkeypatch.setattr(Path, "open", refuse)
    assert _faults(settings) == []
    (warning,) = warnings_in(settings, 0.0)
    assert "a.pem cannot be read: Permission denied (for this user;" in warning
