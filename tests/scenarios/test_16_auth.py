"""Mail programs authenticate by every mechanism that they know, guessers get nowhere, and wrong things hear the right codes."""

import base64
import hashlib
import hmac
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from scramp import ScramClient

from tests.kit.dialogue import differences, read_dialogue
from tests.kit.node import Node, settings
from tests.kit.pki import Authority, authority
from tests.kit.ports import free_port
from tests.kit.programs import missing, need_nodemailer, program
from tests.kit.talk import Talk
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

ANN, PASSWORD = "ann@example.org", "c0rrect horse, bättery="
DIALOGUES = Path(__file__).parent.parent / "dialogues"
KEY = ec.generate_private_key(ec.SECP256R1())

LISTENERS = """
[[listener]]
name = "tls"
service = "submission"
endpoint = "tcp:{port:tls}:interface=127.0.0.1"
tls = "starttls"
client_ca = "CA"
[[listener]]
name = "clear"
service = "submission"
endpoint = "tcp:{port:clear}:interface=127.0.0.1"
auth_without_tls = true
[[listener]]
name = "careful"
service = "submission"
endpoint = "tcp:{port:careful}:interface=127.0.0.1"
[session]
max_errors = 1000
[auth]
delay = "10ms"
max_delay = "50ms"
account_failures = 1000
client_failures = 1000
[auth.oauth]
keys = "KEYS"
issuer = "https://id.example.org"
audience = "mail"
"""


def token(**claims: Any) -> str:
    """Sign a token for ann."""
    whole = {
        "iss": "https://id.example.org", "aud": "mail", "email": ANN, "exp": int(time.time()) + 600, **claims,
    }  # fmt: skip
    return jwt.encode(whole, KEY, algorithm="ES256", headers={"kid": "one"})


def with_keys(folder: Path, text: str) -> str:
    """Write the keys that tokens are signed with, and the authority of client certificates."""
    folder.mkdir(parents=True, exist_ok=True)
    keys, ca = folder / "keys.json", folder / "ca.pem"
    one = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key()))
    keys.write_text(json.dumps({"keys": [{**one, "kid": "one", "use": "sig"}]}))
    ca.write_bytes(authority().identity.pem)
    return text.replace("KEYS", str(keys)).replace("CA", str(ca))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a node on which ann has a password; the account is made while it runs."""
    folder = tmp_path_factory.mktemp("auth")
    made = Node(folder / "node", with_keys(folder, settings(more=LISTENERS)))
    try:
        made.start()
        made.command("account", "add", ANN, "--name", "Ann", stdin=PASSWORD.encode() + b"\n")
        made.command("account", "add", "ann@d.example", stdin=b"secret\n")
        made.command("account", "add", "off@example.org", stdin=b"secret\n")
        made.command("account", "disable", "off@example.org")
        made.command("account", "add", "sam@example.org", stdin=b"secret\n")
        yield made
        assert "Traceback" not in made.log()
        assert not any(
            secret in made.log() for secret in (PASSWORD, "c0rrect", base64.b64encode(PASSWORD.encode()).decode())
        )
    finally:
        made.kill()


def run(*command: str, stdin: bytes = b"", **environment: str) -> str:
    """Run a program; give what it says."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said[-4000:]
    return said


# --- programs ---------------------------------------------------------------------------------------------------


def with_swaks(port: int, method: str, to: str, folder: Path) -> None:
    """Send with swaks."""
    run(
        program("swaks"), "--server", f"127.0.0.1:{port}", "--tls", "--from", ANN, "--to", to, "--auth", method,
        "--auth-user", ANN, "--auth-password", PASSWORD,
    )  # fmt: skip


