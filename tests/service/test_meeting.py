"""Tests of the meeting place: who gets where, and what is taken out of the maildrop."""

import io
import os
import stat
from pathlib import Path

import pytest

from mailnode.originator.draft import Draft
from mailnode.originator.maildrop import keep
from mailnode.originator.place import Place
from mailnode.service.meeting import gather, open_to, put_aside

DRAFT = Draft("ann", ("bob",), io.BytesIO(b"Subject: x\r\n"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give an empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return Place(folder)


def mode(path: Path) -> int:
    """Give the mode bits."""
    return stat.S_IMODE(path.lstat().st_mode)


def test_everybody_may_pass_to_the_public_part_only(place: Place) -> None:
    """The data folder lets through, what is in it loses what it never had to refuse before."""
    (place.data / "mail").mkdir(mode=0o755)
    (place.data / "spool.db").touch(mode=0o644)
    open_to(place, everyone=True, origin="example.org")
    assert mode(place.data) == 0o711
    assert mode(place.public) == 0o711
    assert mode(place.maildrop) == 0o3733
    for inside in place.data.iterdir():
        assert inside == place.public or not mode(inside) & 0o077, inside
    assert place.origin() == "example.org"


def test_what_an_administrator_has_opened_stays_open(place: Place) -> None:
    """A folder that others could pass before keeps what is in it as it is."""
    place.data.chmod(0o755)
    (place.data / "mail").mkdir(mode=0o755)
    open_to(place, everyone=True, origin="a")
    assert (mode(place.data), mode(place.data / "mail")) == (0o755, 0o755)


def test_it_can_be_for_the_node_s_own_user_alone(place: Place) -> None:
    """Also after it was open to all."""
    open_to(place, everyone=True, origin="a")
    open_to(place, everyone=False, origin="b")
    assert (mode(place.public), mode(place.maildrop)) == (0o700, 0o700)
    assert place.origin() == "b"


def test_drafts_are_taken_by_age_and_stay_taken(place: Place) -> None:
    """They are out of their writers' reach, and after a crash they are still there."""
    open_to(place, everyone=True, origin="a")
    names = [keep(place.maildrop, DRAFT, now=now) for now in (2.0, 1.0)]
    for _ in range(2):
        assert gather(place, 3.0, lambda *_: None) == names[::-1]
    assert not list(place.maildrop.iterdir())


def test_what_was_never_finished_goes_after_a_day(place: Place) -> None:
    """A program may still be writing to it until then."""
    open_to(place, everyone=True, origin="a")
    hidden = place.maildrop / ".half"
    hidden.write_bytes(b"half")
    os.utime(hidden, (1000.0, 1000.0))
    gather(place, 80_000.0, lambda *_: None)
    assert hidden.exists()
    gather(place, 90_000.0, lambda *_: None)
    assert not hidden.exists()


def test_strange_names_are_put_aside_and_told(place: Place) -> None:
    """An administrator finds them there."""
    open_to(place, everyone=True, origin="a")
    (place.maildrop / "strange").write_bytes(b"x")
    told: list[str] = []
    assert gather(place, 1.0, lambda name, _: told.append(name)) == []
    assert told == ["strange"]
    assert (place.data / "aside" / "strange").read_bytes() == b"x"
    (place.maildrop / "more").touch()
    put_aside(place, place.maildrop / "more")
    assert (place.data / "aside" / "more").exists()
