"""Reading again: good files are taken, faulty ones leave what was there."""

from pathlib import Path

from mailnode.certificates.restocking import read_stock, stamps_of
from mailnode.certificates.stock import Place, Source, Stock
from tests.kit.pki import authority


def _written(folder: Path, name: str) -> Source:
    return Source(*map(str, authority().sign(f"{name}.example.org").write(folder, name)))


def test_a_faulty_new_pair_keeps_the_old_one(tmp_path: Path) -> None:
    """The other pairs are renewed all the same."""
    one, two = _written(tmp_path, "one"), _written(tmp_path, "two")
    places = (Place("mx", (one, two)),)
    first = read_stock(places, Stock())
    assert not first.faults
    assert len(first.changed) == 2
    _written(tmp_path, "two")
    Path(one.private_key).write_bytes(b"half")
    again = read_stock(places, first.stock)
    assert [fault.file for fault in again.faults] == [one.private_key]
    assert again.stock.pairs[one] == first.stock.pairs[one]
    assert [pair.source for pair in again.changed] == [two]


def test_a_place_that_could_show_nothing_stays_as_it_was(tmp_path: Path) -> None:
    """A reload with a file that is not there changes nothing for its listener."""
    one = _written(tmp_path, "one")
    old = read_stock((Place("mx", (one,)),), Stock()).stock
    missing = Source(str(tmp_path / "x"), str(tmp_path / "x"))
    new = read_stock((Place("mx", (missing,)),), old)
    assert new.stock.place("mx") == Place("mx", (one,))
    assert new.stock.pairs_of(new.stock.places[0])
    assert new.faults


def test_authorities_are_read_and_kept_alike(tmp_path: Path) -> None:
    """A file without certificates leaves the authorities that were believed."""
    one = _written(tmp_path, "one")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().identity.pem)
    places = (Place("mx", (one,), str(ca)),)
    first = read_stock(places, Stock()).stock
    ca.write_bytes(b"")
    again = read_stock(places, first)
    assert again.stock == first
    assert [fault.file for fault in again.faults] == [str(ca)]


def test_stamps_tell_of_every_change(tmp_path: Path) -> None:
    """Other content, another file of the same content, no file."""
    one = _written(tmp_path, "one")
    places = (Place("mx", (one,)),)
    seen = {stamps_of(places)}
    Path(one.certificate).write_bytes(b"longer than it was")
    seen.add(stamps_of(places))
    (tmp_path / "new").write_bytes(b"longer than it was")
    (tmp_path / "new").replace(one.certificate)
    seen.add(stamps_of(places))
    Path(one.certificate).unlink()
    seen.add(stamps_of(places))
    assert len(seen) == 4
