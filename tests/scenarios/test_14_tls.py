"""TLS as mail programs speak it with a real node: STARTTLS, implicit TLS, certificates by name, renewed and by clients."""

import contextlib
import json
import re
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.kit.node import Node
from tests.kit.pki import Authority, authority
from tests.kit.programs import need_nodemailer, program
from tests.kit.talk import Talk
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

MESSAGE = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: {}\r\n\r\nUnder TLS.\r\n"

SETTINGS = """
[node]
hostname = "mx.example.org"
data = "{data}"
trusted_networks = ["127.0.0.0/8", "::1/128"]

[[certificate]]
certificate = "FOLDER/mx.pem"
private_key = "FOLDER/mx.key"

[[certificate]]
certificate = "FOLDER/net.pem"
private_key = "FOLDER/net.key"

[[listener]]
name = "mx"
endpoint = "tcp:{port:mx}:interface=127.0.0.1"
tls = "starttls"

[[listener]]
name = "submissions"
service = "submission"
endpoint = "tcp:{port:submissions}:interface=127.0.0.1"
tls = "implicit"

[[listener]]
name = "known"
endpoint = "tcp:{port:known}:interface=127.0.0.1"
tls = "starttls"
certificate = "FOLDER/own.pem"
private_key = "FOLDER/own.key"
client_ca = "FOLDER/ca.pem"

[[listener]]
name = "lmtp"
service = "lmtp"
endpoint = "unix:FOLDER/lmtp.sock"
tls = "starttls"

[[domain]]
name = "example.org"
accounts = "any"

[session]
handshake_timeout = "2s"
max_errors = 1000
"""

TEXT_PORTS = ("mx", "known")
"""Those that greet without TLS."""


def write_certificates(folder: Path) -> None:
    """Write what the configuration names."""
    authority().sign("mx.example.org").write(folder, "mx")
    authority().sign("*.example.net").write(folder, "net")
    authority().sign("own.example.org").write(folder, "own")
    authority().sign("ann@example.org", "client.example.org").write(folder, "client")
    (folder / "ca.pem").write_bytes(authority().identity.pem)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with certificates."""
    made = tmp_path_factory.mktemp("tls")
    write_certificates(made)
    return made


@pytest.fixture(scope="module")
def node(folder: Path) -> Iterator[Node]:
    """Give a node with TLS on all listeners."""
    made = Node(folder / "node", SETTINGS.replace("FOLDER", str(folder)))
    made.start(wait_for=TEXT_PORTS)
    yield made
    made.kill()


def believing(folder: Path) -> ssl.SSLContext:
    """Make a client's context that believes our authority."""
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