def with_curl(port: int, method: str, to: str, folder: Path) -> None:
    """Send with curl."""
    file = folder / "letter"
    file.write_bytes(b"Subject: curl\r\n\r\nhello\r\n")
    who = ["--user", f"{ANN}:{PASSWORD}"]
    if method in ("XOAUTH2", "OAUTHBEARER"):
        who = ["--user", ANN, "--oauth2-bearer", token()]
    if method == "EXTERNAL":
        certificate, key = authority().sign(ANN).write(folder, "ann")
        who = ["--cert", str(certificate), "--key", str(key), "--user", f"{ANN}:"]
    run(
        program("curl"), "-sS", "--ssl-reqd", "-k", f"smtp://127.0.0.1:{port}/client.example", "--login-options",
        f"AUTH={method}", *who, "--mail-from", ANN, "--mail-rcpt", to, "--upload-file", str(file),
    )  # fmt: skip


def with_msmtp(port: int, method: str, to: str, folder: Path) -> None:
    """Send with msmtp."""
    secret = folder / "secret"
    secret.write_text(token() if method in ("xoauth2", "oauthbearer") else PASSWORD)
    more = []
    if method == "external":
        certificate, key = authority().sign(ANN).write(folder, "ann")
        key.chmod(0o600)
        more = [f"--tls-cert-file={certificate}", f"--tls-key-file={key}"]
    run(
        program("msmtp"), "--host=127.0.0.1", f"--port={port}", f"--from={ANN}", "--tls=on", "--tls-starttls=on",
        "--tls-certcheck=off", f"--auth={method}", f"--user={ANN}", f"--passwordeval=cat {secret}", *more, to,
        stdin=b"Subject: msmtp\n\nhello\n",
    )  # fmt: skip


def with_nodemailer(port: int, method: str, to: str, folder: Path) -> None:
    """Send with nodemailer."""
    script = Path(__file__).with_name("authenticate.js")
    secret = token() if method == "XOAUTH2" else PASSWORD
    run(need_nodemailer(), str(script), str(port), method, ANN, secret, to)


