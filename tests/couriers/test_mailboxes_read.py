"""Mail programs we did not write read the mailboxes: Dovecot the Maildir, mutt both kinds."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mailnode.couriers.maildir import MaildirCourier
from mailnode.couriers.mbox import MboxCourier
from mailnode.mail.outcome import Delivered
from tests.kit.deliveries import address, request_for
from tests.kit.pump import Pump
from tests.kit.readers import doveadm, mutt
from tests.kit.results import InlineDisk, now

pytestmark = pytest.mark.scenario

BODY = b"From the first line\r\n.\r\n>From quoted\r\n" + "Grüße\r\n".encode() + b"x" * 900 + b"\r\n"
CONTENTS = [b"Subject: message %d\r\nFrom: a@example.com\r\n\r\n" % n + BODY for n in range(3)]
TEXT = BODY.replace(b"\r\n", b"\n")


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
