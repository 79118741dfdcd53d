"""Handshakes in memory: what is shown, what the channel is told to be, whose certificates are believed."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from mailnode.certificates.reading import end_point, read_pair
from mailnode.certificates.showcase import ListenerEncryption, Showcase
from mailnode.certificates.stock import Pair, Place, Source, Stock, Unusable
from mailnode.wire import Channel, Wire
from tests.kit.pki import Authority, Identity, authority

SERVER = authority().sign("mx.example.org")
OTHER = authority().sign("*.example.net")


def _pair(identity: Identity, name: str) -> Pair:
    source = Source(f"{name}.pem", f"{name}.key")
    return Pair(source, identity.pem, identity.key_pem)


def _stock(*, client_ca: str = "") -> Stock:
    pairs = (_pair(SERVER, "server"), _pair(OTHER, "other"))
    place = Place("mx", tuple(pair.source for pair in pairs), client_ca)
    return Stock((place,), {pair.source: pair for pair in pairs}, {"ca.pem": authority().identity.pem})


@implementer(IHandshakeListener)
class Session(Protocol):
    """The server's end."""

    def __init__(self, encryption: ListenerEncryption) -> None:
        self.encryption = encryption
        self.channel: Channel | None = None
        self.heard = b""
        self.covered: Any = None

    def handshakeCompleted(self) -> None:
        """Note what it came to."""
        self.channel = self.encryption.channel(self.covered)

    def dataReceived(self, data: bytes) -> None:
        """Hear clear text."""
        self.heard += data


class Line(StringTransport):
    """The server's transport; its protocol is exchanged when TLS is laid over."""

    protocol: Any


class Shake:
    """One handshake with a client that a test sets up."""

    def __init__(self, encryption: ListenerEncryption, context: SSL.Context | None = None, name: bytes = b"") -> None:
        self.client = SSL.Connection(context or SSL.Context(SSL.TLS_METHOD), None)
        self.client.set_connect_state()
        if name:
            self.client.set_tlsext_host_name(name)
        self.session = Session(encryption)
        self.line = Line()
        self.line.protocol = self.session
        self.session.makeConnection(self.line)
        self.session.covered = encryption.cover(self.session, Wire(self.line))
        self.failure = ""
        for _ in range(5):
            self.step()

    def step(self) -> None:
        """Let both ends read what the other has written."""
        try:
            self.client.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.failure = str(error)
        with contextlib.suppress(SSL.WantReadError):
            self.line.protocol.dataReceived(self.client.bio_read(1 << 16))
        octets = self.line.value()
        self.line.clear()
        if octets:
            self.client.bio_write(octets)

    @property
    def shown(self) -> x509.Certificate | None:
        """Give the certificate that the client saw."""
        return self.client.get_peer_certificate(as_cryptography=True)


def _encryption(stock: Stock | None = None) -> ListenerEncryption:
    return ListenerEncryption(Showcase(stock or _stock(), Clock()), "mx")


@pytest.mark.parametrize(
    ("name", "identity"),
    [(b"", SERVER), (b"a.example.net", OTHER), (b"mx.example.org", SERVER), (b"x.example", SERVER)],
)
def test_the_name_chooses_the_certificate(name: bytes, identity: Identity) -> None:
    """And the binding to the end point is that of the one shown."""
    shake = Shake(_encryption(), name=name)
    assert shake.shown == identity.certificate
    assert shake.session.channel is not None
    assert dict(shake.session.channel.bindings)["tls-server-end-point"] == end_point(identity.certificate)


@pytest.mark.rfc("9266", "2")
def test_both_ends_have_the_same_binding() -> None:
    """In TLS 1.3 that of the exporter stands first; in TLS 1.2 there is none."""
    shake = Shake(_encryption())
    channel = shake.session.channel
    assert channel is not None
    assert channel.description.startswith("TLSv1.3 TLS_")
    expected = shake.client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    assert channel.bindings[0] == ("tls-exporter", expected)
    assert expected.hex() not in repr(channel)
    old = SSL.Context(SSL.TLS_METHOD)
    old.set_max_proto_version(SSL.TLS1_2_VERSION)
    channel = Shake(_encryption(), old).session.channel
    assert channel is not None
    assert channel.description.startswith("TLSv1.2 ECDHE-ECDSA-")
    assert [kind for kind, _ in channel.bindings] == ["tls-server-end-point"]


