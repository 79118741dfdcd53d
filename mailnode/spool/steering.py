"""What an operator does to recipients that wait: hold, release, retry, remove; some thousands a transaction.

Which recipients are meant is read beforehand and elsewhere; each statement here asks again what must hold when it is
done (not held, not leased), since the answer may have changed in between.
"""

from collections.abc import Callable, Sequence

from mailnode.spool.ledger import Ledger
from mailnode.spool.settling import Forgotten, forget

Steer = Callable[[Ledger, Sequence[int], float], int]

_HOLD = "UPDATE recipient SET held = 1 WHERE key = ? AND held = 0"
_RELEASE = """
UPDATE recipient SET held = 0, due = iif(owner <> '' AND due > ?1, due, ?1) WHERE key = ?2 AND held = 1 RETURNING lane
"""
_RETRY = """
UPDATE recipient SET due = min(due, ?1)
WHERE key = ?2 AND held = 0 AND NOT (owner <> '' AND due > ?1) RETURNING lane
"""
_REMOVE = "DELETE FROM recipient WHERE key = ?"
_OPEN = "UPDATE lane SET postponed_until = 0, next_due = min(next_due, ?) WHERE id = ?"


def hold(ledger: Ledger, keys: Sequence[int], _now: float) -> int:
    """Hold those that are not held; their lanes' bounds may stay too low."""
    return ledger.db.executemany(_HOLD, ((key,) for key in keys)).rowcount


def release(ledger: Ledger, keys: Sequence[int], now: float) -> int:
    """Release those that are held; a running lease keeps its time."""
    lanes = _update(ledger, _RELEASE, keys, now)
    for lane in set(lanes):
        ledger.lower(lane, now)
    ledger.forget_lanes()
    return len(lanes)


def retry(ledger: Ledger, keys: Sequence[int], now: float) -> int:
    """Make those due that are neither held nor leased, and open their lanes."""
    lanes = _update(ledger, _RETRY, keys, now)
    ledger.db.executemany(_OPEN, ((now, lane) for lane in set(lanes)))
    ledger.forget_lanes()
    return len(lanes)


def remove(ledger: Ledger, keys: Sequence[int]) -> tuple[int, Forgotten]:
    """Forget them, and the messages they were the last of."""
    count = ledger.db.executemany(_REMOVE, ((key,) for key in keys)).rowcount
    return count, forget(ledger, keys)


def _update(ledger: Ledger, statement: str, keys: Sequence[int], now: float) -> list[int]:
    return [lane for key in keys for (lane,) in ledger.db.execute(statement, (now, key)).fetchall()]
