"""Where a mailbox lies on disk: ``root/<domain>/<local part>``, for Maildir and mbox alike.

The names are those under which accounts are kept (``accounts.key``), so that ``Ann@EXAMPLE.org`` and
``ann@example.org`` are one mailbox. The router refuses addresses that do not exist; here a name that could leave the root,
hide itself or break a tool is refused once more, since a path made from a stranger's octets deserves two locks.
"""
# ruff: noqa: PTH102, PTH103, PTH120, S108 - plain strings and descriptors, for speed

import contextlib
import os
from functools import lru_cache

from mailnode.accounts.key import fold
from mailnode.mail.address import Mailbox

NAME_LIMIT = 240
"""Octets of a name; file systems take 255, and mbox adds ``.mbox.lock``."""


class BadName(ValueError):  # noqa: N818 - it is an answer: no such mailbox can be
    """The address cannot name a file."""


@lru_cache(maxsize=4096)
def mailbox_path(root: str, mailbox: Mailbox) -> str:
    """Give the path of ``mailbox`` below ``root``, without a suffix; BadName if it would not be a plain name."""
    return f"{root}/{_plain(mailbox.domain_key)}/{_plain(fold(mailbox.local_part))}"


def make_folders(folders: list[str]) -> None:
    """Make the folders that are missing, outermost first, readable by the owner alone, and make all their names durable.

    Also the names of those that were there: whoever made them may have died before it came to that.
    """
    for folder in folders:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
    for parent in dict.fromkeys(os.path.dirname(folder) for folder in folders):
        sync_folder(parent)


def make_mailbox(root: str, folder: str) -> None:
    """Make the mailbox at ``folder``, two steps below ``root``, or what is missing of it, durably.

    Its ``tmp/`` comes last, when all other folders are durable: whoever can open a file there knows that the place itself
    will not vanish.
    """
    os.makedirs(root, 0o700, exist_ok=True)
    make_folders([root, os.path.dirname(folder), folder, f"{folder}/cur", f"{folder}/new"])
    make_folders([f"{folder}/tmp"])


def is_mailbox(folder: str) -> bool:
    """Tell whether ``folder``, a path below the root, is one that ``mailbox_path`` could give."""
    domain, _, name = folder.partition("/")
    try:
        return bool(_plain(domain) and _plain(name))
    except BadName:
        return False


def sync_folder(folder: str) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(name: str) -> str:
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise BadName(f"{name!r} is not text") from error
    if not 0 < size <= NAME_LIMIT:
        raise BadName(f"a name has 1 to {NAME_LIMIT} octets, not {size}")
    if name.startswith(".") or "/" in name or not name.isprintable():
        raise BadName(f"{name!r} cannot be a file name here")
    return name