def with_smtplib(port: int, method: str, to: str, folder: Path) -> None:
    """Send with Python's own client."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.starttls(context=unverified())
        client.ehlo()
        client.esmtp_features["auth"] = method  # it would choose by itself, and knows ASCII only
        client.login("sam@example.org", "secret", initial_response_ok=method == "PLAIN")
        client.sendmail("sam@example.org", [to], "Subject: smtplib\r\n\r\nhello\r\n")


def with_mutt(port: int, method: str, to: str, folder: Path) -> None:
    """Send with mutt."""
    rc = folder / "muttrc"
    rc.write_text(
        f'set smtp_url="smtp://ann%40example.org@127.0.0.1:{port}/"\nset smtp_pass="{PASSWORD}"\nset smtp_authenticators="{method}"\n'
        f"set ssl_force_tls=yes\nset ssl_verify_host=no\nset ssl_verify_dates=no\nset certificate_file={folder}/certificates\n"
        f'set from="{ANN}"\nset record=""\nset copy=no\nset tmpdir={folder}\nset hostname=client.example\nset ssl_starttls=yes\n'
    )
    fetched = ssl_certificate(port)
    (folder / "certificates").write_text(fetched)
    run(program("mutt"), "-F", str(rc), "-s", "mutt", to, stdin=b"hello\n", HOME=str(folder))


def unverified() -> ssl.SSLContext:
    """Make a context that takes any certificate: the node has made its own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ssl_certificate(port: int) -> str:
    """Fetch the listener's certificate, for a client that would ask about it."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.starttls(context=unverified())
        assert isinstance(client.sock, ssl.SSLSocket)
        return ssl.DER_cert_to_PEM_cert(client.sock.getpeercert(binary_form=True) or b"")


PROGRAMS: tuple[tuple[Callable[[int, str, str, Path], None], str], ...] = (
    (with_swaks, "PLAIN"),
    (with_swaks, "LOGIN"),
    (with_curl, "PLAIN"),
    (with_curl, "LOGIN"),
    (with_curl, "XOAUTH2"),
    (with_curl, "OAUTHBEARER"),
    (with_curl, "EXTERNAL"),
    (with_msmtp, "plain"),
    (with_msmtp, "login"),
    (with_msmtp, "scram-sha-256"),
    (with_msmtp, "oauthbearer"),
    (with_msmtp, "xoauth2"),
    (with_msmtp, "external"),
    (with_nodemailer, "PLAIN"),
    (with_nodemailer, "LOGIN"),
    (with_nodemailer, "XOAUTH2"),
    (with_smtplib, "PLAIN"),
    (with_smtplib, "LOGIN"),
    (with_mutt, "plain"),
    (with_mutt, "login"),
)


@pytest.mark.rfc("4954", "4")
@pytest.mark.rfc("3848", "1")
@pytest.mark.parametrize(
    ("client", "method"), PROGRAMS, ids=[f"{one.__name__[5:]}-{how.lower()}" for one, how in PROGRAMS]
)
def test_a_program_authenticates(
    node: Node, tmp_path: Path, client: Callable[[int, str, str, Path], None], method: str
) -> None:
    """Under TLS, each by each mechanism that it knows; the trace field tells of both."""
    to = f"{client.__name__}.{method.lower()}@example.org"
    client(node.port("tls"), method, to, tmp_path)
    (arrived,) = node.wait_for(to)
    assert b"with ESMTPSA" in arrived.partition(b"\n\n")[0]
    who = "sam@example.org" if client is with_smtplib else ANN
    mechanism = "(XOAUTH2|OAUTHBEARER)" if client is with_curl and "AUTH" in method else method.upper()
    assert re.search(f"authenticated as {who} by {mechanism}", node.log())


def test_scram_plus_binds_the_channel(node: Node) -> None:
    """A client of others that binds to the server's certificate is let in; one with another certificate is not."""
    for spoils, code in ((False, 235), (True, 535)):
        with smtplib.SMTP("127.0.0.1", node.port("tls"), timeout=30) as client:
            client.starttls(context=unverified())
            client.ehlo()
            assert "SCRAM-SHA-256-PLUS" in client.esmtp_features["auth"]
            assert isinstance(client.sock, ssl.SSLSocket)
            bound = hashlib.sha256(client.sock.getpeercert(binary_form=True) or b"").digest()
            binding = ("tls-server-end-point", b"x" * 32 if spoils else bound)
            scram = ScramClient(["SCRAM-SHA-256-PLUS"], ANN, PASSWORD, channel_binding=binding)
            said, first = client.docmd("AUTH SCRAM-SHA-256-PLUS", encoded(scram.get_client_first()))
            assert said == 334
            scram.set_server_first(base64.b64decode(first).decode())
            said, final = client.docmd(encoded(scram.get_client_final()))
            if said == 334:
                scram.set_server_final(base64.b64decode(final).decode())
                said, _ = client.docmd("")
            assert said == code


def encoded(text: str) -> str:
    """Encode a response."""
    return base64.b64encode(text.encode()).decode()


# --- what is wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["auth", "auth_wrong"])
def test_a_dialogue_goes_as_written(node: Node, name: str) -> None:
    """What the machine says by itself a node says too; only what it offers is its own."""
    with Talk(node.port("clear")) as talk:
        for exchange in read_dialogue(DIALOGUES / f"{name}.txt").exchanges:
            talk.write(exchange.sent)
            if exchange.sent.startswith(b"EHLO"):
                assert b"AUTH SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN\r\n" in talk.reply()
                continue
            said = talk.lines(len(exchange.replies))
            assert not list(differences(exchange, said)), (exchange.sent[:100], said)


