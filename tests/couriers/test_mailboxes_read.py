"""Mail programs we did not write read the mailboxes: Dovecot the Maildir, mutt both kinds."""

import os
import pty
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mailnode.couriers.maildir import MaildirCourier
from mailnode.couriers.mbox import MboxCourier
from mailnode.mail.outcome import Delivered
from tests.kit.deliveries import address, request_for
from tests.kit.programs import program
from tests.kit.pump import Pump
from tests.kit.results import InlineDisk, now

pytestmark = pytest.mark.scenario

BODY = b"From the first line\r\n.\r\n>From quoted\r\n" + "Grüße\r\n".encode() + b"x" * 900 + b"\r\n"
CONTENTS = [b"Subject: message %d\r\nFrom: a@example.com\r\n\r\n" % n + BODY for n in range(3)]
TEXT = BODY.replace(b"\r\n", b"\n")
LONG = 30.0
"""Seconds after which a program that does not end fails the test."""


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that other users may enter: Dovecot reads no mail as root."""
    made = Path(tempfile.mkdtemp(prefix="mailboxes-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def fill_maildir(root: Path) -> Path:
    """Deliver into ann's Maildir."""
    pump = Pump()
    clock = Clock()
    clock.advance(1_700_000_000)
    courier = MaildirCourier(root, hostname="mx.example.org", clock=clock, reactor=pump)
    for content in CONTENTS:
        (outcome,) = pump.run(courier.carry(request_for(address("ann"), content=content))).values()
        assert isinstance(outcome, Delivered)
        clock.advance(1)
    pump.run(courier.close())
    return root / "example.org" / "ann"


def fill_mbox(root: Path) -> Path:
    """Deliver into ann's mbox."""
    clock = Clock()
    clock.advance(1_700_000_000)
    courier = MboxCourier(root, clock=clock, disk=InlineDisk())
    for content in CONTENTS:
        now(courier.carry(request_for(address("ann"), content=content)))
    return root / "example.org" / "ann.mbox"


def as_nobody(place: Path) -> str:
    """Give the folder to a user that Dovecot accepts, and name it."""
    if os.geteuid() != 0:
        return os.environ.get("USER", "nobody")
    for path in [place, *place.rglob("*")]:
        shutil.chown(path, "nobody", "nogroup")
    return "nobody"


def doveadm(place: Path, mailbox: Path, fields: str) -> str:
    """Fetch fields of all messages with Dovecot."""
    user = as_nobody(place)
    config = place / "dovecot.conf"
    run_as = f"mail_uid = {user}\nmail_gid = nogroup\n" if os.geteuid() == 0 else ""
    config.write_text(
        f"base_dir = {place}/run\nstate_dir = {place}/run\nprotocols =\nssl = no\nlog_path = /dev/stderr\n"
        f"first_valid_uid = 0\nmail_location = maildir:{mailbox}\n{run_as}"
    )
    done = subprocess.run(
        [program("doveadm"), "-c", str(config), "fetch", fields, "all"],
        env={**os.environ, "USER": user, "HOME": str(place)},
        cwd=place,
        capture_output=True,
        timeout=LONG,
        check=True,
    )
    assert b"Error" not in done.stderr, done.stderr.decode()
    return done.stdout.decode()


def mutt(place: Path, mailbox: Path) -> bytes:
    """Let mutt open the mailbox on a terminal of its own and pipe every message into a file."""
    (place / "muttrc").write_text(f"set folder={place}\nset quit=yes\nset wait_key=no\nset pipe_split=yes\n")
    keys = f'push "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >> {place}/read<enter><exit>"'
    command = [program("mutt"), "-n", "-F", str(place / "muttrc"), "-R", "-f", str(mailbox), "-e", keys]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="vt100", HOME=str(place), LC_ALL="C.UTF-8")
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    try:
        _drain(terminal)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return (place / "read").read_bytes()


def _drain(terminal: int) -> None:
    """Read what a program writes on its terminal until it ends."""
    while select.select([terminal], [], [], LONG)[0]:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:  # Linux says EIO when the other end of a terminal is closed
            return
    raise TimeoutError


def test_dovecot_reads_the_maildir(place: Path) -> None:
    """Dovecot finds each message with its fields, its exact text, and the size that its name tells."""
    mailbox = fill_maildir(place / "mail")
    subjects = [line for line in doveadm(place, mailbox, "hdr.subject").split("\n") if ":" in line]
    assert subjects == [f"hdr.subject: message {n}" for n in range(len(CONTENTS))]
    read = doveadm(place, mailbox, "text")
    assert read.count(TEXT.decode()) == len(CONTENTS)
    assert read.count("Return-Path: <sender@example.com>\nDelivered-To: ann@example.org\n") == len(CONTENTS)
    sizes = [int(line.split()[1]) for line in doveadm(place, mailbox, "size.physical").split("\n") if ":" in line]
    assert sizes == [path.stat().st_size for path in sorted((mailbox / "new").iterdir())]


def test_mutt_reads_the_maildir(place: Path) -> None:
    """Mutt shows every message of the Maildir, text unchanged."""
    read = mutt(place, fill_maildir(place / "mail"))
    assert read.count(TEXT) == len(CONTENTS)
    assert all(read.count(b"Subject: message %d\n" % n) == 1 for n in range(3))


def test_mutt_reads_the_mbox(place: Path) -> None:
    """Mutt counts as many messages in the mbox as were delivered; quoted lines do not begin new ones."""
    read = mutt(place, fill_mbox(place / "mail"))
    assert read.count(TEXT.replace(b">From", b">>From").replace(b"From the", b">From the")) == len(CONTENTS)
    assert all(read.count(b"Subject: message %d\n" % n) == 1 for n in range(3))
