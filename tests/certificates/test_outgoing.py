"""TLS towards a next hop, over real handshakes in memory: what is told of it, and for whom a certificate is good."""

from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.certificates.outgoing import Covered, OutgoingTls, Secured, secured
from mailnode.certificates.policy import apply_policy
from mailnode.wire import Wire
from tests.kit.pki import Authority, Identity, authority


class _Transport(StringTransport):
    """A transport whose protocol may be exchanged."""

    protocol: Any = None


def _server(identity: Identity) -> SSL.Connection:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    apply_policy(context)
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    connection = SSL.Connection(context, None)
    connection.set_accept_state()
    return connection


def _shaken(folder: Path, identity: Identity, host: str = "mx.example") -> tuple[Covered, SSL.Connection]:
    """Shake hands with a server that shows this certificate."""
    (folder / "ca.pem").write_bytes(authority().identity.pem)
    transport, server = _Transport(), _server(identity)
    covered = OutgoingTls(str(folder / "ca.pem"), Clock()).lay_over(Protocol(), Wire(transport), host)
    for _ in range(4):
        if said := transport.value():
            server.bio_write(said)
            transport.clear()
        try:
            server.do_handshake()
            answer = server.bio_read(65536)
        except SSL.WantReadError:
            answer = server.bio_read(65536)
        transport.protocol.dataReceived(answer)
        if not transport.value():
            break
    return covered, server


def _found(folder: Path, identity: Identity, *references: str) -> Secured:
    return secured(_shaken(folder, identity)[0], references)


@pytest.mark.rfc("9525", "6.3")
@pytest.mark.parametrize(
    ("names", "references", "trouble"),
    [
        (("mx.example",), ("mx.example",), ""),
        (("a.example", "mx.example"), ("other.example", "mx.example"), ""),
        (("*.site.example",), ("mx.site.example",), ""),
        (
            ("*.site.example",),
            ("a.mx.site.example",),
            "its certificate is for *.site.example, not for a.mx.site.example",
        ),
        (
            ("mx.example",),
            ("a.example", "b.example"),
            "its certificate is for mx.example, not for a.example or b.example",
        ),
        (("mx.example",), (), "its certificate is for mx.example, not for a name that we know for certain"),
        (("mx.example",), ("192.0.2.1",), "its certificate is for mx.example, not for 192.0.2.1"),
    ],
)
def test_names(tmp_path: Path, names: tuple[str, ...], references: tuple[str, ...], trouble: str) -> None:
    """One reference among the names is enough, a wildcard covers one label, and nothing else counts."""
    assert _found(tmp_path, authority().sign(*names), *references).trouble == trouble


@pytest.mark.rfc("9525", "6.3")
def test_a_common_name_counts_for_nothing(tmp_path: Path) -> None:
    """Only the subjectAltName is looked at."""
    found = _found(tmp_path, authority().sign(common_name="mx.example"), "mx.example")
    assert found.trouble == "its certificate is for no host, not for mx.example"


def test_chains(tmp_path: Path) -> None:
    """What has expired, what comes from a stranger and what vouches for itself is told apart."""
    assert (
        _found(tmp_path, authority().sign("mx.example", days=-2), "mx.example").trouble == "its certificate has expired"
    )
    stranger = Authority("Stranger")
    unknown = "its certificate comes from an authority we do not know"
    assert _found(tmp_path, stranger.sign("mx.example"), "mx.example").trouble == unknown
    assert _found(tmp_path, stranger.identity, "mx.example").trouble == "its certificate is self-signed"


@pytest.mark.rfc("9266", "3")
def test_both_ends_are_bound_to_the_same_channel(tmp_path: Path) -> None:
    """The exporter gives both the same octets, and version and cipher are told."""
    covered, server = _shaken(tmp_path, authority().sign("mx.example"))
    found = secured(covered, ("mx.example",))
    assert found.text.startswith("TLSv1.3 TLS_")
    assert found.binding == ("tls-exporter", server.export_keying_material(b"EXPORTER-Channel-Binding", 32))


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize(("host", "asked"), [("mx.example", b"mx.example"), ("192.0.2.1", None), ("2001:db8::1", None)])
def test_a_host_is_asked_for_by_its_name(tmp_path: Path, host: str, asked: bytes | None) -> None:
    """An address is no server name."""
    _, server = _shaken(tmp_path, authority().sign("mx.example"), host)
    assert server.get_servername() == asked
