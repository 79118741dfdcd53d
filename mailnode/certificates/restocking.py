"""Read the files of a stock again: what is good replaces what was there, what is faulty leaves it as it is."""

import os
from collections.abc import Iterable, Sequence

from attrs import frozen

from mailnode.certificates.reading import parse_chain, read_file, read_pair
from mailnode.certificates.stock import Pair, Place, Source, Stock, Unusable, sources_of

Stamp = tuple[str, int, int, int]
"""A file's path, inode, time of change in nanoseconds, and size; zeros for one that is not there."""


@frozen
class Restocked:
    """What came of reading again."""

    stock: Stock
    changed: tuple[Pair, ...]
    faults: tuple[Unusable, ...]


def stamps_of(places: Iterable[Place]) -> frozenset[Stamp]:
    """Look at all files without opening them, blocking."""
    return frozenset(_stamp(file) for place in places for file in place.files)


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - the paths are texts, and this is asked often
    except (OSError, ValueError):
        return (path, 0, 0, 0)
    return (path, found.st_ino, found.st_mtime_ns, found.st_size)


def read_stock(places: Sequence[Place], old: Stock) -> Restocked:
    """Read all files of ``places``, blocking; the old content stands in for a file that is faulty now."""
    faults: list[Unusable] = []
    pairs: dict[Source, Pair] = {}
    authorities: dict[str, bytes] = {}
    for source in sources_of(places):
        try:
            pairs[source] = read_pair(source)
        except Unusable as fault:
            faults.append(fault)
            if source in old.pairs:
                pairs[source] = old.pairs[source]
    for path in dict.fromkeys(place.client_ca for place in places if place.client_ca):
        try:
            authorities[path] = read_authorities(path)
        except Unusable as fault:
            faults.append(fault)
            if path in old.authorities:
                authorities[path] = old.authorities[path]
    stock = Stock(tuple(_usable(place, pairs, authorities, old) for place in places), pairs, authorities)
    changed = tuple(pair for source, pair in pairs.items() if old.pairs.get(source) != pair)
    return Restocked(stock, changed, tuple(faults))


def read_authorities(path: str) -> bytes:
    """Read a file of certificates, blocking; raises Unusable."""
    octets = read_file(path)
    parse_chain(path, octets)
    return octets


def _usable(place: Place, pairs: dict[Source, Pair], authorities: dict[str, bytes], old: Stock) -> Place:
    """Give the place as it is to be; as it was, if it could show nothing."""
    before = old.place(place.listener)
    is_whole = any(source in pairs for source in place.sources) and (
        not place.client_ca or place.client_ca in authorities
    )
    if is_whole or before is None:
        return place
    for source in before.sources:
        if source in old.pairs:
            pairs.setdefault(source, old.pairs[source])
    if before.client_ca in old.authorities:
        authorities.setdefault(before.client_ca, old.authorities[before.client_ca])
    return before
