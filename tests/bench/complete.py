"""Whether all that was sent has arrived whole: no server is fast by losing or cutting mail."""

from pathlib import Path

from attrs import define, field

from tests.bench.server import Server

_STORED = 0.96
"""The least part of a message's size that its file has: a line end may be stored as one octet."""


@define
class Ledger:
    """What was sent to each server's mailboxes, by size."""

    _sizes: dict[str, list[int]] = field(factory=dict)

    def sent(self, server: Server, messages: int, size: int) -> None:
        """Note messages that were sent and are said to have arrived."""
        self._sizes.setdefault(server.name, []).extend([size] * messages)

    def check(self, server: Server) -> bool:
        """Compare numbers and sizes of the files with what was sent; AssertionError when they do not agree."""
        fault = difference(self._sizes.get(server.name, []), file_sizes(server.maildirs))
        assert not fault, fault
        return True


def file_sizes(maildirs: Path) -> list[int]:
    """Give the sizes of all delivered files."""
    return [file.stat().st_size for file in maildirs.glob("*/new/*")]


def difference(sent: list[int], found: list[int]) -> str:
    """Tell what is wrong with files of these sizes, once messages with bodies of those were sent; empty: nothing."""
    if len(sent) != len(found):
        return f"{len(sent)} messages were sent and {len(found)} files are there"
    pairs = zip(sorted(sent), sorted(found), strict=True)
    short = sum(file < _STORED * body for body, file in pairs)
    return f"{short} files of {len(found)} are not whole" if short else ""
