"""The From_ lines with which rmail hands on who a message is from (RFC 976 section 2.4).

They look like this::

    From mx.example.org!ann Sun Nov 22 03:00:00 2026 remote from mars
    >From ann Sun Nov 22 02:00:00 2026 remote from venus

Each host on the way has put one before the others, older ones with ``>``. Put together they are a bang path, the nearest
host first: ``mars!mx.example.org!ann``. The first line of a uuxqt of today often says it all.
"""

import re
from datetime import UTC, datetime

from attrs import frozen

from mailnode.mail.address import NULL, Mailbox
from mailnode.shipped.uucp.bang import MOST_HOSTS, collapsed, path_of, split

LONGEST_LINE = 1000
_LINE = re.compile(rb">*From (\S+)(?: (.*))?", re.DOTALL)
_REMOTE = re.compile(r"(?:^| )(?:remote from|forwarded by) (\S+)\s*$")
_NULL = ("", "<>", "MAILER-DAEMON", "mailer-daemon")


@frozen
class Origin:
    """Where a message of rmail comes from."""

    sender: Mailbox
    path: str
    """The whole way it came, as a bang path."""
    length: int
    """Octets of the From_ lines; the message begins behind them."""


def read_from_lines(octets: bytes) -> Origin:
    """Read the From_ lines at the beginning of a message; ValueError when they name no sender."""
    hosts: list[str] = []
    user = ""
    length = 0
    while True:
        end = octets.find(b"\n", length, length + LONGEST_LINE)
        found = _LINE.fullmatch(octets[length:end].rstrip(b"\r")) if end >= 0 else None
        if found is None:
            break
        length = end + 1
        user = found[1].decode("ascii", "replace")
        remote = _REMOTE.search((found[2] or b"").decode("ascii", "replace"))
        *through, user = user.split("!")
        hosts += [*([remote[1]] if remote and remote[1] not in through[:1] else []), *through]
    if not length:
        raise ValueError("it does not begin with a From_ line")
    path = "!".join([*hosts[:MOST_HOSTS], user])
    if user in _NULL:
        return Origin(NULL, path, length)
    return Origin(collapsed(*split("!".join([*hosts, user]))), path, length)


def write_from_line(sender: Mailbox, host: str, now: float) -> bytes:
    """Write the line for a neighbour, who knows us as ``host``; ValueError for a sender that no path can hold."""
    path = "MAILER-DAEMON" if sender == NULL else path_of(sender)
    return f"From {path} {datetime.fromtimestamp(now, UTC).ctime()} remote from {host}\n".encode()
