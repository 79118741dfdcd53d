"""A disk that is really full: a small tmpfs, mounted for the test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mailnode.couriers.maildir import MaildirCourier
from mailnode.couriers.maildir_outcome import DELIVERED, NO_SPACE
from mailnode.couriers.mbox import MboxCourier
from mailnode.interfaces import Courier
from tests.kit.deliveries import address, request_for
from tests.kit.programs import missing, need_root
from tests.kit.pump import Pump
from tests.kit.results import InlineDisk, now

pytestmark = pytest.mark.scenario

ANN = address("ann")
LARGE = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * 3000


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk with room for one MiB."""
    need_root()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        missing("mount is not allowed here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
@pytest.mark.rfc("5321", "4.5.3.1.10")
def test_a_full_disk_is_told_and_got_over(small: Path, kind: str) -> None:
    """When nothing fits any more the answer is 452 4.3.1 and nothing is left; with new room mail goes in again."""
    pump = Pump()
    clock = Clock()
    clock.advance(1_700_000_000)
    courier: Courier = (
        MaildirCourier(small / "mail", hostname="mx.example.org", clock=clock, reactor=pump)
        if kind == "maildir"
        else MboxCourier(small / "mail", clock=clock, disk=InlineDisk())
    )
    ballast = small / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    outcomes = [pump.run(courier.carry(request_for(ANN, content=LARGE)))[ANN] for _ in range(6)]
    assert outcomes == [DELIVERED, DELIVERED, NO_SPACE, NO_SPACE, NO_SPACE, NO_SPACE]
    sizes = [path.stat().st_size for path in (small / "mail").rglob("*") if path.is_file()]
    assert 2 * 231_000 < sum(sizes) < 2 * 231_500
    ballast.unlink()
    assert pump.run(courier.carry(request_for(ANN, content=LARGE)))[ANN] == DELIVERED
    if isinstance(courier, MaildirCourier):
        pump.run(courier.close())
    else:
        now(courier.close())
