"""Leases, and the lanes that say where due work is.

A lane's ``next_due`` is a lower bound of the time when something of it may be claimed: never later than the truth, and
made true again whenever a claim looks into the lane. So an accept touches the lane's row only when its bound must go
down, a settlement of what is done never does, and a lane of a million recipients is put off by changing one row.
"""

from collections.abc import Collection

from attrs import frozen

from mailnode.mail.route import Lane
from mailnode.spool.ledger import Ledger

_LANES_AT_ONCE = 1000
"""How many lanes one claim looks into, so that lanes with nothing to give do not hold the writer up."""

_DUE_LANES = "SELECT id, courier, next_hop FROM lane WHERE next_due <= ? ORDER BY next_due LIMIT ?"
_DUE = "SELECT key FROM recipient WHERE lane = ? AND held = 0 AND due <= ? ORDER BY due, key LIMIT ?"
_LEASE = "UPDATE recipient SET due = ?, owner = ? WHERE key = ?"
# With nothing waiting, a lane that is still postponed is looked into when that ends, and then dropped.
_WAITING = """
SELECT key FROM recipient WHERE lane = ?1 AND held = 0 AND NOT (owner <> '' AND due > ?2) AND key > ?3 ORDER BY key LIMIT ?4
"""
_REFRESH = """
UPDATE lane SET next_due = max(
    postponed_until,
    coalesce(
        (SELECT due FROM recipient WHERE recipient.lane = lane.id AND held = 0 ORDER BY due LIMIT 1),
        iif(postponed_until > ?1, 0, 9e999)
    )
) WHERE id = ?2
"""
_DROP = """
DELETE FROM lane WHERE id = ?1 AND next_due = 9e999
AND NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.lane = ?1)
"""
_POSTPONE = "UPDATE lane SET postponed_until = ? WHERE id = ?"
_FREE_LANES = """
UPDATE lane SET next_due = max(postponed_until, min(next_due, ?1))
WHERE id IN (SELECT DISTINCT lane FROM recipient WHERE owner = ?2)
"""
_FREE = "UPDATE recipient SET owner = '', due = min(due, ?1) WHERE owner = ?2"
_RETIME_LANES = """
UPDATE lane SET
    postponed_until = iif(postponed_until > ?2, 0, postponed_until),
    next_due = max(iif(postponed_until > ?2, 0, postponed_until), min(next_due, ?1))
WHERE postponed_until > ?2 OR id IN (SELECT DISTINCT lane FROM recipient WHERE due > min(?2, ?3))
"""
_RETIME = """
UPDATE recipient SET due = iif(owner <> '', ?3, ?1) WHERE due > iif(owner <> '', ?3, ?2)
"""
_COUNT = "SELECT count(*) FROM recipient"


@frozen
class Claim:
    """What may be taken."""

    now: float
    lease_until: float
    limit: int
    per_lane: int
    full: Collection[Lane]


@frozen
class Leased:
    """What was taken."""

    keys: list[int]
    looks_further: bool
    """There may be more behind the lanes looked into: ask again."""


def lease(ledger: Ledger, claim: Claim) -> Leased:
    """Lease what is due, lane by lane, the lane with the oldest first."""
    taken: dict[int, list[int]] = {}
    keys: list[int] = []
    most = _LANES_AT_ONCE + len(claim.full)
    looked = 0
    for lane, courier, next_hop in ledger.db.execute(_DUE_LANES, (claim.now, most)):
        looked += 1
        if Lane(courier, next_hop) in claim.full:
            continue
        room = min(claim.per_lane, claim.limit - len(keys))
        if room <= 0:
            break
        taken[lane] = [key for (key,) in ledger.db.execute(_DUE, (lane, claim.now, room)).fetchall()]
        keys += taken[lane]
    ledger.db.executemany(_LEASE, ((claim.lease_until, ledger.owner, key) for key in keys))
    ledger.db.executemany(_REFRESH, ((claim.now, lane) for lane in taken))
    ledger.db.executemany(_DROP, ((lane,) for lane, found in taken.items() if not found))
    ledger.forget_lanes()
    return Leased(keys, looked == most and len(keys) < claim.limit)


@frozen
class LaneClaim:
    """What may be taken of one lane, due or not."""

    lane: Lane
    now: float
    lease_until: float
    limit: int
    after: int


def lease_lane(ledger: Ledger, claim: LaneClaim) -> Leased:
    """Lease what waits in the lane; its bound stays, as low as it is."""
    asked = (ledger.lane(claim.lane), claim.now, claim.after, claim.limit)
    keys = [key for (key,) in ledger.db.execute(_WAITING, asked).fetchall()]
    ledger.db.executemany(_LEASE, ((claim.lease_until, ledger.owner, key) for key in keys))
    return Leased(keys, looks_further=False)


def postpone(ledger: Ledger, lane: Lane, until: float) -> None:
    """Put the lane off until then, or open it again with a time that is past."""
    key = ledger.lane(lane)
    ledger.db.execute(_POSTPONE, (until, key))
    ledger.db.execute(_REFRESH, (0.0, key))
    ledger.forget_lanes()


def retime(ledger: Ledger, now: float, due_by: float, lease_until: float) -> None:
    """Correct times beyond those limits; where there are none, nothing is written."""
    ledger.db.execute(_RETIME_LANES, (now, due_by, lease_until))
    ledger.db.execute(_RETIME, (now, due_by, lease_until))
    ledger.forget_lanes()


def free(ledger: Ledger, now: float) -> int:
    """Make due now what this owner had leased; give how many recipients there are in all."""
    ledger.db.execute(_FREE_LANES, (now, ledger.owner))
    ledger.db.execute(_FREE, (now, ledger.owner))
    ledger.forget_lanes()
    ((count,),) = ledger.db.execute(_COUNT).fetchall()
    return int(count)
