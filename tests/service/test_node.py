"""Scenarios of a real process: it starts, changes, and stops as twistd and its administrator ask."""

import contextlib
import grp
import os
import pwd
import signal
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.node import Node, settings
from tests.kit.ports import free_port, greets
from tests.kit.programs import script
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

MESSAGE = b"From: ann@example.org\r\nSubject: a test\r\n\r\nOne line.\r\n"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Give a node that is not started yet and never outlives the test."""
    made = Node(tmp_path, settings(more='\n[[route]]\ncourier = "refuse"\n[log]\nformat = "json"\n'))
    yield made
    made.kill()


def refused_start(node: Node) -> tuple[int, str]:
    """Start a node that must not start; give its exit status and what it said."""
    done = subprocess.run(
        [script("twistd"), "--pidfile=", "-n", "mailnode", "--config", str(node.configuration)],
        cwd=node.folder, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.decode()


def send(node: Node, to: str) -> None:
    """Send a message to one address."""
    with smtplib.SMTP("127.0.0.1", node.port(), timeout=20) as client:
        client.sendmail("ann@example.org", [to], MESSAGE)


def test_a_node_starts_takes_mail_and_stops_with_status_0(node: Node) -> None:
    """From the first greeting on mail is taken; SIGTERM ends it in order and takes the control socket away."""
    node.start()
    send(node, "bob@example.org")
    assert node.wait_for("bob@example.org")[0].endswith(b"\nOne line.\n")
    assert (node.data / "control.sock").is_socket()
    assert node.stop() in (0, -signal.SIGTERM)  # twistd ends by the signal that it was sent
    assert not (node.data / "control.sock").exists()
    assert '"event": "stopped"' in node.log()


def test_nobody_else_may_read_the_spool(node: Node) -> None:
    """All files of the data folder are the node's alone, even where the folder itself is open to all."""
    node.data.mkdir(mode=0o755)
    node.start()
    send(node, "bob@example.org")
    until(
        lambda: (node.data / "history.db").stat().st_size > 0 or (node.data / "history.db-wal").exists(),
        20,
        "no such event",
    )
    for file in node.data.iterdir():
        if file.name not in ("spool.lock", "public"):
            assert not file.stat().st_mode & 0o077, file.name


def test_a_port_in_use_is_one_clear_line(node: Node) -> None:
    """Without its port the node does not start, and says which port it is."""
    with socket.create_server(("127.0.0.1", node.port())):
        status, said = refused_start(node)
    assert status == 1
    assert said.splitlines() == [
        f"mailnode: listener mx: cannot listen on tcp:{node.port()}:interface=127.0.0.1: Address already in use"
    ]


def test_a_data_folder_in_use_is_one_clear_line(node: Node, tmp_path: Path) -> None:
    """Two nodes never share a data folder."""
    node.start()
    text = node.configuration.read_text().replace(str(node.port()), str(free_port()))
    other = Node(tmp_path / "other", text)
    status, said = refused_start(other)
    assert status == 1
    assert said.splitlines() == [f"mailnode: the data folder {node.data} is in use by another process ({node.pid})"]


def test_a_spool_of_a_newer_version_is_one_clear_line(node: Node) -> None:
    """A spool that cannot be read stops the start."""
    node.data.mkdir()
    (node.data / "spool.db").write_bytes(b"this is no database, but it is long enough to be looked at as one" * 20)
    status, said = refused_start(node)
    assert status == 1
    assert said.startswith(f"mailnode: the data folder {node.data} cannot be used: ")
    assert len(said.splitlines()) == 1


def test_faults_of_the_configuration_stop_the_start(node: Node) -> None:
    """All faults are reported, with status 1 and no traceback."""
    node.configure("[node]\nworkers = 0\nhostnme = 'a'\n")
    status, said = refused_start(node)
    assert status == 1
    assert said.splitlines()[0].endswith(": 2 faults")
    assert "Traceback" not in said


def test_sessions_hear_421_when_the_node_stops(node: Node) -> None:
    """A client that waits is told that the service ends (RFC 5321 3.8)."""
    node.start()
    with smtplib.SMTP("127.0.0.1", node.port(), timeout=20) as client:
        client.ehlo()
        node.signal(signal.SIGTERM)
        assert client.getreply()[0] == 421
        client.close()
    assert node.stop() in (0, -signal.SIGTERM)  # twistd ends by the signal that it was sent


