"""After a start: remove the files that no message owns, the remains of a crash between file and commit."""

import sqlite3
from collections.abc import Sequence
from functools import partial

from mailnode.spool.contents import GRACE, Contents, Sharing, queue_id_of
from mailnode.spool.hand import Hand

_OWNED = "SELECT file FROM message WHERE queue_id = ?"


async def sweep(files: Hand[Contents], reader: Hand[sqlite3.Connection], sharing: Sharing, started: float) -> None:
    """Remove what lies in ``content`` and ``incoming``, is older than this start, and belongs to no message.

    While others have the spool open, a file may be on its way from their hands into their commit: then only what is
    much older goes.
    """
    before = started if await files.ask(lambda _: sharing.is_alone()) else started - GRACE
    try:
        for shard in await files.ask(Contents.shards):
            names = await files.ask(partial(_strangers, shard, before))
            if names:
                owned = await reader.ask(partial(_owned, names))
                await files.ask(partial(_drop, [name for name in names if name not in owned]))
    finally:
        await files.ask(lambda _: sharing.share())


def _strangers(shard: str, before: float, contents: Contents) -> list[str]:
    return contents.strangers(shard, before)


def _owned(names: Sequence[str], db: sqlite3.Connection) -> set[str]:
    rows = (db.execute(_OWNED, (queue_id_of(name),)).fetchall() for name in names)
    return {file for found in rows for (file,) in found}


def _drop(names: Sequence[str], contents: Contents) -> None:
    contents.drop(names)
