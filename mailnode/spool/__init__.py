"""The spool: what was accepted and is not settled yet; the Spool seam, on disk and in memory.

``sqlite.SqliteSpool`` keeps it in ``spool.db`` with large contents as files beside it; ``memory.MemorySpool`` is its
twin for tests and kits. Both pass ``tests/contracts/spool.py``.

The promise
    A method that has returned has its effect on the disk: what was accepted is there after power is cut, what was
    settled does not come back. A method that was interrupted has either all of its effect or none. Cancelling is safe:
    work that has not begun is dropped, work that has begun goes on to its end.

Words
    *message*, *recipient*, *lane*: the three tables (schema.py). *Lease*: a recipient's ``due`` in the future, with
    the owner's name beside it; nothing else marks it. So the work of an owner that died falls due by itself, and an
    owner that comes back under its name frees its leases at once. *Bound*: a lane's ``next_due``, never later than the
    time when something of the lane may be claimed (claims.py). *Hand*: a thread that takes all that waits (hand.py).

How a request travels
    Requests become functions on a Ledger (an open transaction), queued to the one writing Hand. It runs all that wait
    in one transaction with one COMMIT, which is one fsync, and answers all with one call to the reactor. Questions go
    to a Hand with a read-only view of its own and see what is committed. Files of content are made durable by further
    Hands before the writer hears of them, so that one large message does not hold up small ones. Nothing here ever
    blocks the reactor's thread.

States of a recipient, and what a start makes of them::

    state      row                              after a crash and recover()
    -------    -----------------------------    ------------------------------------------------------------
    (none)     the commit was not finished      nothing is there; the client heard no 250 and sends again
    waiting    owner '', due, held 0            the same
    leased     owner set, due in the future     of this owner: due now, tried again (at worst a second copy);
                                                of another: left alone, due when the lease runs out
    held       held 1, whatever its due         the same; a lease of this owner is freed beneath the hold
    settled    row deleted, and the message     gone; nothing comes back
               with the last one

States of a content file::

    where                   row                 after a crash and recover()
    --------------------    ----------------    ----------------------------------------------------------
    incoming/ only          none                reception had not finished: removed
    incoming/, content/     none                the commit had not been reached: both removed
    incoming/, content/     names content/      committed: the name in incoming/ is removed
    content/ only           names content/      the ordinary case
    content/ only           none                its message is forgotten: removed

    Removed means: if it is older than this start, and only after a day while another process has the spool open (it
    may be between file and commit there). ``spool.lock`` is a lock that all who write share, to tell which it is.

Trouble
    A full disk is SpoolTrouble with ``is_full``; any other error of SQLite or the file system is SpoolTrouble. One
    failed piece of a round is isolated (writer.py). The connection is opened anew after errors that leave it in doubt;
    there is no state in memory that could disagree with the disk. New mail leaves ``min_free`` octets free, since what
    became of the old must still be written down (room.py). Room on the disk is used again, never given back:
    ``spool.db`` stays as large as the longest queue it has held.

Several processes may have one folder open: each transaction is BEGIN IMMEDIATE and a claim takes its leases within
one. Each process needs an owner's name of its own.
"""