def test_clear_text_goes_both_ways_and_a_session_is_not_resumed() -> None:
    """No ticket is of any use afterwards."""
    shake = Shake(_encryption())
    shake.client.send(b"EHLO x\r\n")
    shake.step()
    assert shake.session.heard == b"EHLO x\r\n"
    shake.session.covered.write(b"250 y\r\n")
    assert b"250" not in shake.line.value()
    shake.step()
    assert shake.client.recv(100) == b"250 y\r\n"


def _showing(identity: Identity) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    return context


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        (authority().sign("ann@example.org", "client.example.org"), ("ann@example.org", "client.example.org")),
        (authority().sign("*.example.org", "bob@example.org"), ("bob@example.org",)),
        (authority().sign(common_name="carl"), ("carl",)),
        (authority().sign("ann@example.org", days=-2), ()),
        (Authority("Stranger").sign("ann@example.org"), ()),
    ],
    ids=["named", "wildcard", "subject", "expired", "stranger"],
)
def test_a_clients_certificate_is_believed_when_it_is_vouched_for(identity: Identity, names: tuple[str, ...]) -> None:
    """One that is not counts as none, and the handshake goes on."""
    channel = Shake(_encryption(_stock(client_ca="ca.pem")), _showing(identity)).session.channel
    assert channel is not None
    assert channel.certificate_names == names


def test_clients_are_not_asked_where_nobody_is_believed() -> None:
    """Without authorities a certificate is not even asked for; with them it need not be there."""
    known = authority().sign("ann@example.org")
    for encryption, context in ((_encryption(), _showing(known)), (_encryption(_stock(client_ca="ca.pem")), None)):
        channel = Shake(encryption, context).session.channel
        assert channel is not None
        assert channel.certificate_names == ()


def test_a_new_stock_is_for_new_handshakes() -> None:
    """Channels that are there go on."""
    showcase = Showcase(_stock(), Clock())
    encryption = ListenerEncryption(showcase, "mx")
    before = Shake(encryption)
    new = authority().sign("new.example.org")
    pair = _pair(new, "server")
    showcase.show(Stock(_stock().places, {pair.source: pair}))
    assert Shake(encryption).shown == new.certificate
    before.client.send(b"NOOP\r\n")
    before.step()
    assert before.session.heard == b"NOOP\r\n"


def test_the_reasons_of_failures_are_openssls() -> None:
    """Or that the client went away."""
    from twisted.internet.error import ConnectionLost

    old = SSL.Context(SSL.TLS_METHOD)
    old.set_cipher_list(b"AES128-GCM-SHA256")
    old.set_max_proto_version(SSL.TLS1_2_VERSION)
    encryption = _encryption()
    shake = Shake(encryption, old)
    assert shake.line.disconnecting
    reasons: list[Failure] = []
    shake.session.connectionLost = reasons.append  # type: ignore[method-assign, assignment]
    shake.line.protocol.connectionLost(Failure(ConnectionLost()))
    assert reasons[0].value is not None
    assert encryption.why(reasons[0].value) == "no shared cipher"
    assert encryption.why(ConnectionLost()) == "the client went away"


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    """The log says why; the listener is not ready."""
    from twisted.logger import capturedLogs

    def fail(_: Stock) -> Stock:
        raise Unusable("self-signed.pem", "cannot be written: No space left on device")

    showcase = Showcase(Stock((Place("mx", ()),)), Clock(), fail)
    with capturedLogs() as events:
        assert not ListenerEncryption(showcase, "mx").is_ready()
        assert not ListenerEncryption(showcase, "elsewhere").is_ready()
    assert [event["listener"] for event in events] == ["mx", "elsewhere"]


def test_what_was_made_late_is_made_once(tmp_path: Path) -> None:
    """And warming up makes it."""
    calls: list[Stock] = []
    source = Source(*map(str, SERVER.write(tmp_path, "late")))

    def complete(stock: Stock) -> Stock:
        calls.append(stock)
        return Stock(stock.places, {source: read_pair(source)})

    showcase = Showcase(Stock((Place("mx", (source,)),)), Clock(), complete)
    assert not showcase.known.pairs
    showcase.warm_up()
    assert ListenerEncryption(showcase, "mx").is_ready()
    assert len(calls) == 1
    assert source in showcase.stock.pairs