def trusting() -> ssl.SSLContext:
    """Make a client's context that believes anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def headers_of(node: Node, subject: str) -> str:
    """Wait for a message of that subject and give it, unfolded."""
    found: list[str] = []

    def arrived() -> bool:
        texts = [one.decode() for one in node.messages("bob@example.org")]
        found[:] = [text for text in texts if f"Subject: {subject}\n" in text]
        return bool(found)

    until(arrived, 20.0, node.log)
    return found[0].replace("\n\t", " ")


# --- programs ---------------------------------------------------------------------------------------------------


def test_smtplib_upgrades_and_verifies_our_name(node: Node, folder: Path) -> None:
    """STARTTLS is offered, is gone afterwards, and the trace field tells of TLS."""
    with smtplib.SMTP("127.0.0.1", node.port("mx")) as client:
        client._host = "mx.example.org"  # type: ignore[attr-defined]  # the name it verifies
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=believing(folder))
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502
        client.sendmail("ann@example.org", ["bob@example.org"], MESSAGE.format("smtplib"))
    assert re.search(r"with ESMTPS \(TLSv1.3 TLS_AES_\w+\) id", headers_of(node, "smtplib"))


def test_smtplib_speaks_tls_from_the_first_octet(node: Node, folder: Path) -> None:
    """On the port of submissions (RFC 8314)."""
    context = believing(folder)
    context.check_hostname = False
    with smtplib.SMTP_SSL("127.0.0.1", node.port("submissions"), context=context) as client:
        assert not client.has_extn("starttls")
        client.sendmail("ann@example.org", ["bob@example.org"], MESSAGE.format("implicit") + "x" * 3_000_000)
    assert "with ESMTPS" in headers_of(node, "implicit")


@pytest.mark.parametrize(("port", "option"), [("mx", "-tls"), ("submissions", "--tls-on-connect")])
def test_swaks_sends(node: Node, port: str, option: str) -> None:
    """By STARTTLS and with TLS from the beginning."""
    run(
        "swaks", option, "--server", "127.0.0.1", "--port", str(node.port(port)), "--from", "ann@example.org",
        "--to", "bob@example.org", "--header", f"Subject: swaks{option}",
    )  # fmt: skip
    assert "with ESMTPS" in headers_of(node, f"swaks{option}")


@pytest.mark.parametrize(("port", "scheme"), [("mx", "smtp"), ("submissions", "smtps")])
def test_curl_sends(node: Node, folder: Path, port: str, scheme: str) -> None:
    """With our name verified against the authority."""
    run(
        "curl", "-sS", "--ssl-reqd", "--cacert", str(folder / "ca.pem"),
        "--resolve", f"mx.example.org:{node.port(port)}:127.0.0.1", f"{scheme}://mx.example.org:{node.port(port)}",
        "--mail-from", "ann@example.org", "--mail-rcpt", "bob@example.org", "-T", "-",
        stdin=MESSAGE.format(f"curl-{scheme}"),
    )  # fmt: skip
    assert "with ESMTPS" in headers_of(node, f"curl-{scheme}")


@pytest.mark.parametrize(("port", "starttls"), [("mx", "on"), ("submissions", "off")])
def test_msmtp_sends(node: Node, folder: Path, port: str, starttls: str) -> None:
    """With the certificate's chain verified."""
    trust = folder / "ca.pem"
    run(
        "msmtp", "--host=127.0.0.1", f"--port={node.port(port)}", "--tls=on", f"--tls-starttls={starttls}",
        f"--tls-trust-file={trust}", "--tls-host-override=mx.example.org", "--auth=off", "--from=ann@example.org",
        "bob@example.org", stdin=MESSAGE.format(f"msmtp-{starttls}").replace("\r\n", "\n"),
    )  # fmt: skip
    assert "with ESMTPS" in headers_of(node, f"msmtp-{starttls}")


def test_nodemailer_sends(node: Node, folder: Path) -> None:
    """It upgrades of its own accord where STARTTLS is offered, and verifies."""
    script = f"""
    const tls = {{ca: require('fs').readFileSync('{folder}/ca.pem'), servername: 'mx.example.org'}};
    const send = (port, secure, subject) => require('nodemailer').createTransport({{host: '127.0.0.1', port, secure, tls}})
      .sendMail({{from: 'ann@example.org', to: 'bob@example.org', subject, text: 'x'}});
    send({node.port("mx")}, false, 'nodemailer-starttls').then(() => send({node.port("submissions")}, true, 'nodemailer-tls'));
    """
    subprocess.run([need_nodemailer(), "-e", script], check=True, timeout=30)
    assert "with ESMTPS" in headers_of(node, "nodemailer-starttls")
    assert "with ESMTPS" in headers_of(node, "nodemailer-tls")


