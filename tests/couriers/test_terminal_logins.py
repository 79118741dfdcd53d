"""Who is logged in where, by utmp and by systemd-logind."""

from pathlib import Path

import pytest

from mailnode.couriers.terminal_logins import LONG_RECORD, SHORT_RECORD, lines_in_utmp, lines_of_sessions
from tests.kit.terminals import RECORD, write_utmp


def test_a_record_is_as_long_as_the_c_library_makes_it() -> None:
    """utmp(5) has 384 octets a record, and 400 where its times have 64 bits."""
    assert (SHORT_RECORD.size, LONG_RECORD.size) == (384, 400)


def test_utmp_tells_the_terminals_of_a_user(tmp_path: Path) -> None:
    """All of the user's terminals in their order, and nobody else's."""
    path = tmp_path / "utmp"
    write_utmp(path, [("ann", "pts/1"), ("bob", "pts/2"), ("ann", "tty3"), ("anna", "pts/4")])
    assert list(lines_in_utmp(path, "ann")) == ["pts/1", "tty3"]
    assert list(lines_in_utmp(path, "nobody")) == []


def test_only_users_count(tmp_path: Path) -> None:
    """A record of a session that has ended (type 8) is none."""
    path = tmp_path / "utmp"
    write_utmp(path, [("ann", "pts/1")], kind=8)
    assert list(lines_in_utmp(path, "ann")) == []


@pytest.mark.parametrize("line", ["../etc/passwd", "/dev/pts/1", "pts/../mem", "pts/1/x", ".x", "", "pts/1 ", "~"])
def test_no_way_leads_out_of_the_devices(tmp_path: Path, line: str) -> None:
    """A name that could be a path to elsewhere is not believed."""
    path = tmp_path / "utmp"
    write_utmp(path, [("ann", line)])
    assert list(lines_in_utmp(path, "ann")) == []


def test_broken_records_are_left_out(tmp_path: Path) -> None:
    """A file that ends within a record is read up to there, one that is not there is empty."""
    path = tmp_path / "utmp"
    write_utmp(path, [("ann", "pts/1"), ("ann", "pts/2")])
    path.write_bytes(path.read_bytes()[: RECORD.size + 100])
    assert list(lines_in_utmp(path, "ann")) == ["pts/1"]
    assert list(lines_in_utmp(tmp_path / "none", "ann")) == []


def test_logind_tells_the_terminals_too(tmp_path: Path) -> None:
    """Sessions with a terminal count until they are closing; a file that is none of logind's does no harm."""
    (tmp_path / "1").write_text("UID=1000\nUSER=ann\nSTATE=active\nTTY=tty2\n")
    (tmp_path / "2").write_text("UID=1000\nUSER=ann\nSTATE=closing\nTTY=tty4\n")
    (tmp_path / "3").write_text("# a comment\nUSER=1000\nNAME=ann\nSTATE=online\nTTY=pts/7\n")
    (tmp_path / "4").write_text("UID=1001\nUSER=bob\nSTATE=active\nTTY=tty5\n")
    (tmp_path / "5").write_text("USER=ann\nSTATE=active\n")
    (tmp_path / "6").write_bytes(b"\xff\xfe\0")
    (tmp_path / "7").mkdir()
    (tmp_path / "8.ref").touch()
    assert list(lines_of_sessions(tmp_path, "ann")) == ["tty2", "pts/7"]
    assert list(lines_of_sessions(tmp_path / "none", "ann")) == []