def test_sighup_takes_new_domains_and_routes_over(node: Node) -> None:
    """A domain that is added counts for the next recipient, without a restart."""
    node.start()
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="does not leave"):
        send(node, "bob@refused.example")
    node.configure(
        settings(
            domains={"example.org": "any", "refused.example": "any"},
            more='[session]\nmax_recipients = 7\n[log]\nformat = "json"\n',
        )
    )
    node.signal(signal.SIGHUP)
    until(lambda: "was read again" in node.log(), 20, node.log)
    send(node, "bob@refused.example")
    assert node.wait_for("bob@refused.example")
    with smtplib.SMTP("127.0.0.1", node.port(), timeout=20) as client:
        client.ehlo()
        assert "RCPTMAX=7" in client.esmtp_features["limits"]


def test_sighup_with_faults_changes_nothing(node: Node) -> None:
    """A faulty configuration is reported and the old one stays."""
    node.start()
    node.configure("[node]\nworkers = 0\n")
    node.signal(signal.SIGHUP)
    until(lambda: "stays as it was" in node.log(), 20, node.log)
    assert "node.workers" in node.log()
    send(node, "bob@example.org")
    assert node.wait_for("bob@example.org")


def test_sighup_names_what_waits_for_a_restart(node: Node) -> None:
    """A change that cannot be made under way is named in the log."""
    node.start()
    node.configure(settings(hostname="other.example.org", more="[maildir]\nbatch = 7\n"))
    node.signal(signal.SIGHUP)
    until(lambda: "was read again" in node.log(), 20, node.log)
    assert "node.hostname has changed" in node.log()
    assert "maildir.batch has changed" in node.log()


def test_sighup_opens_the_log_file_anew(node: Node) -> None:
    """After a rotation the node writes to a new file of the old name."""
    log = node.folder / "mail.log"
    node.configure(settings(more=f'[log]\nfile = "{log}"\n'))
    node.start()
    until(lambda: log.exists() and "is ready" in log.read_text(), 20, "no such event")
    log.rename(node.folder / "mail.log.1")
    node.signal(signal.SIGHUP)
    until(lambda: log.exists() and "was read again" in log.read_text(), 20, "no such event")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_twistd_drops_privileges_and_keeps_its_options(node: Node, tmp_path: Path) -> None:
    """Bound as root, run as nobody: --uid, --gid, --pidfile, --umask and --logfile work, and files have the right owner."""
    nobody, group = pwd.getpwnam("nobody"), grp.getgrnam("nogroup")
    place = Path("/tmp") / f"mailnode-scenario-{os.getpid()}"  # the tests' own folders are closed to others
    place.mkdir(mode=0o755)
    os.chown(place, nobody.pw_uid, group.gr_gid)
    pidfile, log = place / "twistd.pid", place / "mail.log"
    port = next(number for number in range(600, 1024) if _is_free(number))
    configuration = place / "mailnode.toml"
    configuration.write_text(
        node.configuration.read_text().replace(str(node.port()), str(port)).replace(str(node.data), str(place / "data"))
    )
    try:
        subprocess.run(
            [
                script("twistd"), f"--uid={nobody.pw_uid}", f"--gid={group.gr_gid}", f"--pidfile={pidfile}",
                f"--logfile={log}", "--umask=077", f"--rundir={place}", "mailnode", "--config", str(configuration),
            ],
            check=True, timeout=60, cwd=place,
        )  # fmt: skip
        until(lambda: greets(port), 30, lambda: log.read_text() if log.exists() else "no log")
        pid = int(pidfile.read_text())
        status = Path(f"/proc/{pid}/status").read_text()
        assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
        assert f"Gid:\t{group.gr_gid}\t{group.gr_gid}" in status
        assert "Umask:\t0077" in status
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail("ann@example.org", ["bob@example.org"], MESSAGE)
        for file in [place / "data", log, *(place / "data").rglob("*")]:
            assert (file.stat().st_uid, file.stat().st_gid) == (nobody.pw_uid, group.gr_gid), file
        log.rename(place / "mail.log.1")
        os.kill(pid, signal.SIGHUP)
        until(lambda: log.exists() and "was read again" in log.read_text(), 20, "no such event")
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), 30, "it did not end")
        assert not pidfile.exists()
    finally:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(pidfile.read_text()), signal.SIGKILL)
        subprocess.run(["rm", "-rf", str(place)], check=True)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
