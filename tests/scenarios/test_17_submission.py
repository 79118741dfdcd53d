"""Mail programs and applications submit to a node, and what arrives is complete (RFC 6409), held (RFC 4865), in time (RFC 2852)."""

import json
import os
import re
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.node import Node, settings
from tests.kit.ports import free_port
from tests.kit.programs import need_nodemailer, program
from tests.kit.sinks import Sink, arguments
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

SENDER = "ann@example.org"
HEADER = "Subject: hi\r\nTo: bob, Carl <carl@far.example>\r\nBcc: secret@far.example\r\n"
BODY = "\r\nBcc: this stays\r\n.dot\r\nl\u00e4st\r\nend\r\n"
LISTENER = '\n[[listener]]\nname = "submission"\nservice = "submission"\nendpoint = "tcp:{port:submission}:interface=127.0.0.1"\n'


def with_submission(more: str = "", **keywords: Any) -> str:
    """Write a configuration with a listener for submission."""
    return settings(more=LISTENER + more, **keywords)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a node for all tests that only need one."""
    made = Node(tmp_path_factory.mktemp("submission") / "node", with_submission())
    try:
        yield made.start()
    finally:
        made.kill()


# --- completed headers ------------------------------------------------------------------------------------------


def with_smtplib(port: int, to: str, content: bytes) -> None:
    """Submit with Python's own client."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.sendmail(SENDER, [to], content, ["BODY=8BITMIME"])


def with_msmtp(port: int, to: str, content: bytes) -> None:
    """Submit with msmtp, which is told to add nothing by itself."""
    command = [
        program("msmtp"), "--host=127.0.0.1", f"--port={port}", f"--from={SENDER}", "--tls=off", "--auth=off",
        "--set-from-header=off", "--set-date-header=off", "--set-msgid-header=off", "--remove-bcc-headers=off", to,
    ]  # fmt: skip
    _run(command, content.replace(b"\r\n", b"\n"))


def with_nodemailer(port: int, to: str, content: bytes, *, folder: Path = Path("/tmp")) -> None:
    """Submit with nodemailer, raw."""
    file = folder / "raw.eml"
    file.write_bytes(content)
    _run([need_nodemailer(), str(Path(__file__).with_name("nodemailer.js")), str(port), SENDER, to, str(file)])


def with_swaks(port: int, to: str, content: bytes) -> None:
    """Submit with swaks."""
    command = [
        program("swaks"),
        "--server",
        "127.0.0.1",
        "--port",
        str(port),
        "--from",
        SENDER,
        "--to",
        to,
        "--data",
        "-",
    ]
    _run(command, content.removesuffix(b"\r\n"))


def _run(command: list[str], stdin: bytes = b"", **environment: str) -> None:
    done = subprocess.run(
        command, input=stdin, capture_output=True, timeout=120, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-4000:]


CLIENTS = (with_smtplib, with_msmtp, with_nodemailer, with_swaks)


@pytest.mark.rfc("6409", "8.2")
@pytest.mark.rfc("6409", "8.3")
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__.removeprefix("with_"))
def test_a_message_is_completed_octet_by_octet(node: Node, tmp_path: Path, client: Callable[..., None]) -> None:
    """Date, From and Message-ID come, Bcc goes, bare addresses get our domain, and the body is what was sent."""
    to = f"{client.__name__}@example.org"
    keywords = {"folder": tmp_path} if client is with_nodemailer else {}
    client(node.port("submission"), to, (HEADER + BODY).encode(), **keywords)
    (arrived,) = node.wait_for(to)
    text = arrived.decode()
    _, _, own = text.partition("Subject: hi\n")
    expected = (
        r"To: bob@example\.org, Carl <carl@far\.example>\n"
        r"Date: \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\n"
        r"From: ann@example\.org\n"
        r"Message-ID: <[A-Za-z0-9]{16}@mx\.example\.org>\n" + re.escape(BODY.replace("\r\n", "\n"))
    )
    assert re.fullmatch(expected, own), own
    assert "secret" not in text


def test_mutt_submits_what_is_complete_and_it_stays_so(node: Node, tmp_path: Path) -> None:
    """Mutt writes Date, From and Message-ID itself: they stay, its Bcc is gone, and a thread stays together."""
    mutt = program("mutt")
    to = "mutt.reader@example.org"
    (tmp_path / "muttrc").write_text(
        f'set smtp_url="smtp://127.0.0.1:{node.port("submission")}/"\nset from="{SENDER}"\nset realname="Ann Lee"\n'
        f"set ssl_starttls=no\nset ssl_force_tls=no\nset copy=no\nset write_bcc=yes\nmy_hdr In-Reply-To: <first@example.org>\n"
    )
    _run(
        [mutt, "-F", str(tmp_path / "muttrc"), "-s", "thread", "-b", "hidden@example.org", to],
        b"hello\n",
        HOME=str(tmp_path),
    )
    (arrived,) = node.wait_for(to)
    text = arrived.decode()
    assert text.count("Message-ID: <") == 1
    assert "@mx.example.org>" not in text.partition("Subject:")[2]
    assert "From: Ann Lee <ann@example.org>" in text
    assert "In-Reply-To: <first@example.org>" in text
    assert "hidden" not in text
    node.wait_for("hidden@example.org")


