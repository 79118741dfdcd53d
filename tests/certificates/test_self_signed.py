"""A certificate of our own making: private, kept, and renewed when it is time."""

import stat
from pathlib import Path

import pytest

from mailnode.certificates.reading import parse_pair, read_pair
from mailnode.certificates.self_signed import LIFE, ensure_self_signed
from mailnode.certificates.stock import Source, Unusable

NOW = 1_900_000_000.0


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    """The second start shows the same one; nobody else may read its key."""
    path = tmp_path / "self-signed.pem"
    assert ensure_self_signed(path, "MX.example.org", NOW)
    octets = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not ensure_self_signed(path, "mx.example.org", NOW + 86400)
    assert path.read_bytes() == octets
    assert parse_pair(read_pair(Source(str(path), str(path)))).names == ("mx.example.org",)
    assert [file.name for file in tmp_path.iterdir()] == ["self-signed.pem"]


@pytest.mark.parametrize("change", ["name", "time", "damage"])
def test_it_is_made_anew_when_it_serves_no_longer(tmp_path: Path, change: str) -> None:
    """For another name, near its end, and when the file is damaged."""
    path = tmp_path / "self-signed.pem"
    ensure_self_signed(path, "localhost", NOW)
    if change == "damage":
        path.write_bytes(path.read_bytes()[:300])
    name = "other.example" if change == "name" else "localhost"
    later = NOW + LIFE.total_seconds() - 86400 if change == "time" else NOW
    assert ensure_self_signed(path, name, later)
    assert not ensure_self_signed(path, name, later)


def test_where_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder that is not there is no reason for a traceback."""
    with pytest.raises(Unusable, match="cannot be written: No such file"):
        ensure_self_signed(tmp_path / "missing" / "x.pem", "localhost", NOW)
