"""An open transaction: the connection, who writes, and the lanes met so far."""

import sqlite3

from attrs import Factory, define

from mailnode.mail.route import Lane
from mailnode.spool.schema import NEVER

_FIND = "SELECT id, next_due, postponed_until FROM lane WHERE courier = ? AND next_hop = ?"
_ADD = "INSERT INTO lane (courier, next_hop, next_due) VALUES (?, ?, ?)"
_LOWER = "UPDATE lane SET next_due = ? WHERE id = ?"
_LOWER_UNKNOWN = """
UPDATE lane SET next_due = max(postponed_until, ?1) WHERE id = ?2 AND next_due > max(postponed_until, ?1)
"""


@define
class _LaneRow:
    key: int
    next_due: float
    postponed_until: float


@define
class Ledger:
    """What the work of one transaction writes to; it ends with the transaction, and so does what it remembers."""

    db: sqlite3.Connection
    owner: str
    _lanes: dict[Lane, _LaneRow] = Factory(dict)

    def lane(self, lane: Lane, due: float = NEVER) -> int:
        """Give the lane's id, its row made if need be, its bound at or below the time when ``due`` may be claimed."""
        row = self._lanes.get(lane)
        if row is None:
            row = self._lanes[lane] = self._find(lane)
        opens = max(due, row.postponed_until)
        if opens < row.next_due:
            self.db.execute(_LOWER, (opens, row.key))
            row.next_due = opens
        return row.key

    def lower(self, lane: int, due: float) -> None:
        """Lower the bound of a lane known by its id."""
        self.db.execute(_LOWER_UNKNOWN, (due, lane))

    def forget_lanes(self) -> None:
        """Read the lanes again: their rows were changed past this memory."""
        self._lanes.clear()

    def _find(self, lane: Lane) -> _LaneRow:
        for key, next_due, postponed_until in self.db.execute(_FIND, (lane.courier, lane.next_hop)).fetchall():
            return _LaneRow(key, next_due, postponed_until)
        added = self.db.execute(_ADD, (lane.courier, lane.next_hop, NEVER)).lastrowid
        assert added is not None  # noqa: S101 - an INSERT of one row always gives it
        return _LaneRow(added, NEVER, 0.0)
