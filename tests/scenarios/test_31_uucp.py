"""Mail without a connection: Taylor UUCP between two nodes, Exim as a reader of batches, and nodes that are killed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTP

import pytest

from tests.kit.node import Node
from tests.kit.programs import need_namespaces, program, script
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

CONFIG = """
nodename {name}
spool {home}/spool
pubdir {home}/public
lockdir {home}
logfile {home}/log
statfile {home}/statistics
debugfile {home}/debug
sysfile {home}/sys
portfile {home}/port
dialfile {home}/empty
passwdfile {home}/empty
callfile {home}/empty
"""
SYS = """
system {other}
time any
port link
chat ""
protocol t
commands rmail rbsmtp
command-path {home}/bin
"""
PORT = "port link\ntype pipe\ncommand {uucico} -q -I {other_home}/config\n"
RMAIL = '#!/bin/sh\nexec {command} --config {configuration} "$@"\n'

SETTINGS = """
[node]
hostname = "{name}.example"
data = "{{data}}"

[[listener]]
endpoint = "tcp:{{port:mx}}:interface=127.0.0.1"

[[domain]]
name = "{name}.example"
accounts = "any"

[gateway.link]
kind = "uucp"
neighbour = "{other}"
hostname = "{name}"
form = "{form}"
paths = "bang"
uux = ["{uux}", "-I", "{home}/config", "-", "-r"]
queue = {{ retry = ["1s"] }}

[[domain]]
name = "{other}.example"
courier = "link"
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a folder that other users may enter."""
    need_namespaces()
    folder = Path(tempfile.mkdtemp(prefix="mailnode-uucp-"))
    folder.chmod(0o755)
    users = Path("/etc/passwd").read_text().splitlines(keepends=True)
    (folder / "passwd").write_text(
        "".join(line for line in users if not line.startswith("uucp:")) + "uucp:x:0:0::/tmp:/bin/sh\n"
    )
    yield folder
    shutil.rmtree(folder)


SEEN = ("unshare", "-m", "sh", "-c", 'mount --bind "$0/passwd" /etc/passwd && exec "$@"')
"""Runs a program that sees root under the name uucp: the user uucp may not be allowed to run our Python."""


class Host:
    """A host with a node and UUCP."""

    def __init__(self, place: Path, name: str, other: str, form: str) -> None:
        self.home, self.name, self.other = place / name, name, other
        for part in ("spool", "public", "bin"):
            (self.home / part).mkdir(parents=True)
        words = {
            "name": name, "other": other, "home": self.home, "other_home": place / other, "form": form,
            "uux": bare(place, "uux"), "uucico": bare(place, "uucico"),
        }  # fmt: skip
        for file, text in (("config", CONFIG), ("sys", SYS), ("port", PORT), ("empty", "")):
            (self.home / file).write_text(text.format(**words))
        self.node = Node(self.home / "node", SETTINGS.format(**words))
        (self.home / "node").chmod(0o755)
        for command in ("rmail", "rbsmtp"):
            path = self.home / "bin" / command
            path.write_text(RMAIL.format(command=script(f"mailnode-{command}"), configuration=self.node.configuration))
            path.chmod(0o755)
        (self.home / "spool").chmod(0o777)
        for file in ("log", "statistics"):
            (self.home / file).touch()
            (self.home / file).chmod(0o666)

    def send(self, subject: str, *to: str) -> None:
        """Let Ann send a message."""
        with SMTP("127.0.0.1", self.node.port("mx")) as client:
            client.sendmail(f"ann@{self.name}.example", to, f"Subject: {subject}\r\n\r\n.\r\nHello.\r\n")

    def open_up(self) -> None:
        """Let uux, which nobody runs, write where root has made folders."""
        for path in (self.home / "spool").rglob("*"):
            path.chmod(0o777)

    def handed_on(self) -> int:
        """Count the recipients whose mail lies with UUCP."""
        return self.node.log().count("outcome=relayed")

    def call(self) -> None:
        """Call the other side, which then runs what it got."""
        run(
            *SEEN,
            str(self.home.parent),
            bare(self.home.parent, "uucico"),
            "-I",
            str(self.home / "config"),
            "-q",
            "-f",
            "-s",
            self.other,
        )

    def execute(self) -> None:
        """Run what has come."""
        run(*SEEN, str(self.home.parent), bare(self.home.parent, "uuxqt"), "-I", str(self.home / "config"))


def bare(place: Path, name: str) -> str:
    """Copy a program of UUCP, so that it is not set-uid."""
    copy = place / name
    if not copy.exists():
        shutil.copyfile(program(name), copy)
        copy.chmod(0o755)
    return str(copy)


def run(*words: str) -> None:
    """Run a program of UUCP to its end; its log tells what went wrong."""
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    log = Path(words[words.index("-I") + 1]).with_name("log")
    assert done.returncode == 0, done.stderr.decode() + log.read_text()


@pytest.mark.parametrize("form", ["rmail", "rbsmtp"])
def test_two_nodes_by_uucp(place: Path, form: str) -> None:
    """There and back; uux fails for a while, one node is down when mail comes, and nothing is lost or doubled."""
    earth, mars = Host(place, "earth", "mars", form), Host(place, "mars", "earth", form)
    try:
        earth.node.start()
        (earth.home / "spool").chmod(0o755)
        earth.send("one", "bob@mars.example", "eve@mars.example")
        until(lambda: "uux:" in earth.node.log(), 20, earth.node.log)
        assert not earth.handed_on()
        (earth.home / "spool").chmod(0o777)
        until(lambda: earth.handed_on() == 2, 20, earth.node.log)
        earth.send("two", "bob@mars.example")
        until(lambda: earth.handed_on() == 3, 20, earth.node.log)
        mars.node.start()
        earth.call()
        mars.execute()
        messages = mars.node.wait_for("bob@mars.example", 2)
        assert len(mars.node.wait_for("eve@mars.example")) == 1
        assert sorted(b"Subject: two" in one for one in messages) == [False, True]
        assert all(b"Return-Path: <ann@earth.example>" in one for one in messages)
        assert all(one.replace(b"\r\n", b"\n").endswith(b"\n.\nHello.\n") for one in messages)
        mars.open_up()
        mars.send("answer", "ann@earth.example")
        until(lambda: mars.handed_on() == 1, 20, mars.node.log)
        earth.node.kill()
        mars.call()
        earth.execute()  # into the maildrop: no node answers
        earth.node.start()
        (answer,) = earth.node.wait_for("ann@earth.example")
        assert b"Subject: answer" in answer
    finally:
        earth.node.kill()
        mars.node.kill()


BATCHES = """
[node]
hostname = "earth.example"
data = "{data}"

