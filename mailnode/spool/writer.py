"""Rounds on the tables: many pieces of work in one transaction and one COMMIT, or questions one by one.

Theory of the writer: all that waits is written in one transaction, and COMMIT (WAL, synchronous=FULL) makes one fsync
of it. A piece that fails spoils the transaction for the others, which is rare: the transaction is rolled back and each
piece runs again in one of its own, so work must do nothing but write to its Ledger. When COMMIT itself fails, or the
file beneath it, all of the round has failed. A connection that may be spoiled is closed; the next round opens a new
one, so that the spool is well again when its disk is.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define
from twisted.python.failure import Failure

from mailnode.spool.hand import attempt
from mailnode.spool.ledger import Ledger
from mailnode.spool.trouble import spoils_connection, trouble_of

Open = Callable[[], sqlite3.Connection]


@define
class _Connected:
    """A connection that is opened when it is needed and dropped when it is spoiled."""

    _open: Open
    _db: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = self._open()
        return self._db

    def finish(self) -> None:
        """Close the connection."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()


@define
class WriteRounds(_Connected):
    """Each round is one transaction."""

    owner: str = ""

    def run(self, works: Sequence[Callable[[Ledger], Any]]) -> Sequence[Any]:
        """Write all of it with one COMMIT; give results, or Failures of SpoolTrouble."""
        try:
            results = self._begin(works)
        except BaseException as error:  # noqa: BLE001 - it goes to whoever asked
            self._undo(error)
            if len(works) == 1 or spoils_connection(error):
                return [Failure(trouble_of(error))] * len(works)
            return [result for work in works for result in self.run([work])]
        return self._commit(results)

    def _begin(self, works: Sequence[Callable[[Ledger], Any]]) -> list[Any]:
        db = self.connection()
        db.execute("BEGIN IMMEDIATE")
        ledger = Ledger(db, self.owner)
        return [work(ledger) for work in works]

    def _commit(self, results: list[Any]) -> list[Any]:
        try:
            self.connection().execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it goes to whoever asked
            self._undo(error)
            return [Failure(trouble_of(error))] * len(results)
        return results

    def _undo(self, error: BaseException) -> None:
        if self._db is None:
            return
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self.finish()
            return
        if spoils_connection(error):
            self.finish()


@define
class ReadRounds(_Connected):
    """Each question is asked by itself and sees what is committed by then."""

    def run(self, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> Sequence[Any]:
        """Ask all; give answers, or Failures of SpoolTrouble."""
        return [attempt(self._ask, work) for work in works]

    def _ask(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return work(self.connection())
        except (sqlite3.Error, OSError) as error:
            if spoils_connection(error):
                self.finish()
            raise trouble_of(error) from error