def run(name: str, *arguments: str, stdin: str = "") -> None:
    """Run a program to its good end."""
    done = subprocess.run(
        [program(name), *arguments], input=stdin, capture_output=True, timeout=30, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- certificates -----------------------------------------------------------------------------------------------


def shown(port: int, name: str, *options: str) -> str:
    """Give what openssl says of a handshake by STARTTLS."""
    done = subprocess.run(
        [program("openssl"), "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{port}", *options]
        + (["-servername", name] if name else ["-noservername"]),
        input=b"QUIT\r\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("mx.example.org", "mx.example.org"),
        ("a.example.net", "*.example.net"),
        ("A.EXAMPLE.NET", "*.example.net"),
        ("other.example", "mx.example.org"),
        ("", "mx.example.org"),
    ],
)
def test_the_certificate_is_chosen_by_name(node: Node, name: str, subject: str) -> None:
    """By exact name or wildcard; whoever asks for another name, or none, sees the first."""
    assert re.search(rf"subject=.*CN ?= ?{re.escape(subject)}\n", shown(node.port("mx"), name))


def test_a_listener_with_its_own_certificate_shows_no_other(node: Node) -> None:
    """Whatever name is asked for."""
    assert "CN = own.example.org" in shown(node.port("known"), "a.example.net")