[[listener]]
endpoint = "tcp:{port:mx}:interface=127.0.0.1"

[[domain]]
name = "earth.example"
accounts = "any"

[gateway.mars]
kind = "bsmtp"
outgoing = "OUT"
incoming = "IN"
close_after = "200ms"
close_at = 5
every = "100ms"
source = { rate = "", rate_per_sender = "" }

[[domain]]
name = "mars.example"
courier = "mars"
"""
EXIM = """
primary_hostname = mars.example
spool_directory = {home}/spool
exim_path = {exim}
log_file_path = {home}/%slog
domainlist local_domains = mars.example
acl_not_smtp = acl_ok
keep_environment =
begin acl
acl_ok:
  accept
begin routers
local:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = {home}/mail
  user = Debian-exim
  group = Debian-exim
begin retry
* * F,1h,1m
"""


def mail_by(node: Node, numbers: range, to: str) -> None:
    """Send numbered messages."""
    with SMTP("127.0.0.1", node.port("mx")) as client:
        for number in numbers:
            client.sendmail("ann@earth.example", [to], f"Subject: {number:03}\r\n\r\n.\r\nFrom me\r\n")


def test_exim_reads_our_batches_and_we_read_them_again(place: Path) -> None:
    """A node that is killed and killed again: every message is in one batch, and comes, at most one of them twice."""
    out, come = place / "out", place / "in"
    node = Node(place / "node", BATCHES.replace("OUT", str(out)).replace("IN", str(come)))
    try:
        node.start()
        for begin in (0, 20, 40):
            mail_by(node, range(begin, begin + 20), "bob@mars.example")
            node.kill()
            node.start()
        batches = lambda: sorted(one for one in out.iterdir() if not one.name.startswith("."))  # noqa: E731
        total = lambda: sum(one.read_bytes().count(b"MAIL FROM:") for one in batches())  # noqa: E731
        until(lambda: total() >= 60, 30, node.log)
        assert total() == 60
        octets = [one.read_bytes() for one in batches()]
        for number, batch in enumerate(octets):
            path = come / f"{number}.tmp"
            path.write_bytes(batch.replace(b"@mars.example>", b"@earth.example>").replace(b"FROM:<ann", b"FROM:<zoe"))
            path.rename(come / f"{number}.bsmtp")
            if number == 2:
                node.wait_for("bob@earth.example", 1)
                node.kill()
                node.start()
        until(lambda: not list(come.glob("*.bsmtp")), 30, node.log)
        came = node.wait_for("bob@earth.example", 60)
        numbers = [one.partition(b"Subject: ")[2][:3] for one in came]
        assert len(set(numbers)) == 60
        # The key is written down after the message: the one that a kill falls upon may come twice, and no other.
        assert len(numbers) <= 61, sorted(one for one in set(numbers) if numbers.count(one) > 1)
    finally:
        node.kill()
    _exim_takes(place / "exim", octets)


def _exim_takes(home: Path, batches: list[bytes]) -> None:
    """Let Exim, which Debian has built to want a user of its own, deliver the batches; it sees that user only here."""
    need_namespaces()
    exim = os.environ.get("EXIM") or program("exim4")
    home.mkdir()
    home.chmod(0o777)
    (home / "config").write_text(EXIM.format(home=home, exim=exim))
    for name, line in (("passwd", "Debian-exim:x:555:555::/tmp:/bin/false\n"), ("group", "Debian-exim:x:555:\n")):
        (home / name).write_text(Path("/etc", name).read_text() + line)
    see = f"mount --bind {home}/passwd /etc/passwd && mount --bind {home}/group /etc/group && "
    for batch in batches:
        done = subprocess.run(
            [program("unshare"), "-m", "sh", "-c", f"{see} exec {exim} -C {home}/config -odi -bS"],
            input=batch.replace(b"\r\n", b"\n"), capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    log = (home / "mainlog").read_text()
    assert (home / "mail").exists(), log
    mail = (home / "mail").read_bytes()
    assert mail.count(b"\nSubject: ") == 60
    assert mail.count(b"\n.\nFrom me\n") + mail.count(b"\n.\n>From me\n") == 60