def test_a_large_message_flows_through(node: Node) -> None:
    """Eight megabytes behind a header to be completed arrive octet by octet."""
    body = b"\r\n" + b"".join(b"%070d\r\n" % number for number in range(110_000))
    with_smtplib(node.port("submission"), "large@example.org", b"Subject: large\r\n" + body)
    (arrived,) = node.wait_for("large@example.org")
    assert arrived.partition(b"\n\n")[2] == body[2:].replace(b"\r\n", b"\n")
    assert b"\nMessage-ID: <" in arrived[:2000]


def test_a_bare_recipient_is_one_of_ours(node: Node) -> None:
    """RCPT TO:<dora> and MAIL FROM:<ann> mean our first domain."""
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        client.sendmail("ann", ["dora"], b"\r\nend\r\n")
    (arrived,) = node.wait_for("dora@example.org")
    assert b"Return-Path: <ann@example.org>" in arrived
    assert b"From: ann@example.org" in arrived


def test_the_private_node_takes_submissions(tmp_path: Path) -> None:
    """Without a configuration there is a door for submission: what is for localhost arrives, nothing leaves."""
    text = with_submission(
        '\n[[route]]\nmatch = "*"\ncourier = "refuse"\n', hostname="localhost", domains={"localhost": "any"}
    )
    private = Node(tmp_path / "private", text)
    try:
        private.start()
        with smtplib.SMTP("127.0.0.1", private.port("submission")) as client:
            client.sendmail("me@localhost", ["you@localhost"], b"Subject: x\r\n\r\nend\r\n")
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("me@localhost", ["you@example.com"], b"\r\nend\r\n")
        (arrived,) = private.wait_for("you@localhost")
        assert re.search(rb"Message-ID: <\w{16}@localhost>", arrived)
    finally:
        private.kill()


# --- limits -----------------------------------------------------------------------------------------------------


def test_too_much_from_one_address_is_told_when_to_come_again(make_node: MakeNode) -> None:
    """Messages and recipients of an address, recipients of a message, and the size on this listener have their bounds."""
    node = make_node(
        with_submission(
            'max_size = "100 kB"\n[submission]\naddress_messages = 3\naddress_recipients = 5\nmax_recipients = 4\n'
        )
    )
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "100000"
        assert "RCPTMAX=4" in client.esmtp_features["limits"]
        client.sendmail(SENDER, ["a@example.org"], b"\r\n")
        assert client.mail(SENDER)[0] == 250
        for name in "bcde":
            assert client.rcpt(f"{name}@example.org")[0] == 250
        assert client.rcpt("f@example.org") == (
            452,
            b"4.5.3 Too many recipients; send the others in another transaction",
        )
        client.rset()
        assert client.mail(SENDER)[0] == 250
        assert client.rcpt("f@example.org") == (
            450,
            b"4.7.1 Too many recipients from your address; try again in 12 minutes",
        )
        client.rset()
        assert client.mail(SENDER) == (450, b"4.7.1 Too many messages from your address; try again in 20 minutes")
    assert "try again in 20 minutes" in node.log()


# --- held, in time, in order ------------------------------------------------------------------------------------


def _queue(node: Node) -> list[dict[str, Any]]:
    return [json.loads(line) for line in node.command("queue", "list", "--json").splitlines()]


@pytest.mark.rfc("4865", "4")
def test_a_held_message_waits_even_through_a_restart(make_node: MakeNode) -> None:
    """HOLDFOR: it is shown as held until then, a restart does not let it out, and when its time has come it arrives."""
    node = make_node(with_submission())
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        client.ehlo()
        interval, latest = client.esmtp_features["futurerelease"].split()
        assert interval == str(30 * 86400)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", latest)
        began = time.time()
        client.sendmail(SENDER, ["soon@example.org"], b"Subject: held\r\n\r\nend\r\n", ["HOLDFOR=6"])
        client.sendmail(SENDER, ["late@example.org"], b"Subject: held\r\n\r\nend\r\n", ["HOLDFOR=864000"])
        assert client.mail(SENDER, ["HOLDFOR=9999999"])[0] == 501
    soon, late = _queue(node)
    assert began + 5 < soon["held_until"] < began + 9
    assert late["recipients"][0]["due"] == late["held_until"]
    assert "held until" in node.command("queue", "list")
    assert "its sender lets it wait until" in node.command("queue", "show", late["queue_id"])
    node.restart()
    node.wait_for("soon@example.org")
    assert time.time() >= soon["held_until"]
    (still,) = _queue(node)
    assert still["queue_id"] == late["queue_id"]
    until(lambda: _queue(node)[0]["recipients"][0]["due"] == late["held_until"], 10, "it is due before its time")
    assert not node.names("late@example.org")


