"""A real node and an SMSC that is not ours (made of the npm package ``smpp``): both ways, receipts, and its death in the middle."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTP
from typing import Any

import pytest

from tests.kit.home import ANN, HOME
from tests.kit.node import Node
from tests.kit.pki import Authority
from tests.kit.ports import free_port
from tests.kit.programs import need_node_package
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

SETTINGS = (
    HOME
    + """
[gateway.sms]
kind = "mailnode.shipped.sms.gateway:Sms"
endpoint = "ENDPOINT"
system_id = "mailnode"
password_file = "PASSWORD"
number = "+15770001"
to = "office@home.example"
hold = "1s"
answer_timeout = "3s"

[gateway.sms.queue]
retry = ["1s"]
breaker_after = 1000
concurrency = 2

[[domain]]
name = "sms.example.org"
courier = "sms"
"""
)


class Smsc:
    """The other side, which can be killed and started again; its journal stays."""

    def __init__(self, folder: Path, port: int, *certified: Path) -> None:
        self.program = need_node_package("smpp")
        self.journal = folder / "smsc.journal"
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self.errors = folder / "smsc.errors"
        self.given: set[str] = set()
        self.certified = [str(path) for path in certified]

    def start(self) -> "Smsc":
        """Start it and wait until it listens."""
        ready = len(self.entries("ready"))
        script = Path(__file__).with_name("smsc.js")
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [self.program, str(script), str(self.port), str(self.journal), *self.certified],
                stdin=subprocess.PIPE, stdout=errors, stderr=errors,
            )  # fmt: skip
        until(lambda: len(self.entries("ready")) > ready, 10, self.errors.read_text)
        return self

    def kill(self) -> None:
        """End it as a power failure would."""
        if self.process is not None:
            until(lambda: self.given <= {one["name"] for one in self.entries("pending")}, 10, self.errors.read_text)
            self.process.kill()
            self.process.communicate()
            self.process = None

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Give what it has noted."""
        if not self.journal.exists():
            return []
        text = self.journal.read_text()
        read = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [one for one in read if one["kind"] == kind]

    def deliver(self, name: str, **fields: Any) -> None:
        """Let it deliver a text message."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.given.add(name)
        line = {"name": name, "destination_addr": "15770001", "data_coding": 0, **fields}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()


def made(folder: Path, endpoint: str = "tcp:127.0.0.1:{port}", *certified: Path) -> tuple[Node, Smsc]:
    """Make both; ``certified`` are the files of a key and its certificate."""
    password = folder / "password"
    password.write_text("hush\n")
    password.chmod(0o600)
    smsc = Smsc(folder, free_port(), *certified)
    text = SETTINGS.replace("PASSWORD", str(password)).replace("ENDPOINT", endpoint.format(port=smsc.port))
    return Node(folder, text), smsc


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Node, Smsc]]:
    """Start both."""
    node, smsc = made(tmp_path)
    smsc.start()
    node.start()
    yield node, smsc
    node.kill()
    smsc.kill()


def send(node: Node, to: str, text: str, *, notify: str = "", message_id: str = "") -> None:
    """Send a message by smtplib."""
    with SMTP("127.0.0.1", node.port("mx")) as client:
        client.ehlo()
        client.mail(ANN)
        client.rcpt(to, [f"NOTIFY={notify}"] if notify else [])
        header = f"Subject: Lunch\r\nMessage-ID: {message_id or '<a@home.example>'}\r\n"
        header += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        code, said = client.data(f"{header}\r\n{text}\r\n".encode())
        assert code == 250, said


def test_mail_receipt_and_answer(sides: tuple[Node, Smsc]) -> None:
    """GSM and UCS-2, parts, a DSN for what was delivered and one for what was not, and the answer in the thread."""
    node, smsc = sides
    send(node, "4917012345@sms.example.org", "Grüße [5 €]", notify="SUCCESS", message_id="<lunch@home.example>")
    (report,) = node.wait_for(ANN)
    assert b"Action: delivered" in report
    assert b"4917012345@sms.example.org" in report
    send(node, "4917012345@sms.example.org", "Привет \U0001f600 " * 12, notify="SUCCESS")
    node.wait_for(ANN, 2)
    first, *parts = smsc.entries("submit")
    assert (first["text"], first["coding"], first["from"], first["ton"]) == ("Grüße [5 €]", 0, "15770001", 1)
    assert [(one["coding"], one["udh"][0][-4:]) for one in parts] == [(8, "0201"), (8, "0202")]
    assert "".join(one["text"] for one in parts) == ("Привет \U0001f600 " * 12).strip()
    send(node, "4025555@sms.example.org", "nobody there")
    send(node, "4005555@sms.example.org", "no number")
    reports = b"".join(node.wait_for(ANN, 4)[2:])
    assert b"undeliverable (UNDELIV)" in reports
    assert b"ESME_RINVDSTADR" in reports
    smsc.deliver("answer", source_addr="4917012345", message="at one € ü")
    answer = node.wait_for(ANN, 5)[4]
    assert b"In-Reply-To: <lunch@home.example>" in answer or b"In-Reply-To: <a@home.example>" in answer
    assert b"From: 4917012345@sms.example.org" in answer
    until(lambda: any(one["name"] == "answer" for one in smsc.entries("acknowledged")), 5, node.log)
    assert not smsc.entries("unknown")


def test_what_comes_in_parts_and_over_a_restart_of_the_node(sides: tuple[Node, Smsc]) -> None:
    """The first part before, the second after it; a receipt that waited for the next bind becomes a DSN."""
    node, smsc = sides
    send(node, "4035555@sms.example.org", "later", notify="SUCCESS")
    until(lambda: smsc.entries("accepted"), 10, node.log)
    smsc.deliver("one", source_addr="4917099999", message="Grüße und ", udh="0500030a0201", esm_class=0x40)
    until(lambda: smsc.entries("acknowledged"), 10, node.log)
    node.restart()
    (report,) = node.wait_for(ANN)
    assert b"Action: delivered" in report
    assert smsc.entries("unbind")
    smsc.deliver("two", source_addr="4917099999", message="mehr", udh="0500030a0202", esm_class=0x40)
    (mail,) = node.wait_for("office@home.example")
    assert "Grüße und mehr".encode() in mail or b"Gr=C3=BC=C3=9Fe und mehr" in mail or b"R3LDvMOfZSB1bmQgbWVocg" in mail


def test_the_smsc_dies_in_the_middle(sides: tuple[Node, Smsc]) -> None:
    """Killed twice amid traffic both ways: nothing is lost, and twice comes only what had no answer before it died."""
    node, smsc = sides
    count = 24
    for number in range(count):
        send(node, f"49170{number:05}@sms.example.org", f"text {number}", notify="SUCCESS")
        smsc.deliver(f"in {number}", source_addr="4917088888", message=f"came {number}")
        if number in (8, 16):
            smsc.kill()
            smsc.start()
    taken = [f"text {number}" for number in range(count)]
    until(
        lambda: {one["to"] for one in smsc.entries("accepted")} == {f"49170{n:05}" for n in range(count)}, 60, node.log
    )
    node.wait_for(ANN, count, 60)
    came = node.wait_for("office@home.example", count, 60)
    submits = Counter(one["text"] for one in smsc.entries("submit"))
    assert set(submits) == set(taken)
    accepted = Counter(one["to"] for one in smsc.entries("accepted"))
    # An answer that was written when the process died may not have arrived: those may come twice, as SMPP has no key.
    assert sum(accepted.values()) <= count + 2 * 2
    until(lambda: len({one["name"] for one in smsc.entries("acknowledged")}) >= count * 2, 30, node.log)
    texts = Counter(line for mail in came for line in mail.splitlines() if line.startswith(b"came "))
    assert texts == Counter({b"came %d" % number: 1 for number in range(count)})
    assert (len(node.messages("office@home.example")), len(node.messages(ANN))) == (count, count)


def test_no_answer_and_too_much(sides: tuple[Node, Smsc]) -> None:
    """Throttled at first, then taken; what is never answered stays queued with its reason."""
    node, smsc = sides
    send(node, "4015555@sms.example.org", "busy")
    until(lambda: len(smsc.entries("accepted")) == 1, 20, node.log)
    assert [one["text"] for one in smsc.entries("submit")] == ["busy", "busy"]
    send(node, "4045555@sms.example.org", "silence")
    until(
        lambda: "4.4.2 sms: no answer to submit_sm within 3 seconds" in node.command("queue", "list", "--json"),
        20,
        node.log,
    )
    until(lambda: len(smsc.entries("bind")) >= 2, 20, node.log)


def test_the_node_dies_in_the_middle(sides: tuple[Node, Smsc]) -> None:
    """Killed amid traffic both ways: everything arrives, and the SMSC holds what was not acknowledged."""
    node, smsc = sides
    for number in range(12):
        send(node, f"49170{number:05}@sms.example.org", f"text {number}", notify="SUCCESS")
        smsc.deliver(f"in {number}", source_addr="4917088888", message=f"came {number}")
        if number == 6:
            node.kill()
            node.start()
    node.wait_for(ANN, 12, 30)
    until(lambda: {one["text"] for one in smsc.entries("submit")} == {f"text {n}" for n in range(12)}, 30, node.log)
    until(lambda: {f"in {n}" for n in range(12)} <= {one["name"] for one in smsc.entries("acknowledged")}, 30, node.log)
    lines = {line for mail in node.messages("office@home.example") for line in mail.splitlines()}
    assert {b"came %d" % number for number in range(12)} <= lines


def test_over_tls_and_only_with_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    """The name and its authority are verified; without that there is no bind, and the message waits."""
    authority = Authority()
    certificate, key = authority.sign("localhost").write(tmp_path, "smsc")
    for name, roots in (("good", authority), ("bad", Authority("Another"))):
        folder = tmp_path / name
        (folder / "roots").mkdir(parents=True)
        (folder / "roots" / "ca.pem").write_bytes(roots.identity.pem)
        node, smsc = made(folder, f"tls:localhost:{{port}}:trustRoots={folder / 'roots'}", key, certificate)
        smsc.start()
        node.start()
        try:
            send(node, "4917012345@sms.example.org", "hello", notify="SUCCESS")
            if name == "good":
                node.wait_for(ANN)
            else:
                until(lambda: "outcome=delayed (451 4.4.1 sms: no bind" in node.log(), 15, node.log)  # noqa: B023
                assert not smsc.entries("bind")
        finally:
            node.kill()
            smsc.kill()