@pytest.mark.rfc("4954", "6")
def test_without_tls_nothing_is_offered(node: Node) -> None:
    """EHLO does not name AUTH, the command is refused with 538 before any password is sent, and mail goes on."""
    with Talk(node.port("careful")) as talk:
        talk.reply()
        talk.write(b"EHLO client.example\r\n")
        assert b"AUTH" not in talk.reply()
        talk.write(b"AUTH PLAIN AGFubgBzZWNyZXQ=\r\n")
        assert talk.reply().startswith(b"538 5.7.11")
        talk.write(b"MAIL FROM:<ann@example.org> AUTH=<>\r\n")
        assert talk.reply().startswith(b"555 5.5.4")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"exp": 1_000_000_000}, "invalid_token"),
        ({"iss": "https://evil.example"}, "invalid_token"),
        ({"aud": "web"}, "invalid_token"),
        ({"email": "bob@example.org"}, "invalid_token"),
        ({"email": "nobody@example.net"}, "invalid_token"),
        ({"email": None}, "invalid_token"),
    ],
)
@pytest.mark.rfc("7628", "3.2.3")
def test_a_bad_token_hears_what_is_wrong(node: Node, claims: Any, status: str) -> None:
    """In JSON first, which is answered; then 535."""
    message = f"n,a={ANN},\x01host=mx.example.org\x01auth=Bearer {token(**claims)}\x01\x01"
    with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
        client.ehlo("client.example")
        code, said = client.docmd("AUTH OAUTHBEARER", encoded(message))
        assert (code, json.loads(base64.b64decode(said))["status"]) == (334, status)
        assert client.docmd("AQ==")[0] == 535
        message = f"user={ANN}\x01auth=Bearer {token(**claims)}\x01\x01"
        assert client.docmd("AUTH XOAUTH2", encoded(message))[0] == 334
        assert client.docmd("")[0] == 535
        assert client.docmd("AUTH XOAUTH2", encoded(f"user={ANN}\x01auth=Bearer {token()}\x01\x01"))[0] == 235


