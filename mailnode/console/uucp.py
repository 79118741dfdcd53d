"""``mailnode-rmail`` and ``mailnode-rbsmtp``: what uuxqt runs for mail from a UUCP neighbour (RFC 976, RFC 2442).

``rmail ADDRESS...`` reads one message that begins with From_ lines; ``rbsmtp`` (or ``rsmtp``) reads a batch of SMTP. Mail goes to the
submit socket of the node that runs, or into its maildrop where none does, as sendmail's does. Exit codes are those of
sysexits.h; uuxqt tells the neighbour's postmaster of what is not 0.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from random import SystemRandom
from typing import Any, BinaryIO, cast

import click

from mailnode.console.sendmail_command import Verbatim
from mailnode.originator.draft import Draft
from mailnode.originator.handing import hand_over
from mailnode.originator.lines import crlf
from mailnode.originator.place import Place
from mailnode.originator.receipt import DATA, TEMPORARY, USAGE, BadDraft, NotSent, RefusedRecipient
from mailnode.service.whereabouts import Unreadable, data_folder
from mailnode.shipped.uucp.bang import mailbox_of
from mailnode.shipped.uucp.batch_reading import BatchReader, Transaction
from mailnode.shipped.uucp.from_line import read_from_lines
from mailnode.shipped.uucp.returning import report_on

BLOCK = 1 << 16
IN_MEMORY = 1 << 20
LARGEST = 100_000_000
"""Octets of a message."""
LONGEST_FROM_LINES = 1 << 14
CONFIGURATION = 78


def rmail_main() -> None:
    """Run as rmail."""
    sys.exit(_ended("rmail", lambda: rmail(sys.argv[1:])))


def rbsmtp_main() -> None:
    """Run as rbsmtp."""
    sys.exit(_ended("rbsmtp", lambda: rbsmtp(sys.argv[1:])))


def _ended(name: str, work: Callable[[], int]) -> int:
    try:
        return work()
    except NotSent as trouble:
        code, why = trouble.code, str(trouble)
    except Unreadable as trouble:
        code, why = CONFIGURATION, str(trouble)
    except OSError as error:
        code, why = TEMPORARY, str(error)
    print(f"{name}: {why}", file=sys.stderr)
    return code


def _place(words: list[str]) -> Place:
    """Find the node; ``--config FILE`` may come first."""
    configuration = None
    if len(words) > 1 and words[0] == "--config":
        configuration = words[1]
        del words[:2]
    if words and words[0] == "--":
        del words[0]
    return Place(data_folder(configuration))


# --- rmail ------------------------------------------------------------------------------------------------------


def rmail(arguments: Sequence[str]) -> int:
    """Take one message."""
    words = list(arguments)
    place = _place(words)
    if not words or words[0].startswith("-"):
        raise BadDraft("usage: rmail ADDRESS...", code=USAGE)
    recipients = tuple(_recipient(word) for word in words)
    source = sys.stdin.buffer
    start = source.read(LONGEST_FROM_LINES)
    try:
        origin = read_from_lines(start)
    except ValueError as problem:
        raise BadDraft(str(problem), code=DATA) from None
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        content = cast("BinaryIO", file)
        content.writelines(crlf(_rest(start[origin.length :], source)))
        receipt = hand_over(place, Draft(str(origin.sender), recipients, content))
    return _told("rmail", receipt.refused)


def _recipient(word: str) -> str:
    """Read an argument; a name alone gets its domain from the node."""
    bare = word.strip("()")
    if "!" not in bare:
        return bare
    try:
        return str(mailbox_of(bare))
    except ValueError as problem:
        raise BadDraft(str(problem)) from None


def _rest(start: bytes, source: BinaryIO) -> Iterator[bytes]:
    yield start
    while block := source.read(BLOCK):
        yield block


def _told(name: str, refused: Sequence[RefusedRecipient]) -> int:
    for one in refused:
        print(f"{name}: {one}", file=sys.stderr)
    return max((one.code for one in refused), default=0)


# --- rbsmtp -----------------------------------------------------------------------------------------------------


def rbsmtp(arguments: Sequence[str]) -> int:
    """Take a batch; who cannot get a message is reported to its sender, so that the batch need not come again."""
    words = list(arguments)
    place = _place(words)
    codes: list[int] = []
    found: list[Transaction] = []
    reader = BatchReader(largest=LARGEST, hear=found.append)
    while not reader.is_over:
        block = sys.stdin.buffer.read(BLOCK)
        reader.feed(block) if block else reader.end()
        while found:
            codes.append(_take(place, found.pop(0)))
    if reader.trouble:
        raise BadDraft(f"behind {len(codes)} messages: {reader.trouble}")
    return max(codes, default=0)


def _take(place: Place, one: Transaction) -> int:
    if one.why or not one.recipients:
        print(f"rbsmtp: message {one.number}: {one.why or 'no recipient'}", file=sys.stderr)
        return DATA
    try:
        receipt = _hand_over(
            place, str(one.reverse_path), [str(each.forward_path) for each in one.recipients], one.octets
        )
        refused = receipt.refused
    except NotSent as trouble:
        if not trouble.refused:
            raise
        refused = trouble.refused
    now = time.time_ns() / 1e9
    hostname = place.origin() or "localhost"
    report = report_on(
        one, [(each.address, each.reply) for each in refused], hostname=hostname, now=now, random=SystemRandom()
    )
    if report is not None:
        _hand_over(place, "", [str(one.reverse_path)], report)
    _told(f"rbsmtp: message {one.number}", refused)
    return DATA if one.faults else 0


def _hand_over(place: Place, sender: str, to: Sequence[str], octets: bytes) -> Any:
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        file.write(octets)
        return hand_over(place, Draft(sender, tuple(to), cast("BinaryIO", file)))


# --- under the one command --------------------------------------------------------------------------------------


@click.command("rmail", cls=Verbatim, options_metavar="[--config FILE] ADDRESS...")
def rmail_command(**given: Any) -> None:
    """Take a message with From_ lines from standard input, for the addresses or bang paths that are named."""
    sys.exit(_ended("rmail", lambda: rmail(given["arguments"])))


@click.command("rbsmtp", cls=Verbatim, options_metavar="[--config FILE]")
def rbsmtp_command(**given: Any) -> None:
    """Take a batch of SMTP (RFC 2442) from standard input."""
    sys.exit(_ended("rbsmtp", lambda: rbsmtp(given["arguments"])))


__all__ = ["rbsmtp_command", "rbsmtp_main", "rmail_command", "rmail_main"]
