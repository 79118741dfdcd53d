"""Tests of the archive."""

import contextlib
import mailbox
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.mailing_list import archive

POST = b"Subject: one\r\n\r\nFrom me\r\n>From you\r\n"


@given(st.binary(max_size=200))
def test_no_line_of_a_post_begins_another(body: bytes) -> None:
    """mboxrd: taking one > away gives the lines as they were."""
    octets = archive.entry(b"A: b\r\n\r\n" + body, "ann@home.example", 1_800_000_000.0)
    lines = octets.split(b"\n")[1:]
    assert not any(line.startswith(b"From ") for line in lines)
    assert octets.endswith(b"\n\n")


def test_what_stands_there_is_not_written_again(tmp_path: Path) -> None:
    """A second try after a crash looks behind the place where the first one began."""
    path = tmp_path / "a.mbox"
    one = archive.entry(POST, "ann@home.example", 1_800_000_000.0)
    assert archive.append(path, one, 0)
    end = archive.size(path)
    assert archive.append(path, one, 0)
    assert archive.size(path) == end
    assert archive.append(path, one, end)
    assert archive.size(path) == 2 * end
    with contextlib.closing(mailbox.mbox(path, create=False)) as box:
        assert len(box) == 2


def test_a_file_left_without_its_blank_line_is_mended(tmp_path: Path) -> None:
    """The next post begins a message of its own."""
    path = tmp_path / "a.mbox"
    path.write_bytes(b"From x\nSubject: torn\n\nhal")
    archive.append(path, archive.entry(POST, "", 1_800_000_000.0), 0)
    with contextlib.closing(mailbox.mbox(path, create=False)) as box:
        assert [one["Subject"] for one in box] == ["torn", "one"]


def test_another_program_keeps_us_out(tmp_path: Path) -> None:
    """While it has the lock nothing is written."""
    path = tmp_path / "a.mbox"
    path.touch()
    code = "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); print(1,flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not archive.append(path, b"x", 0)
        other.communicate()
    assert archive.append(path, b"x", 0)
