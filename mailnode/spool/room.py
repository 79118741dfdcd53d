"""Room on the disk: new mail is refused while there is still enough of it to get rid of the old.

Every outcome is a write, so a spool that filled its disk to the last block could never be emptied. Only new messages
are held to the limit; outcomes and notices may use all there is. The journal takes up to 16 MB before it begins
anew (schema.py), which is what the limit is for.
"""

import os
import sqlite3
from pathlib import Path

from attrs import frozen

from mailnode.interfaces import SpoolTrouble
from mailnode.mail.quantity import render_octets
from mailnode.spool.settings import SpoolSettings


@frozen
class Room:
    """The room on one file system."""

    folder: Path
    settings: SpoolSettings

    def check(self, size: int, db: sqlite3.Connection) -> None:
        """Raise SpoolTrouble unless ``size`` more octets leave enough free; asks the disk: never on the reactor thread.

        Room within the file of the database counts as free: it is never given back to the disk.
        """
        found = os.statvfs(self.folder)
        free = found.f_bavail * found.f_frsize
        if free - size < self.settings.min_free:
            free += _unused(db)
        if free - size < self.settings.min_free:
            raise SpoolTrouble(
                f"{render_octets(free)} are free, and {render_octets(self.settings.min_free)} must stay so",
                is_full=True,
            )


def _unused(db: sqlite3.Connection) -> int:
    ((pages,),) = db.execute("PRAGMA freelist_count").fetchall()
    ((size,),) = db.execute("PRAGMA page_size").fetchall()
    return int(pages) * int(size)
