"""Tests of batches in folders: out, in, crashes between any two steps, hostile files."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from mailnode.shipped.uucp import parts as parts_module
from mailnode.shipped.uucp.batch_reading import BatchReader, Transaction
from mailnode.shipped.uucp.bsmtp import Bsmtp
from mailnode.shipped.uucp.parts import Parts
from mailnode.testing.api import MemoryNode, Notify
from tests.shipped.uucp.test_batch_reading import BATCH

ANN = "ann@home.example"
BOB = "bob@mars.example"


def node_with(folder: Path, config: str = "", **settings: Any) -> MemoryNode:
    """Make a node that exchanges batches with mars."""
    gateway = Bsmtp(outgoing=str(folder / "out"), incoming=str(folder / "in"), **settings)
    return MemoryNode(gateway, domain="mars.example", config=config)


def batches(folder: Path) -> list[Path]:
    """Give the batches that wait for the neighbour."""
    return sorted(one for one in (folder / "out").iterdir() if not one.name.startswith("."))


def read(path: Path) -> list[Transaction]:
    """Read a batch."""
    found: list[Transaction] = []
    reader = BatchReader(largest=1_000_000, hear=found.append)
    octets = path.read_bytes()
    reader.feed(gzip.decompress(octets) if path.name.endswith(".gz") else octets)
    reader.end()
    assert not reader.trouble
    return found


def drop(folder: Path, octets: bytes = BATCH, name: str = "0001.bsmtp") -> Path:
    """Let the neighbour leave a batch."""
    path = folder / "in" / name
    path.write_bytes(octets)
    return path


# --- out


@pytest.mark.rfc("2442", "2")
def test_messages_wait_for_one_another(tmp_path: Path) -> None:
    """One batch after a minute, with all of them; whole, and readable for a group."""
    node = node_with(tmp_path, dsn=True, hello="EHLO")
    node.send(ANN, BOB, "eve@mars.example", text=".dot\n..dots", notify=Notify.SUCCESS)
    node.send("", BOB)
    assert not node.queue()
    assert not batches(tmp_path)
    node.advance("2m")
    (batch,) = batches(tmp_path)
    octets = batch.read_bytes()
    assert octets.startswith(b"EHLO mx.home.example\r\nMAIL FROM:<ann@home.example> SIZE=")
    assert b"RCPT TO:<bob@mars.example> NOTIFY=SUCCESS\r\n" in octets
    assert octets.endswith(b"\r\n.\r\nQUIT\r\n")
    first, second = read(batch)
    assert [str(one.forward_path) for one in first.recipients] == [BOB, "eve@mars.example"]
    assert b"\r\n.dot\r\n..dots\r\n" in first.octets
    assert str(second.reverse_path) == ""
    assert batch.stat().st_mode & 0o777 == 0o640


def test_a_full_batch_is_closed_at_once(tmp_path: Path) -> None:
    """By number; compressed if that is wanted, and without extensions for old readers."""
    node = node_with(tmp_path, close_at=2, close_after=86400.0, compress=True, mode="600")
    for _ in range(5):
        node.send(ANN, BOB)
    node.advance("1m")
    assert [len(read(one)) for one in batches(tmp_path)] == [2, 2]
    assert gzip.decompress(batches(tmp_path)[0].read_bytes()).startswith(
        b"HELO mx.home.example\r\nMAIL FROM:<ann@home.example>\r\n"
    )
    node.advance("2d")
    assert len(batches(tmp_path)) == 3


def test_trouble_with_the_folder_passes(tmp_path: Path) -> None:
    """The message waits with its reason, and arrives once."""
    node = node_with(tmp_path)
    node.advance("1s")
    (tmp_path / "out" / ".parts").rename(tmp_path / "gone")
    node.send(ANN, BOB)
    assert "No such file" in node.queue()[0].reason
    (tmp_path / "gone").rename(tmp_path / "out" / ".parts")
    node.advance("1h")
    assert not node.queue()
    assert [len(read(one)) for one in batches(tmp_path)] == [1]


class Killed(BaseException):
    """The power went."""


STEPS = ("rename", "sync_folder", "_make_durable", "unlink", "rmdir", "mkdir")


@pytest.mark.parametrize("place", range(20))
def test_a_crash_at_any_step_loses_and_repeats_nothing(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the folder next goes on."""
    left = [place]

    def mortal(call: Any) -> Any:
        def step(*arguments: Any, **how: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return call(*arguments, **how)

        return step

    parts = Parts(tmp_path / "out", b"HELO x\r\n")
    parts.open()
    for number in range(3):
        content = f"MAIL FROM:<a{number}@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\n".encode()
        parts.keep(float(number), f"key{number}", content)
    for name in ("rename", "unlink", "rmdir", "mkdir"):
        monkeypatch.setattr(Path, name, mortal(getattr(Path, name)))
    for name in ("sync_folder", "_make_durable"):
        monkeypatch.setattr(parts_module, name, mortal(getattr(parts_module, name)))
    try:
        parts.begin(parts.waiting().names, "1.bsmtp")
        parts.finish("1.bsmtp")
    except Killed:
        pass
    monkeypatch.undo()
    parts.open()
    parts.begin(parts.waiting().names, "2.bsmtp")
    parts.finish("2.bsmtp")
    senders = sorted(str(one.reverse_path) for batch in batches(tmp_path) for one in read(batch))
    assert senders == ["a0@b.example", "a1@b.example", "a2@b.example"]
    assert not list((tmp_path / "out" / ".closing").iterdir())


def test_what_lies_in_a_batch_is_not_kept_again(tmp_path: Path) -> None:
    """The node was killed after the part was durable, and the queue did not hear of it."""
    node = node_with(tmp_path)
    gateway: Any = node.gateway()
    keep = gateway._parts.keep
    object.__setattr__(gateway, "_parts", Cut(gateway._parts, keep))
    node.send(ANN, BOB)
    assert node.queue()
    object.__setattr__(gateway, "_parts", gateway._parts.parts)
    node.advance("1d")
    assert not node.queue()
    assert [len(read(one)) for one in batches(tmp_path)] == [1]


class Cut:
    """Parts whose writer fails once the part is durable."""

    def __init__(self, parts: Parts, keep: Any) -> None:
        self.parts = parts
        self.waiting = parts.waiting
        self._keep = keep

    def keep(self, *arguments: Any) -> None:
        """Keep it, then fail."""
        self._keep(*arguments)
        raise OSError("killed")


# --- in


def test_a_batch_becomes_mail(tmp_path: Path) -> None:
    """Each message once; the file is gone when they are the node's."""
    node = node_with(tmp_path)
    path = drop(tmp_path)
    node.advance("1m")
    assert [mail["Subject"] for mail in node.mailbox("bob@home.example")] == ["one", "two"]
    assert node.mailbox("bob@home.example")[0].get_content().strip() == ".dot"
    assert len(node.mailbox("eve@home.example")) == 1
    assert "BSMTP" in str(node.mailbox("bob@home.example")[0]["Received"])
    assert not path.exists()


def test_a_batch_that_comes_again_is_known(tmp_path: Path) -> None:
    """It was not removed; one of the same name with something else in it is another."""
    node = node_with(tmp_path)
    drop(tmp_path)
    node.advance("1m")
    drop(tmp_path)
    node.advance("1m")
    assert len(node.mailbox("bob@home.example")) == 2
    drop(tmp_path, BATCH.replace(b"Subject: two", b"Subject: six"))
    node.advance("1m")
    assert [mail["Subject"] for mail in node.mailbox("bob@home.example")] == ["one", "two", "six"]


def test_who_cannot_get_it_is_reported_to_the_sender(tmp_path: Path) -> None:
    """A DSN to the neighbour's user, in the next batch; where there is no sender a person is told."""
    node = node_with(tmp_path)
    batch = BATCH.replace(b"bob@home.example", b"bob@elsewhere.example").replace(b"ann@mars", b"zoe@mars")
    drop(tmp_path, batch.replace(b" NOTIFY=NEVER", b""))
    node.advance("5m")
    assert len(node.mailbox("eve@home.example")) == 1
    (report,) = [one for batch in batches(tmp_path) for one in read(batch)]
    assert (str(report.reverse_path), str(report.recipients[0].forward_path)) == ("", "zoe@mars.example")
    assert b"bob@elsewhere.example" in report.octets
    assert b"multipart/report" in report.octets
    assert sorted(one.name for one in (tmp_path / "in" / "aside").iterdir()) == ["0001.bsmtp.2", "0001.bsmtp.2.why"]
    assert not (tmp_path / "in" / "0001.bsmtp").exists()


def test_what_is_busy_now_is_taken_later(tmp_path: Path) -> None:
    """The file stays; what was taken of it is not taken again."""
    node = node_with(tmp_path, "[gateway.bsmtp.source]\nrate_per_sender = '6/h'\n")
    one = b"MAIL FROM:<zoe@mars.example>\r\nRCPT TO:<bob@home.example>\r\nDATA\r\nSubject: %d\r\n\r\n.\r\n"
    path = drop(tmp_path, b"HELO mars\r\n" + b"".join(one % number for number in range(40)) + b"QUIT\r\n")
    node.advance("1m")
    assert path.exists()
    assert 0 < len(node.mailbox("bob@home.example")) < 40
    node.advance("1d")
    assert not path.exists()
    assert sorted(int(mail["Subject"]) for mail in node.mailbox("bob@home.example")) == list(range(40))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"Hello\n", "no batch"),
        (gzip.compress(BATCH)[:-20], "unpacked"),
        (b"\x1f\x8bnonsense", "unpacked"),
        (b"", "too early"),
    ],
)
def test_what_is_no_batch_is_laid_aside(tmp_path: Path, octets: bytes, why: str) -> None:
    """With the reason beside it."""
    node = node_with(tmp_path)
    drop(tmp_path, octets)
    node.advance("1m")
    assert why in (tmp_path / "in" / "aside" / "0001.bsmtp.why").read_text()
    assert (tmp_path / "in" / "aside" / "0001.bsmtp").read_bytes() == octets


