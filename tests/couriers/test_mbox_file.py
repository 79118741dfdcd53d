"""The mbox file: quoting, locks, and an append that is whole or never was."""

import contextlib
import errno
import fcntl
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.couriers import maildir_path, mbox_file
from mailnode.couriers.mbox_file import DOTLOCK_LIFE, append, from_line, quoted
from mailnode.mail.address import NULL, Mailbox

NOW = 1_700_000_000.0
FROM = b"From s@example.com Tue Nov 14 22:13:20 2023\n"


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    """Cut octets at the given places."""
    at = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[a:b] for a, b in itertools.pairwise(at)]


PIECES = st.lists(st.sampled_from(["From ", "From", "Fro", ">", "\n", "x", "m ", " "]), max_size=14).map("".join)


@given(PIECES, st.lists(st.integers(0, 100), max_size=8))
def test_quoting_is_right_wherever_the_blocks_are_cut(text: str, places: list[int]) -> None:
    """Each line of ``>*From `` gets one more ``>`` and no other line does, whatever the blocks are."""
    octets = text.encode()
    expected = re.sub(rb"^(>*From )", rb">\1", octets, flags=re.MULTILINE)
    assert b"".join(quoted(cut(octets, places))) == expected


@given(PIECES)
def test_quoting_can_be_undone(text: str) -> None:
    """Taking one ``>`` away from each quoted line gives the message as it was."""
    octets = b"".join(quoted([text.encode()]))
    assert re.sub(rb"^>(>*From )", rb"\1", octets, flags=re.MULTILINE) == text.encode()


def test_the_first_line_says_who_and_when() -> None:
    """Sender and UTC date, in the form of asctime."""
    assert from_line(Mailbox("s", "example.com"), NOW) == FROM


def test_the_first_line_is_always_one_line_of_known_form() -> None:
    """The null reverse-path has a name, and blanks and controls of an address are replaced."""
    assert from_line(NULL, NOW).startswith(b"From MAILER-DAEMON Tue ")
    assert from_line(Mailbox("a b\nFrom c", "example.com"), NOW).count(b"\n") == 1
    assert len(from_line(Mailbox("a b", "example.com"), NOW).split()) == 7


def put(path: Path, *blocks: bytes) -> bool:
    """Append a message."""
    return append(str(path), FROM, blocks, now=NOW)


def test_messages_are_set_apart_by_a_blank_line(tmp_path: Path) -> None:
    """Each message begins with its From line and ends with a blank line, also without a line end of its own."""
    path = tmp_path / "example.org" / "ann.mbox"
    assert put(path, b"Subject: x\n", b"\nFrom me\n")
    assert put(path, b"\nno line end")
    assert path.read_bytes() == FROM + b"Subject: x\n\n>From me\n\n" + FROM + b"\nno line end\n\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["ann.mbox"]


@pytest.mark.parametrize(("before", "gap"), [(b"x", b"\n\n"), (b"x\n", b"\n"), (b"x\n\n", b""), (b"\n", b"\n")])
def test_what_others_left_unfinished_is_ended(tmp_path: Path, before: bytes, gap: bytes) -> None:
    """A file that does not end with a blank line gets one before the next message."""
    (tmp_path / "ann.mbox").write_bytes(before)
    put(tmp_path / "ann.mbox", b"y\n")
    assert (tmp_path / "ann.mbox").read_bytes() == before + gap + FROM + b"y\n\n"


@pytest.mark.parametrize("left", [None, b"", b"From s@exam"])
def test_names_that_an_earlier_life_has_made_are_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes | None
) -> None:
    """A file or folder that is there may be a crash's: its name is durable before the append says so."""
    folder = tmp_path / "mail" / "example.org"
    folder.mkdir(parents=True)
    if left is not None:
        (folder / "ann.mbox").write_bytes(left)
    synced: list[str] = []
    monkeypatch.setattr(mbox_file, "sync_folder", synced.append)
    monkeypatch.setattr(maildir_path, "sync_folder", synced.append)
    assert append(str(folder / "ann.mbox"), FROM, [b"x\n"], now=NOW)
    assert str(folder) in synced
    assert left or {str(folder.parent), str(tmp_path)} <= set(synced)


def test_a_dotlock_keeps_us_out(tmp_path: Path) -> None:
    """While the lock file is there nothing is written, and it is not removed."""
    path = tmp_path / "ann.mbox"
    lock = tmp_path / "ann.mbox.lock"
    lock.touch()
    os.utime(lock, (NOW, NOW))
    assert not put(path, b"x\n")
    assert lock.exists()
    assert not path.exists()


def test_a_stale_dotlock_is_removed(tmp_path: Path) -> None:
    """A lock file older than its life is removed; the next try goes through."""
    lock = tmp_path / "ann.mbox.lock"
    lock.touch()
    os.utime(lock, (NOW - DOTLOCK_LIFE - 1,) * 2)
    assert not put(tmp_path / "ann.mbox", b"x\n")
    assert put(tmp_path / "ann.mbox", b"x\n")
    assert not lock.exists()


def test_a_lock_on_the_file_keeps_us_out(tmp_path: Path) -> None:
    """While another process holds the fcntl lock nothing is written and no lock file stays behind."""
    path = tmp_path / "ann.mbox"
    path.write_bytes(b"")
    hold = (
        "import fcntl,sys\nf=open(sys.argv[1],'r+b')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint(flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not put(path, b"x\n")
        holder.communicate()
    assert put(path, b"x\n")
    assert [p.name for p in tmp_path.iterdir()] == ["ann.mbox"]


CALLS = ((os, "open"), (os, "write"), (os, "fsync"), (os, "mkdir"), (os, "pread"), (os, "lseek"), (fcntl, "lockf"))


class FailsAt:
    """Lets the n-th of the watched calls fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: int) -> None:
        self.left = at
        self.error = error
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self._wrapped(getattr(module, name)))

    def _wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(self.error, os.strerror(self.error))
            return call(*args, **kwargs)

        return made


def fails(path: Path, monkeypatch: pytest.MonkeyPatch, at: int, error: int) -> bool:
    """Tell whether an append in which the n-th call fails does fail, and hold that it then has changed nothing."""
    before = path.read_bytes() if path.exists() else b""
    with monkeypatch.context() as patch:
        fault = FailsAt(patch, at, error)
        with contextlib.suppress(OSError):
            assert put(path, b"Subject: x\n", b"\nbody\n")
    has_failed = fault.left <= 0
    after = path.read_bytes() if path.exists() else b""
    assert (after == before) is has_failed, f"call {at}"
    assert not Path(f"{path}.lock").exists()
    return has_failed


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("is_new", [True, False])
def test_every_step_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, is_new: bool) -> None:
    """Whichever system call fails, the file has its old length and no lock is left."""
    at = 0
    go_on = True
    while go_on:
        at += 1
        path = tmp_path / str(at) / "example.org" / "ann.mbox"
        if not is_new:
            assert put(path, b"old\n")
        go_on = fails(path, monkeypatch, at, error)
    assert at > 8