def with_secret(claims: dict[str, Any], secret: bytes) -> str:
    """Sign as PyJWT would not: with what is no secret at all."""

    def part(octets: bytes) -> str:
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    header = part(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    signed = f"{header}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def test_a_forged_token_is_none(node: Node) -> None:
    """Signed with another key, or by the published key taken for a shared secret, or not at all."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": "https://id.example.org", "aud": "mail", "email": ANN, "exp": int(time.time()) + 600}
    forged = (
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"kid": "one"}),
        with_secret(claims, public),
        jwt.encode(claims, "", algorithm="none"),
    )
    with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
        client.ehlo("client.example")
        for one in forged:
            assert client.docmd("AUTH XOAUTH2", encoded(f"user={ANN}\x01auth=Bearer {one}\x01\x01"))[0] == 334
            assert client.docmd("")[0] == 535


def test_a_disabled_account_and_a_changed_password_count_at_once(node: Node) -> None:
    """What the command changes the running node knows."""
    with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
        client.ehlo("client.example")
        assert client.docmd("AUTH PLAIN", encoded("\0off@example.org\0secret"))[0] == 525
        node.command("account", "enable", "off@example.org")
        node.command("account", "password", "off@example.org", stdin=b"another\n")
        assert client.docmd("AUTH PLAIN", encoded("\0off@example.org\0secret"))[0] == 535
        assert client.docmd("AUTH PLAIN", encoded("\0off@example.org\0another"))[0] == 235
    accounts = [json.loads(line) for line in node.command("account", "list", "--json").splitlines()]
    shown = next(one for one in accounts if one["address"] == ANN)
    assert shown == {"address": ANN, "name": "Ann", "password": True, "disabled": False, "relayed_domains": []}


def test_a_certificate_of_nobody_we_know_proves_nothing(node: Node, tmp_path: Path) -> None:
    """EXTERNAL is not even offered for one that no authority of ours has signed."""
    context = unverified()
    certificate, key = Authority("Somebody else").sign(ANN).write(tmp_path, "ann")
    context.load_cert_chain(certificate, key)
    with smtplib.SMTP("127.0.0.1", node.port("tls"), timeout=30) as client:
        try:
            client.starttls(context=context)
            client.ehlo()
        except (ssl.SSLError, smtplib.SMTPException, OSError):
            return  # refused in the handshake is as good
        assert "EXTERNAL" not in client.esmtp_features["auth"]
        assert client.docmd("AUTH EXTERNAL", "=")[0] == 504


# --- guessing ---------------------------------------------------------------------------------------------------

GUARDED = """
[[listener]]
name = "clear"
service = "submission"
endpoint = "tcp:{port:clear}:interface=127.0.0.1"
auth_without_tls = true
[auth]
delay = "20ms"
max_delay = "100ms"
"""


def guess(port: int, source: str, tries: list[tuple[str, str]]) -> list[int]:
    """Try names and passwords over as many sessions as it takes; give the codes heard."""
    heard: list[int] = []
    while tries:
        with socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0)) as connection:
            lines = connection.makefile("rb")
            lines.readline()
            connection.sendall(b"EHLO guesser.example\r\n")
            while lines.readline()[3:4] == b"-":
                pass
            while tries:
                user, password = tries.pop()
                connection.sendall(b"AUTH PLAIN " + encoded(f"\0{user}\0{password}").encode() + b"\r\n")
                said = lines.readline()
                heard.append(int(said[:3] or b"0"))
                if not said or said[:3] == b"421":
                    break
    return heard


def test_a_thousand_guesses_get_nowhere_and_bother_nobody(make_node: MakeNode) -> None:
    """1,000 tries at one account and 1,000 accounts with one try: refused, logged; ann goes on logging in meanwhile."""
    text = settings(more=GUARDED).replace("[node]", '[node]\ntrusted_networks = ["::1/128"]')
    node = make_node(text)
    node.command("account", "add", ANN, stdin=PASSWORD.encode() + b"\n")
    port = node.port("clear")
    good: list[float] = []
    over = threading.Event()

    def log_in() -> None:
        while not over.is_set():
            began = time.monotonic()
            assert guess(port, "127.0.0.3", [(ANN, PASSWORD)]) == [235]
            good.append(time.monotonic() - began)
            over.wait(0.05)

    with ThreadPoolExecutor(9) as pool:
        user = pool.submit(log_in)
        at_one = [pool.submit(guess, port, "127.0.0.2", [(ANN, f"guess {n}") for n in range(250)]) for _ in range(4)]
        at_many = [
            pool.submit(guess, port, "127.0.0.4", [(f"user{k}.{n}@example.org", "spring") for n in range(250)])
            for k in range(4)
        ]
        heard = [[code for one in part for code in one.result()] for part in (at_one, at_many)]
        over.set()
        user.result()
    assert [len(codes) for codes in heard] == [1000, 1000]
    assert set(heard[0]) <= {535, 454, 421}
    assert heard[0].count(535) <= 12
    assert set(heard[1]) <= {535, 421}
    assert heard[1].count(535) <= 32
    assert len(good) > 3
    assert max(good) < 5
    log = node.log()
    assert log.count("127.0.0.2: locked out as ann@example.org") > 500
    assert "127.0.0.4: locked out as user" in log
    assert "Traceback" not in log
    assert "guess 1" not in log


# --- others who know --------------------------------------------------------------------------------------------


class Issuer(BaseHTTPRequestHandler):
    """Answers introspection as RFC 7662 says."""

    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        """Say of ``good`` that it is ann's, of ``slow`` nothing, of others that they are not active."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (one,) = form["token"]
        self.asked.append((one, self.headers["Authorization"]))
        if one == "broken":
            self.send_error(500)
            return
        answer = {
            "active": one in ("good", "expired"),
            "username": ANN,
            "exp": 1 if one == "expired" else time.time() + 60,
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.mark.rfc("7662", "2")
def test_the_issuer_is_asked_about_tokens(make_node: MakeNode, tmp_path: Path) -> None:
    """A good one is asked about once and then remembered; one that cannot be judged now is 454."""
    Issuer.asked = []
    server = HTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "secret").write_text("s3cret\n")
    oauth = (
        f'[auth.oauth]\nintrospection_url = "http://127.0.0.1:{server.server_port}/"\nclient_id = "mail"\n'
        f'client_secret_file = "{tmp_path}/secret"\n'
    )
    try:
        node = make_node(settings(more=GUARDED + oauth))
        node.command("account", "add", ANN, "--no-password")

        def ask(one: str) -> int:
            with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
                client.ehlo("client.example")
                code, _ = client.docmd("AUTH XOAUTH2", encoded(f"user={ANN}\x01auth=Bearer {one}\x01\x01"))
                return client.docmd("")[0] if code == 334 else code

        assert [ask(one) for one in ("good", "good", "bad", "expired", "broken")] == [235, 235, 535, 535, 454]
    finally:
        server.shutdown()
        server.server_close()
    authorization = "Basic " + encoded("mail:s3cret")
    assert Issuer.asked == [(one, authorization) for one in ("good", "bad", "expired", "broken")]


LDIF = """
dn: dc=example,dc=org
objectClass: organization
objectClass: dcObject
o: Example
dc: example

dn: cn=ann,dc=example,dc=org
objectClass: inetOrgPerson
cn: ann
sn: Ann
mail: ann@example.org
userPassword: secret
"""


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[int]:
    """Run OpenLDAP's server with one user; give its port."""
    server = program("slapd")
    (tmp_path / "db").mkdir()
    (tmp_path / "slapd.conf").write_text(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n"
        "include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f'database mdb\nsuffix "dc=example,dc=org"\ndirectory {tmp_path}/db\n'
        'rootdn "cn=admin,dc=example,dc=org"\nrootpw admin\n'
        "access to attrs=userPassword by anonymous auth by * none\naccess to * by dn.exact=cn=admin,dc=example,dc=org read by * none\n"
    )
    (tmp_path / "users.ldif").write_text(LDIF.lstrip())
    run(program("slapadd"), "-f", f"{tmp_path}/slapd.conf", "-l", f"{tmp_path}/users.ldif")
    port = free_port()
    process = subprocess.Popen(
        [server, "-h", f"ldap://127.0.0.1:{port}/", "-f", f"{tmp_path}/slapd.conf", "-d", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def listens() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens, 20, lambda: "slapd does not listen")
        yield port
    finally:
        process.kill()
        process.wait()


def test_an_ldap_server_knows_the_passwords(make_node: MakeNode, tmp_path: Path, slapd: int) -> None:
    """The user is searched and bound as; no SCRAM is offered; when the server is gone it is 454."""
    if find_spec("ldap") is None:
        missing('python-ldap is not installed: pip install ".[ldap]"')
    (tmp_path / "admin").write_text("admin\n")
    more = GUARDED + (
        f'source = "ldap"\n[auth.ldap]\nurl = "ldap://127.0.0.1:{slapd}"\nbase = "dc=example,dc=org"\ntimeout = "3s"\n'
        f'bind_dn = "cn=admin,dc=example,dc=org"\nbind_password_file = "{tmp_path}/admin"\n'
    )
    node = make_node(settings(more=more))
    codes = []
    with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
        client.ehlo("client.example")
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
        for user, password in (
            (ANN, "wrong"),
            (ANN, ""),
            ("*@example.org", "secret"),
            ("eve@example.org", "x"),
            (ANN, "secret"),
        ):
            codes.append(client.docmd("AUTH PLAIN", encoded(f"\0{user}\0{password}"))[0])
    assert codes == [535, 535, 535, 535, 235]
    node.configure(settings(more=more.replace(f"127.0.0.1:{slapd}", f"127.0.0.1:{free_port()}")))
    node.restart()
    with smtplib.SMTP("127.0.0.1", node.port("clear"), timeout=30) as client:
        client.ehlo("client.example")
        assert client.docmd("AUTH PLAIN", encoded(f"\0{ANN}\0secret"))[0] == 454
