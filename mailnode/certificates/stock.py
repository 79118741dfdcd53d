"""What TLS is made of, as values: the places that want certificates, and the octets of the files they name.

A ``Stock`` is whole in itself: a process that is given one needs no file and no privilege to show certificates. The
node's main process reads it and hands it to its workers.
"""

from collections.abc import Iterable, Mapping

from attrs import field, frozen


@frozen
class Source:
    """The files of one certificate and its key; they may be one."""

    certificate: str
    private_key: str

    @property
    def files(self) -> tuple[str, ...]:
        """Give the paths."""
        return (self.certificate, self.private_key)


@frozen
class Pair:
    """A certificate with its key, read and found good."""

    source: Source
    chain: bytes = field(repr=False)
    """PEM: the certificate first, then those that vouch for it."""
    key: bytes = field(repr=False)
    """PEM, not encrypted."""


@frozen
class Place:
    """A listener as this room sees it."""

    listener: str
    sources: tuple[Source, ...]
    """The first is shown to clients that ask for no name we know."""
    client_ca: str = ""
    """The file of the authorities whose client certificates are believed; empty: clients are not asked for any."""

    @property
    def files(self) -> frozenset[str]:
        """Give all paths."""
        named = {file for source in self.sources for file in source.files}
        return frozenset(named | {self.client_ca} if self.client_ca else named)


@frozen
class Stock:
    """All that is needed to show certificates at all places."""

    places: tuple[Place, ...] = ()
    pairs: Mapping[Source, Pair] = field(factory=dict)
    authorities: Mapping[str, bytes] = field(factory=dict, repr=False)
    """The PEM of each ``client_ca`` file."""

    def place(self, listener: str) -> Place | None:
        """Give a listener's place; None when it has no TLS."""
        return next((place for place in self.places if place.listener == listener), None)

    def pairs_of(self, place: Place) -> tuple[Pair, ...]:
        """Give the pairs that a place shows, of those that could be read."""
        return tuple(self.pairs[source] for source in place.sources if source in self.pairs)


class Unusable(Exception):  # noqa: N818 - it is what a file is, not an error of ours
    """A file that cannot serve: ``file`` is its path, ``reason`` half a sentence without a full stop.

    ``is_forbidden``: this user may not read it, but another may (root, at the start).
    """

    def __init__(self, file: str, reason: str, *, is_forbidden: bool = False) -> None:
        super().__init__(f"{file} {reason}")
        self.file = file
        self.reason = reason
        self.is_forbidden = is_forbidden


def sources_of(places: Iterable[Place]) -> tuple[Source, ...]:
    """Give each source once."""
    return tuple(dict.fromkeys(source for place in places for source in place.sources))
