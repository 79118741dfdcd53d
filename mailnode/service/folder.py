"""The data folder: made for its owner, and held by one node at a time."""

import fcntl
import os
from pathlib import Path

from mailnode.service.trouble import StartFailed

LOCK = "node.lock"
MAIL = "mail"
INCOMING = "incoming"
SPOOL = "spool.db"
ACCOUNTS = "accounts.db"
CONTROL = "control.sock"
HISTORY = "history.db"
GATEWAYS = "gateways"
GATEWAY_LEDGER = "gateways.db"
GATEWAY_KEY = "gateways.key"
SELF_SIGNED = "self-signed.pem"
OWNED_BY_WRITERS = ("public/maildrop", "taken")
"""Folders whose files tell by their owner who has left them there."""


def prepare(folder: Path, uid: int | None, gid: int | None) -> None:
    """Make the data folder if it is missing, for the user the process will become; to be called while it is still root.

    A folder that root has made, with ``mailnode account add`` before the first start, is handed over to that user.
    """
    if folder.exists():
        if uid:
            _hand_over(folder, uid, -1 if gid is None else gid)
        return
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(mode=0o700, parents=True)
        if uid is not None or gid is not None:
            os.chown(folder, -1 if uid is None else uid, -1 if gid is None else gid)
        for one in reversed(made):
            _sync(one.parent)
    except OSError as error:
        raise StartFailed(f"the data folder {folder} cannot be made: {error.strerror or error}") from None


def _hand_over(folder: Path, uid: int, gid: int) -> None:
    """Give a data folder of root's, and all in it, to its user; any other folder is left alone."""
    if os.geteuid() or folder.lstat().st_uid or not (folder / LOCK).is_file():
        return
    for place, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        owner = -1 if os.path.relpath(place, folder) in OWNED_BY_WRITERS else uid
        for name in (*folders, *files):
            os.chown(name, owner, gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(folder, uid, gid)  # last: a start that is cut off here is made good by the next


def settle_in(folder: Path) -> None:
    """Make the folders inside, and drop what a crash has left behind of messages that were never accepted."""
    for name in (MAIL, INCOMING):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    for name in (SPOOL, HISTORY):
        # SQLite makes its files, and those beside them, as readable as the first one is.
        os.close(os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for leftover in (folder / INCOMING).iterdir():
        leftover.unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable: all mail would be lost with the name of what it lies in."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Keeps a second node out of a data folder, for as long as one of this node's processes lives.

    The lock belongs to the open file and so to all who inherit its descriptor; the kernel frees it after a crash.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock or raise StartFailed."""
        path = folder / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartFailed(f"the data folder {folder} cannot be used: {error.strerror or error}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StartFailed(
                f"the data folder {folder} is in use by another process ({holder or 'unknown'})"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Give the descriptor, for another process to inherit."""
        return self._descriptor

    def release(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)


class InheritedLock(FolderLock):
    """The lock as another process of the same node took it and handed it on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
