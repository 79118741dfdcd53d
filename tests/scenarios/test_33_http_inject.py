"""A real node that takes mail by HTTP, driven by curl: forms, faults, bounds, and a node that stops in the middle."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.kit.home import HOME
from tests.kit.node import Node
from tests.kit.pki import Authority
from tests.kit.programs import program
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

TOKEN = "t0ken-of-the-shop-0123456789"
SETTINGS = (
    HOME
    + """
[gateway.post]
kind = "http-inject"
endpoint = "tcp:{port:http}:interface=127.0.0.1"
tokens = "TOKENS"
max_size = "1 MiB"
timeout = "3s"
[gateway.post.source]
rate = ""
rate_per_sender = ""

[gateway.safe]
kind = "http-inject"
endpoint = "ssl:{port:https}:interface=127.0.0.1:privateKey=KEY:certKey=CERTIFICATE"
tokens = "TOKENS"
"""
)
MAIL = {"from": "orders@shop.example", "to": ["ann@home.example"], "subject": "Gruß", "text": "hello\n"}
RAW = "From: orders@shop.example\nSubject: raw\n\n.\nhello\n"


@frozen
class Answer:
    """What curl heard."""

    status: int
    headers: dict[str, str]
    told: Any


class Poster:
    """A program that posts."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.curl = program("curl")

    def curl_to(self, path: str, *arguments: str, body: bytes | None = None, token: str = TOKEN) -> Answer:
        """Run curl; status 0 when there was no answer."""
        sent = ["--data-binary", "@-"] if body is not None else []
        done = subprocess.run(
            [self.curl, "-sS", "-i", "--max-time", "20", "-H", f"Authorization: Bearer {token}", *sent, *arguments,
             f"http://127.0.0.1:{self.node.port('http')}{path}"],
            input=body or b"", capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        answer = done.stdout
        while answer.startswith(b"HTTP/1.1 100"):
            answer = answer.partition(b"\r\n\r\n")[2]
        head, _, text = answer.partition(b"\r\n\r\n")
        if not head:
            return Answer(0, {}, done.stderr.decode())
        first, _, fields = head.partition(b"\r\n")
        read = BytesHeaderParser().parsebytes(fields)
        return Answer(int(first.split()[1]), {name.lower(): value for name, value in read.items()}, json.loads(text))

    def post(self, mail: dict[str, Any] | bytes, *arguments: str, **how: Any) -> Answer:
        """Post JSON."""
        body = mail if isinstance(mail, bytes) else json.dumps(mail).encode()
        return self.curl_to("/messages", "-H", "Content-Type: application/json", *arguments, body=body, **how)


@pytest.fixture
def poster(tmp_path: Path) -> Iterator[Poster]:
    """Start a node that takes mail by HTTP."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"shop plain:{TOKEN} from=@shop.example\n")
    tokens.chmod(0o600)
    certificate, key = Authority().sign("localhost").write(tmp_path, "https")
    settings = SETTINGS.replace("TOKENS", str(tokens)).replace("KEY", str(key)).replace("CERTIFICATE", str(certificate))
    node = Node(tmp_path, settings)
    poster = Poster(node)
    start(poster)
    yield poster
    node.kill()


def start(poster: Poster) -> None:
    """Start the node and wait for both its doors."""
    poster.node.start(wait_for=["mx"])
    until(lambda: poster.curl_to("/healthz").status == 200, 20, poster.node.log)


def test_curl_sends_mail_and_is_told_what_is_wrong(poster: Poster) -> None:
    """JSON, raw, the same key again, a wrong token, too much, bad JSON."""
    answer = poster.post(MAIL, "-H", "Idempotency-Key: 1", "-H", f"traceparent: 00-{'ab' * 16}-{'cd' * 8}-01")
    assert answer.status == 202, answer
    again = poster.post(MAIL, "-H", "Idempotency-Key: 1")
    assert (again.told, again.headers["idempotent-replayed"]) == (answer.told, "true")
    raw = poster.curl_to(
        "/messages?from=orders@shop.example&to=bob@home.example",
        "-H",
        "Content-Type: message/rfc822",
        body=RAW.encode(),
    )
    assert raw.status == 202, raw
    (mail,) = poster.node.wait_for("ann@home.example")
    assert f"with HTTP id {answer.told['queue_id']}".encode() in b" ".join(mail.split())
    assert b"Traceparent: 00-" + b"ab" * 16 in mail
    (mail,) = poster.node.wait_for("bob@home.example")
    assert mail.replace(b"\r\n", b"\n").endswith(b"\nSubject: raw\n\n.\nhello\n")
    wrong = [
        poster.post(MAIL, token="wrong"),
        poster.post(b"x" * 3_000_000),
        poster.post(b"x" * 3_000_000, "-H", "Transfer-Encoding: chunked", "-H", "Expect:"),
        poster.post(b'{"from": }'),
        poster.post(MAIL | {"from": "eve@evil.example"}),
        poster.post(MAIL | {"to": ["x@far.example"]}),
    ]
    assert [one.status for one in wrong] == [401, 413, 413, 400, 403, 403], wrong
    assert "line 1, column 10" in wrong[3].told["detail"]
    assert wrong[5].told["reply"]["code"] == 550
    assert len(poster.node.messages("ann@home.example")) == 1
    assert "posted by shop from 127.0.0.1" in poster.node.command("trace", answer.told["queue_id"])


def test_tls_of_its_own(poster: Poster) -> None:
    """The certificate is shown, and the trace field names HTTPS."""
    https = f"https://localhost:{poster.node.port('https')}/messages"
    done = subprocess.run(
        [poster.curl, "-sS", "--cacert", str(poster.node.folder / "https.pem"), "-H", f"Authorization: Bearer {TOKEN}",
         "--resolve", f"localhost:{poster.node.port('https')}:127.0.0.1", "-H", "Content-Type: application/json",
         "--data-binary", json.dumps(MAIL), https],
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (mail,) = poster.node.wait_for("ann@home.example")
    assert f"with HTTPS id {json.loads(done.stdout)['queue_id']}".encode() in b" ".join(mail.split())


def test_nothing_is_lost_and_nothing_twice_when_the_node_stops(poster: Poster) -> None:
    """Thirty messages by several clients, who repeat what was not answered, while the node is stopped and started."""

    def once(number: int) -> str:
        answer = poster.post(MAIL | {"subject": f"number {number}"}, "-H", f"Idempotency-Key: n{number}")
        assert answer.status in (0, 202, 409, 503), answer
        return str(answer.told["queue_id"]) if answer.status == 202 else ""

    def send(number: int) -> str:
        return until(lambda: once(number), 40, poster.node.log)

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(send, number) for number in range(30)]
        until(lambda: sum(one.done() for one in work) >= 10, 30, poster.node.log)
        poster.node.stop()
        start(poster)
        ids = [one.result() for one in work]
    assert len(set(ids)) == 30
    poster.node.kill()  # nothing is under way: all answers were given
    start(poster)
    assert [send(number) for number in range(0, 30, 5)] == ids[::5]
    mails = poster.node.wait_for("ann@home.example", 30)
    subjects = Counter(str(BytesHeaderParser().parsebytes(mail)["Subject"]) for mail in mails)
    assert subjects == {f"number {number}": 1 for number in range(30)}


def test_slow_clients_are_cut_off_and_others_served(poster: Poster) -> None:
    """Many that send an octet now and then take nothing from one that sends well."""
    slow = [
        subprocess.Popen(
            [
                poster.curl,
                "-sS",
                "--limit-rate",
                "10",
                "-H",
                f"Authorization: Bearer {TOKEN}",
                "-H",
                "Expect:",
                "-H",
                "Content-Type: application/json",
                "--max-time",
                "30",
                "--data-binary",
                "x" * 5000,
                f"http://127.0.0.1:{poster.node.port('http')}/messages",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(10)
    ]
    try:
        assert poster.post(MAIL).status == 202
        until(lambda: all(one.poll() is not None for one in slow), 25, poster.node.log)
        assert all(one.returncode for one in slow)
    finally:
        for one in slow:
            one.kill()
            one.wait()
