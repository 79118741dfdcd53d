"""The meeting place of a node: the part of its data folder that programs of other users may enter, made and kept in order.

``public/`` can be entered by all, ``public/maildrop`` can be written to by all and listed by none but the node (3733: sticky,
so that nobody removes another's mail; set-group-id, so that the node's group may read it). Everything else in the data
folder is closed to others by its own mode before the data folder itself lets anybody through.

``taken`` is where the node puts what it has taken out of the maildrop until it is in the spool; ``aside`` is for files that
are no mail, for the administrator to look at.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Collection
from pathlib import Path

from mailnode.originator.maildrop import NAME, waiting
from mailnode.originator.place import Place

TAKEN = "taken"
ASIDE = "aside"
CONTENT = "content"
"""The spool makes it when it needs it; now that others pass by it had better be closed to them from the start."""
STALE = 86400.0
"""Seconds after which a file that was begun in the maildrop and never finished is removed."""
MOST = 200
"""Drafts taken at a time."""


def open_to(place: Place, *, everyone: bool, origin: str) -> None:
    """Make the meeting place, for all users of the machine or for the node's own; raises OSError."""
    for folder in (place.data / TAKEN, place.data / ASIDE, place.data / CONTENT):
        folder.mkdir(mode=0o700, exist_ok=True)
    if everyone:
        _let_through(place.data)
    for folder, mode in ((place.public, 0o711), (place.maildrop, 0o3733)):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(mode if everyone else 0o700)
    hidden = place.public / ".origin"
    hidden.write_text(f"{origin}\n", "utf-8")
    hidden.chmod(0o644)
    hidden.rename(place.origin_file)


def _let_through(data: Path) -> None:
    """Let everybody pass through the data folder, to nothing that was not open to them anyway."""
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o011 == 0o011:
        return
    closed = (0 if mode & 0o010 else 0o070) | (0 if mode & 0o001 else 0o007)
    for inside in data.iterdir():
        about = inside.lstat()
        if inside.name != "public" and about.st_mode & closed and not stat.S_ISLNK(about.st_mode):
            inside.chmod(stat.S_IMODE(about.st_mode) & ~closed)
    data.chmod(mode | 0o011)


def gather(place: Place, now: float, log: Callable[[str, str], None], put_off: Collection[str] = ()) -> list[str]:
    """Take what waits out of the maildrop and name the drafts that are taken, the oldest first.

    Those that were ``put_off`` are not named, and keep nobody else's from being taken. ``log`` hears of each file that was put aside: its name, and why.
    """
    taken = place.data / TAKEN
    names = set(waiting(taken, MOST + len(put_off))).difference(put_off)
    for name in waiting(place.maildrop, max(0, MOST - len(names))):
        with contextlib.suppress(FileNotFoundError):
            try:
                (place.maildrop / name).rename(taken / name)
            except OSError as error:
                log(name, error.strerror or str(error))
            else:
                names.add(name)
    _tidy(place, now, log)
    return sorted(names)


def _tidy(place: Place, now: float, log: Callable[[str, str], None]) -> None:
    """Remove what was begun and never finished, and put aside what has no name of ours."""
    with contextlib.suppress(FileNotFoundError), os.scandir(place.maildrop) as entries:
        for entry in entries:
            if NAME.fullmatch(entry.name):
                continue
            with contextlib.suppress(OSError):
                if not entry.name.startswith("."):
                    put_aside(place, place.maildrop / entry.name)
                    log(entry.name, "it has no name of a draft")
                elif now - entry.stat(follow_symlinks=False).st_mtime > STALE:
                    Path(entry.path).unlink()


def put_aside(place: Place, path: Path) -> None:
    """Move a file that is no mail to where an administrator may look at it; raises OSError."""
    path.rename(place.data / ASIDE / path.name.replace("/", "_"))