@pytest.mark.rfc("8996", "5")
def test_old_versions_and_weak_ciphers_are_refused_in_one_calm_line(node: Node) -> None:
    """TLS 1.1, and a cipher without forward secrecy: an alert for the client, a reason in the log, no traceback."""
    assert "Cipher is (NONE)" in shown(node.port("mx"), "x", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "Cipher is (NONE)" in shown(node.port("mx"), "x", "-tls1_2", "-cipher", "AES128-SHA256:AES128-GCM-SHA256")
    assert "Cipher is ECDHE-ECDSA-AES" in shown(node.port("mx"), "x", "-tls1_2")
    until(lambda: "no TLS came about: unsupported protocol" in node.log(), 5.0, node.log)
    until(lambda: "no TLS came about: no shared cipher" in node.log(), 5.0, node.log)
    assert "Traceback" not in node.log()


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    """At once after SIGHUP, else within seconds; an open session goes on; half a pair changes nothing."""
    write_certificates(tmp_path)
    node = Node(tmp_path / "node", SETTINGS.replace("FOLDER", str(tmp_path)) + "\n")
    node.start(wait_for=TEXT_PORTS)
    try:
        with smtplib.SMTP("127.0.0.1", node.port("mx")) as client:
            client.starttls(context=trusting())
            before = serial(node.port("mx"))
            renewed = authority().sign("mx.example.org")
            (tmp_path / "mx.pem").write_bytes(renewed.pem)
            node.signal(1)
            until(lambda: "mx.key is not the key of the certificate" in node.log(), 10.0, node.log)
            assert serial(node.port("mx")) == before
            (tmp_path / "mx.key").write_bytes(renewed.key_pem)
            node.signal(1)
            until(lambda: serial(node.port("mx")) == renewed.certificate.serial_number, 10.0, node.log)
            authority().sign("mx.example.org").write(tmp_path, "mx")
            until(lambda: serial(node.port("mx")) != renewed.certificate.serial_number, 15.0, node.log)
            assert client.noop()[0] == 250
        assert "Traceback" not in node.log()
    finally:
        node.kill()


def serial(port: int) -> int:
    """Give the serial number of the certificate that is shown now."""
    from cryptography import x509

    with smtplib.SMTP("127.0.0.1", port) as client:
        client.starttls(context=trusting())
        assert isinstance(client.sock, ssl.SSLSocket)
        octets = client.sock.getpeercert(binary_form=True)
    assert octets is not None
    return x509.load_der_x509_certificate(octets).serial_number


def test_several_processes_show_the_same(tmp_path: Path) -> None:
    """Workers have the self-signed certificate that the main process made, and what is configured later by SIGHUP."""
    text = SETTINGS.replace("FOLDER", str(tmp_path)).replace(
        '"mx.example.org"\ndata', '"mx.example.org"\nworkers = 2\ndata'
    )
    bare = re.sub(r"\[\[certificate\]\]\n.*\n.*\n", "", text)
    write_certificates(tmp_path)
    node = Node(tmp_path / "node", bare)
    node.start(wait_for=TEXT_PORTS)
    try:
        until(lambda: "Worker 1 is ready" in node.log(), 20.0, node.log)
        assert "a self-signed one was made" in node.log()
        assert len({serial(node.port("mx")) for _ in range(20)}) == 1
        assert (node.data / "self-signed.pem").stat().st_mode & 0o777 == 0o600
        node.configure(text)
        node.signal(1)
        until(
            lambda: (
                "CN = mx.example.org" in shown(node.port("mx"), "") and "Test Authority" in shown(node.port("mx"), "")
            ),
            10.0,
            node.log,
        )
        until(lambda: len({serial(node.port("mx")) for _ in range(20)}) == 1, 10.0, node.log)
        assert "*.example.net" in shown(node.port("mx"), "b.example.net")
    finally:
        node.kill()


@pytest.mark.parametrize("certificate", ["client", "strange", "none"])
def test_clients_may_show_a_certificate(node: Node, folder: Path, certificate: str) -> None:
    """One of our authority, one that nobody vouches for (it counts as none), or none at all: all of them get through."""
    Authority("Stranger").sign("ann@example.org").write(folder, "strange")
    context = trusting()
    if certificate != "none":
        context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
    with smtplib.SMTP("127.0.0.1", node.port("known")) as client:
        client.starttls(context=context)
        client.sendmail("ann@example.org", ["bob@example.org"], MESSAGE.format(f"by-{certificate}"))
    assert "with ESMTPS" in headers_of(node, f"by-{certificate}")


# --- hostile clients --------------------------------------------------------------------------------------------


def upgraded(talk: Talk, more: bytes = b"") -> ssl.SSLSocket:
    """Take a connection to TLS, with something sent behind the command."""
    talk.reply()
    talk.write(b"EHLO c.example\r\n")
    assert b"STARTTLS" in talk.reply()
    talk.write(b"STARTTLS\r\n" + more)
    assert talk.reply().startswith(b"220")
    return trusting().wrap_socket(talk._socket)


@pytest.mark.rfc("3207", "4.2")
def test_what_is_injected_behind_starttls_is_never_executed(node: Node) -> None:
    """Commands in the same packet are not answered within TLS, and the peer is a stranger again."""
    with (
        Talk(node.port("mx")) as talk,
        upgraded(talk, b"EHLO evil.example\r\nMAIL FROM:<evil@example.org>\r\n") as secured,
    ):
        secured.sendall(b"MAIL FROM:<ann@example.org>\r\n")
        assert secured.recv(1000).startswith(b"503 5.5.1")
        secured.sendall(b"NOOP\r\nQUIT\r\n")
        heard = b""
        while piece := secured.recv(1000):
            heard += piece
        assert [line[:3] for line in heard.splitlines()] == [b"250", b"221"]
    until(lambda: "session on mx ended" in node.log(), 5.0, node.log)


def test_starttls_has_its_place(node: Node) -> None:
    """Not in a transaction, not with a parameter."""
    with Talk(node.port("mx")) as talk:
        talk.reply()
        talk.write(b"EHLO c.example\r\n")
        talk.reply()
        talk.write(b"STARTTLS now\r\nMAIL FROM:<ann@example.org>\r\nSTARTTLS\r\nRSET\r\n")
        assert [talk.reply()[:9] for _ in range(4)] == [b"501 5.5.4", b"250 2.1.0", b"503 5.5.1", b"250 2.0.0"]


def test_failing_handshakes_leave_nothing_behind(node: Node) -> None:
    """Two hundred clients that send rubbish, nothing, or half a handshake: sockets and memory are given back."""
    deadline = time.monotonic() + 30
    before = open_files(node)

    def fail(number: int) -> None:
        port = node.port("submissions" if number % 2 else "mx")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            if not number % 2:
                connection.recv(1000)
                connection.sendall(b"EHLO x\r\nSTARTTLS\r\n")
                connection.recv(1000)
            if number % 3 == 0:
                connection.sendall(b"EHLO not tls\r\n" * 10)
            elif number % 3 == 1:
                connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40)
            if number % 20 == 0:
                with contextlib.suppress(ConnectionResetError):
                    while connection.recv(1000):
                        pass

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(fail, range(200)))
    until(lambda: open_files(node) <= before, deadline - time.monotonic(), lambda: f"{open_files(node)} of {before}")
    assert "Traceback" not in node.log()
    assert smtplib.SMTP("127.0.0.1", node.port("mx")).quit()[0] == 221