def test_packed_batches_are_read_and_unfinished_ones_left_alone(tmp_path: Path) -> None:
    """Links and pipes are laid aside and never followed."""
    node = node_with(tmp_path)
    drop(tmp_path, gzip.compress(BATCH), "b.gz")
    left = [drop(tmp_path, name=name) for name in (".hidden", "x.tmp", "y.part")]
    secret = tmp_path / "secret"
    secret.write_bytes(BATCH)
    (tmp_path / "in" / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "in" / "fifo")
    node.advance("1m")
    assert len(node.mailbox("bob@home.example")) == 2
    assert all(one.exists() for one in left)
    aside = tmp_path / "in" / "aside"
    assert (aside / "link.why").read_text() == "it is a link\n"
    assert (aside / "fifo.why").read_text() == "it is no regular file\n"


def test_a_bomb_is_defused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What grows too much when it is unpacked is not read on."""
    monkeypatch.setattr("mailnode.shipped.uucp.inbox.SMALL", 1_000_000)
    node = node_with(tmp_path, largest=1000)
    drop(tmp_path, gzip.compress(BATCH[:200] + b"x" * 30_000_000))
    node.advance("1m")
    assert "grows" in (tmp_path / "in" / "aside" / "0001.bsmtp.why").read_text()


@pytest.mark.parametrize("settings", [{}, {"incoming": "x", "mode": "9"}, {"incoming": "x", "close_at": 0}])
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start."""
    with pytest.raises(ValueError, match="expected"):
        Bsmtp(**settings)
