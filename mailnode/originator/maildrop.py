"""The maildrop: drafts in a folder, for a node that does not run now.

A file is one line of JSON, then the message. It is written under a name that begins with a dot, made durable, and only then
given the name that the node looks for; so a program that is killed leaves at most a file that is nobody's message, which
the node removes after a day.

Everything about a file is hostile: anyone may put anything there. ``opened`` takes regular files with a single name only,
never follows a link, never waits for a pipe's other end, and believes nothing that does not look as ``keep`` writes it.
"""

import contextlib
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from attrs import frozen

from mailnode.mail.envelope import Notify, Return
from mailnode.originator.draft import BLOCK, Draft
from mailnode.originator.lines import crlf
from mailnode.originator.receipt import DENIED, BadDraft, NobodyTakesIt

FORM = 1
"""The form of the files; another one is not understood."""
LONGEST_LINE = 8 << 20
"""Octets of the first line; ten thousand recipients fit, whatever their letters are."""
MOST_RECIPIENTS = 10_000
LONGEST_TEXT = 1000
"""Characters of an address and of every other text."""
NAME = re.compile(r"[0-9a-f]{16}\.[0-9a-f]{32}", re.ASCII)
"""The moment in hexadecimal microseconds, so that names sort by age; then what nobody can guess."""

_FIELDS: dict[str, type] = {"form": int, "from": str, "to": list, "notify": int, "ret": str, "envid": str, "name": str}


class Unfit(Exception):  # noqa: N818 - it is a judgement
    """A file in the maildrop is no draft; the message says why."""


@frozen
class Dropped:
    """A draft that lay in the maildrop, and whose it is."""

    draft: Draft
    """Its content is the open file, from behind the first line on."""
    user_id: int
    size: int
    """Octets of the content."""

    def close(self) -> None:
        """Close the file."""
        self.draft.content.close()


# --- putting in -------------------------------------------------------------------------------------------------


def keep(folder: Path, draft: Draft, *, now: float, sync: Callable[[int], None] = os.fsync) -> str:
    """Put a draft into the maildrop and give its name there; it is durable then.

    Raises NobodyTakesIt, or BadDraft for what the node would not read as a draft later.
    """
    line = _first_line(draft)
    name = f"{int(now * 1_000_000):016x}.{secrets.token_hex(16)}"
    hidden, path = folder / f".{name}", folder / name
    try:
        try:
            descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o640)  # the group is the folder's own: the node's
                file.write(line)
                draft.content.seek(0)
                while block := draft.content.read(BLOCK):
                    file.write(block)
                file.flush()
                sync(descriptor)
            hidden.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                hidden.unlink(missing_ok=True)
            raise
        _sync_name(folder, path, sync)
    except OSError as error:
        code = {"code": DENIED} if isinstance(error, PermissionError) else {}
        raise NobodyTakesIt(f"{folder}: the message cannot be kept: {error.strerror or error}", **code) from None
    return name


def _sync_name(folder: Path, path: Path, sync: Callable[[int], None]) -> None:
    """Make the name durable; who may not read the folder, and that is everyone but the node, syncs its file system."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        # A file's fsync after its renaming brings the journal to disk, and with it the new name.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(draft: Draft) -> bytes:
    fields = {
        "form": FORM, "from": draft.sender, "to": list(draft.recipients), "notify": draft.notify.value,
        "ret": draft.returns.value, "envid": draft.envelope_id, "name": _fit(draft.full_name),
    }  # fmt: skip
    line = json.dumps(fields).encode("ascii") + b"\n"
    try:
        _wishes_in(line)
    except Unfit as unfit:
        # Whoever hands it over can still be told.
        raise BadDraft(f"the message cannot be kept for the node: {unfit}") from None
    return line


def _fit(name: str) -> str:
    """Make a full name one that can be kept: no mail is refused for its author's name."""
    return "".join(one if one.isprintable() else "?" for one in name[:LONGEST_TEXT])


# --- taking out -------------------------------------------------------------------------------------------------


def waiting(folder: Path, limit: int) -> Sequence[str]:
    """Name drafts that wait, the oldest first, at most ``limit``; empty when there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return ()
    return sorted(names)[:limit]


def opened(path: Path) -> Dropped:
    """Open and read a draft, however large its message is. Raises Unfit, or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    try:
        return _dropped(file, os.fstat(descriptor))
    except BaseException:
        file.close()
        raise


def _dropped(file: BinaryIO, about: os.stat_result) -> Dropped:
    if not stat.S_ISREG(about.st_mode):
        raise Unfit("it is no regular file")
    if about.st_nlink != 1:
        raise Unfit("it has another name, so it may be somebody else's")
    line = file.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise Unfit("its first line has no end")
    size = about.st_size - len(line)
    return Dropped(_draft(line, _Rest(file, len(line), size)), about.st_uid, size)


def _draft(line: bytes, content: "_Rest") -> Draft:
    fields, notify, returns = _wishes_in(line)
    content_: Any = content
    return Draft(fields["from"], tuple(fields["to"]), content_, notify, returns, fields["envid"], fields["name"])


def _wishes_in(line: bytes) -> tuple[dict[str, Any], Notify, Return]:
    """Read the first line, believing nothing; raises Unfit."""
    if len(line) > LONGEST_LINE:
        raise Unfit("its first line has no end")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise Unfit("its first line is no JSON") from None
    if not isinstance(fields, dict) or fields.get("form") != FORM or fields.keys() != _FIELDS.keys():
        raise Unfit("its first line is not of the form that is known")
    if any(type(fields[name]) is not kind for name, kind in _FIELDS.items()):
        raise Unfit("its first line says what it cannot say")
    texts = [fields["from"], fields["envid"], fields["name"], *fields["to"]]
    if not 0 < len(fields["to"]) <= MOST_RECIPIENTS:
        raise Unfit(f"it is for nobody, or for more than {MOST_RECIPIENTS}")
    if not all(_is_text(text) for text in texts):
        raise Unfit("its first line says what it cannot say")
    if not 0 <= fields["notify"] <= _ALL_WISHES:  # a Flag of an early Python 3.11 takes any number
        raise Unfit("its wishes for notifications are none")
    try:
        return fields, Notify(fields["notify"]), Return(fields["ret"])
    except ValueError:
        raise Unfit("its wishes for notifications are none") from None


_ALL_WISHES = sum(wish.value for wish in Notify)


def _is_text(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_TEXT and text.isprintable()


class _Rest:
    """A file from some place on, and no further than it went when it was opened: its owner may still write to it.

    Lines end in CRLF, whatever was written: a bare LF could smuggle a message past the next hop (RFC 5321 section 2.3.8).
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._lines = crlf(self._from_start())

    def _from_start(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        left = self._size
        while left and (block := self._file.read(min(left, BLOCK))):
            left -= len(block)
            yield block

    def read(self, _size: int) -> bytes:
        """Give the next octets, a block or a little more."""
        return next((block for block in self._lines if block), b"")

    def seek(self, place: int) -> int:
        """Begin anew; there is no other place to go to."""
        self._lines = crlf(self._from_start())
        return place

    def close(self) -> None:
        """Close the file."""
        self._file.close()