@pytest.mark.rfc("2852", "4")
def test_what_is_late_is_returned_or_told_of(make_node: MakeNode) -> None:
    """BY with R: returned with 5.4.7 when its time is over. With N: a report of the delay, and it goes on."""
    closed = free_port()
    node = make_node(with_submission(f'\n[[route]]\nmatch = "far.example"\nnext_hop = "[127.0.0.1]:{closed}"\n'))
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        client.sendmail("returned@example.org", ["x@far.example"], b"\r\nend\r\n", ["BY=3;R"])
        client.sendmail("told@example.org", ["y@far.example"], b"\r\nend\r\n", ["BY=3;N"])
        assert client.mail(SENDER, ["BY=0;R"])[0] == 501
        client.rset()
        assert client.mail(SENDER, ["BY=-9;N"])[0] == 250
    (bounce,) = node.wait_for("returned@example.org")
    assert b"\nStatus: 5.4.7\n" in bounce
    assert b"\nAction: failed\n" in bounce
    assert b"\nDeliver-By-Date: " in bounce
    (delay,) = node.wait_for("told@example.org")
    assert b"\nAction: delayed\n" in delay
    assert b"\nStatus: 4.4.7\n" in delay
    assert [entry["from"] for entry in _queue(node)] == ["told@example.org"]


@pytest.mark.rfc("2852", "4.1.4")
def test_time_and_priority_go_on_to_who_knows_them(make_node: MakeNode, tmp_path: Path) -> None:
    """A next hop with DELIVERBY gets what is left; one without gets only mode N, and the sender hears of the relaying."""
    closed = free_port()
    knowing = make_node(
        with_submission(
            f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{closed}"\n', domains={}, hostname="b.example"
        ),
        "knowing",
    )
    with Sink(tmp_path / "sink") as sink:
        node = make_node(
            with_submission(
                f'\n[[route]]\nmatch = "knows.example"\nnext_hop = "[127.0.0.1]:{knowing.port("submission")}"\n'
                f'\n[[route]]\nmatch = "plain.example"\nnext_hop = "[127.0.0.1]:{sink.port}"\n'
            )
        )
        with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
            client.sendmail(SENDER, ["x@knows.example"], b"\r\nend\r\n", ["BY=500;R", "MT-PRIORITY=-3"])
            client.sendmail("returned@example.org", ["x@plain.example"], b"\r\nend\r\n", ["BY=500;R"])
            client.sendmail("told@example.org", ["x@plain.example"], b"\r\nend\r\n", ["BY=500;N", "MT-PRIORITY=4"])
        until(lambda: bool(_queue(knowing)), 10, "nothing has gone on")
        (entry,) = _queue(knowing)
        assert entry["priority"] == -3
        assert 490 <= entry["deliver_by"] - entry["arrived"] <= 500
        (relayed,) = sink.wait_for()
        assert "BY=" not in arguments(relayed, "Mail")[0]
        (bounce,) = node.wait_for("returned@example.org")
        assert b"\nStatus: 5.3.3\n" in bounce
        (told,) = node.wait_for("told@example.org")
        assert b"\nAction: relayed\n" in told


@pytest.mark.rfc("6710", "4")
def test_what_is_urgent_goes_first(make_node: MakeNode, tmp_path: Path) -> None:
    """When a host comes back, what waits for it goes by priority, and by age within one."""
    port = free_port()
    node = make_node(
        with_submission(
            f'\n[[route]]\nmatch = "far.example"\nnext_hop = "[127.0.0.1]:{port}"\n[queue]\nlane_initial = 1\nlane_maximum = 1\n'
        )
    )
    levels = [0, 0, -5, 3, 9, 0, 3, -9]
    with smtplib.SMTP("127.0.0.1", node.port("submission")) as client:
        for number, level in enumerate(levels):
            to = f"n{number}.p{level}@far.example"
            client.sendmail(SENDER, [to], b"Subject: x\r\n\r\nend\r\n", [f"MT-PRIORITY={level}"])
    assert sorted(entry["priority"] for entry in _queue(node)) == sorted(levels)
    until(lambda: " rests: " in node.log(), 10, "the lane does not rest")
    with Sink(tmp_path / "sink", port=port) as sink:
        node.command("queue", "retry", "--all")
        sink.wait_for(len(levels))
    sent = [int(level) for level in re.findall(r"to=<n\d\.p(-?\d)@far\.example>.*outcome=relayed", node.log())]
    assert sent == sorted(levels, reverse=True)