def open_files(node: Node) -> int:
    """Count the open descriptors of a node."""
    return len(list(Path(f"/proc/{node.pid}/fd").iterdir()))


def test_a_handshake_that_never_ends_is_cut_off(node: Node) -> None:
    """In the time that the settings give it, whatever trickles in."""
    with socket.create_connection(("127.0.0.1", node.port("submissions")), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    until(lambda: "the TLS handshake took too long" in node.log(), 5.0, node.log)


def test_lmtp_over_a_unix_socket_has_tls_too(node: Node, folder: Path) -> None:
    """STARTTLS is for any listener; a recipient is answered within."""
    path = str(folder / "lmtp.sock")
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(path)
        plain.settimeout(10)
        plain.recv(1000)
        plain.sendall(b"LHLO c.example\r\n")
        assert b"STARTTLS" in plain.recv(1000)
        plain.sendall(b"STARTTLS\r\n")
        assert plain.recv(1000).startswith(b"220")
        with trusting().wrap_socket(plain) as secured:
            secured.sendall(b"LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
            heard = b""
            while b"354" not in heard:
                heard += secured.recv(1000)
            secured.sendall(b"Subject: lmtp\r\n\r\nx\r\n.\r\nQUIT\r\n")
            assert secured.recv(1000).startswith(b"250")
    assert "with LMTPS" in headers_of(node, "lmtp")


WEAK = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
OF_THE_CERTIFICATE = {"cert_revocation", "DNS_CAArecord", "cert_chain_of_trust", "cert_trust"}
"""What testssl says of an authority of our own, which nobody asks for revocations."""


@pytest.mark.slow
@pytest.mark.parametrize("port", ["mx", "submissions"])
def test_testssl_finds_no_weakness(node: Node, folder: Path, port: str) -> None:
    """Protocols, ciphers, and every attack that it knows: nothing above what is only told."""
    report = folder / f"testssl-{port}.json"
    starttls = ["--starttls", "smtp"] if port == "mx" else []
    subprocess.run(
        [
            program("testssl"), "--quiet", "--color", "0", "--add-ca", str(folder / "ca.pem"), "--jsonfile", str(report),
            *starttls, "--ip", "127.0.0.1", f"localhost:{node.port(port)}",
        ],
        check=False, capture_output=True, timeout=300,
    )  # fmt: skip
    found = json.loads(report.read_text())
    assert len(found) > 50
    bad = [one for one in found if one["severity"] in WEAK and one["id"] not in OF_THE_CERTIFICATE]
    assert not bad


# --- the configuration ------------------------------------------------------------------------------------------


def test_check_tells_faults_of_tls(tmp_path: Path) -> None:
    """Files that are missing or do not fit are faults; a certificate that has expired is a warning."""
    write_certificates(tmp_path)
    node = Node(tmp_path / "node", SETTINGS.replace("FOLDER", str(tmp_path)))
    check = partial(node.command, "check", check=False)
    assert "no faults" in check()
    authority().sign("own.example.org", days=-3).write(tmp_path, "own")
    assert "no faults" in check()
    (tmp_path / "net.key").write_bytes((tmp_path / "mx.key").read_bytes())
    (tmp_path / "ca.pem").unlink()
    assert check() == ""
    with pytest.raises(AssertionError, match=r"(?s)certificate\[1\].private_key.*is not the key") as caught:
        node.command("check")
    assert "client_ca" in str(caught.value)
