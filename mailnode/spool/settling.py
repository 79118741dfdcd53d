"""Write outcomes down, and forget messages that have no recipient left."""

from collections.abc import Iterable, Sequence

from attrs import frozen

from mailnode.interfaces import Settlement
from mailnode.spool.ledger import Ledger
from mailnode.spool.rows import last_text
from mailnode.spool.schema import MOST_RECIPIENTS, RECIPIENT_BITS

_KNOWN = "SELECT 1 FROM recipient WHERE key = ?"
_DONE = "DELETE FROM recipient WHERE key = ?"
_WAITS = """
UPDATE recipient SET due = ?, owner = '', attempts = attempts + ?, warned = max(warned, ?), lane = coalesce(?, lane),
    local = coalesce(?, local), domain = coalesce(?, domain), last = coalesce(?, last)
WHERE key = ? RETURNING lane
"""
_FORGET = f"""
DELETE FROM message WHERE id = ?1
AND NOT EXISTS (SELECT 1 FROM recipient WHERE key BETWEEN ?1 << {RECIPIENT_BITS} AND (?1 << {RECIPIENT_BITS}) + {MOST_RECIPIENTS - 1})
RETURNING queue_id, file
"""  # noqa: S608 - numbers of ours


@frozen
class Forgotten:
    """Messages that are no more."""

    queue_ids: list[str]
    files: list[str]
    """Their files of content, to be removed after the commit."""


def is_known(ledger: Ledger, settlements: Sequence[Settlement]) -> bool:
    """Tell whether any of the recipients is still there: what an operator has removed has nothing more to tell."""
    return any(ledger.db.execute(_KNOWN, (settlement.key,)).fetchone() for settlement in settlements)


def settle(ledger: Ledger, settlements: Sequence[Settlement]) -> Forgotten:
    """Write down what became of recipients; one that is not known any more is passed over."""
    done = [settlement.key for settlement in settlements if settlement.done]
    ledger.db.executemany(_DONE, ((key,) for key in done))
    soonest: dict[int, float] = {}
    for settlement in settlements:
        if not settlement.done:
            for lane in _wait(ledger, settlement):
                soonest[lane] = min(settlement.due, soonest.get(lane, settlement.due))
    for lane, due in soonest.items():
        ledger.lower(lane, due)
    if soonest:
        ledger.forget_lanes()
    return forget(ledger, done)


def forget(ledger: Ledger, keys: Iterable[int]) -> Forgotten:
    """Forget the messages of these recipients, as far as none of them is left."""
    gone = [
        row
        for number in dict.fromkeys(key >> RECIPIENT_BITS for key in keys)
        for row in ledger.db.execute(_FORGET, (number,)).fetchall()
    ]
    return Forgotten([queue_id for queue_id, _ in gone], [file for _, file in gone if file is not None])


def _wait(ledger: Ledger, settlement: Settlement) -> list[int]:
    address = settlement.forward_path
    rows = ledger.db.execute(
        _WAITS,
        (
            settlement.due,
            int(settlement.counts),
            int(settlement.warned),
            ledger.lane(settlement.lane) if settlement.lane else None,
            address.local_part if address else None,
            address.domain if address else None,
            last_text(settlement.last, settlement.last_remote),
            settlement.key,
        ),
    ).fetchall()
    return [lane for (lane,) in rows]
