"""Accounts in the tables: read and changed, given an open database. All of it runs on a thread."""

import sqlite3
from collections.abc import Sequence

from mailnode.accounts.key import Key, folded
from mailnode.accounts.passwords import hashed, verifier_for
from mailnode.interfaces import Verifier
from mailnode.mail.account import Account, AccountChange
from mailnode.mail.address import Mailbox

_WHERE = "WHERE domain = ? AND local_part = ?"

Columns = dict[str, object]


def columns_of(change: AccountChange) -> Columns:
    """Work out what is to stand in the account's row; takes long when there is a password."""
    columns: Columns = {}
    if change.name is not None:
        columns["name"] = change.name
    if change.is_disabled is not None:
        columns["disabled"] = int(change.is_disabled)
    if change.password is not None:
        columns["password"] = hashed(change.password) if change.password else ""
        verifier = verifier_for(change.password) if change.password else None
        columns["scram_salt"] = verifier and verifier.salt
        columns["scram_iterations"] = verifier and verifier.iterations
        columns["scram_stored_key"] = verifier and verifier.stored_key
        columns["scram_server_key"] = verifier and verifier.server_key
    return columns


def insert(database: sqlite3.Connection, key: Key, columns: Columns, change: AccountChange) -> None:
    """Add an account; sqlite3.IntegrityError if it is there."""
    with _transaction(database):
        database.execute("INSERT INTO account (domain, local_part) VALUES (?, ?)", key)
        _write(database, key, columns, change)


def update(database: sqlite3.Connection, key: Key, columns: Columns, change: AccountChange) -> None:
    """Change an account; LookupError if there is none."""
    with _transaction(database):
        if not database.execute(f"SELECT 1 FROM account {_WHERE}", key).fetchone():  # noqa: S608 - our own words
            raise LookupError(f"{Mailbox(key[1], key[0])} is not known")
        _write(database, key, columns, change)


def _write(database: sqlite3.Connection, key: Key, columns: Columns, change: AccountChange) -> None:
    if columns:
        settings = ", ".join(f"{column} = ?" for column in columns)
        database.execute(f"UPDATE account SET {settings} {_WHERE}", (*columns.values(), *key))  # noqa: S608 - see above
    if change.relayed_domains is not None:
        database.execute(f"DELETE FROM relayed_domain {_WHERE}", key)  # noqa: S608
        domains = sorted({folded(domain) for domain in change.relayed_domains})
        database.executemany("INSERT INTO relayed_domain VALUES (?, ?, ?)", [(*key, domain) for domain in domains])


def delete(database: sqlite3.Connection, key: Key) -> bool:
    """Remove an account; tell whether there was one."""
    with _transaction(database):
        database.execute(f"DELETE FROM relayed_domain {_WHERE}", key)  # noqa: S608
        return bool(database.execute(f"DELETE FROM account {_WHERE}", key).rowcount)  # noqa: S608


def read_all(database: sqlite3.Connection, domain: str) -> Sequence[Account]:
    """Give the accounts of one domain, or all for an empty one, sorted."""
    relayed: dict[Key, list[str]] = {}
    for at, local_part, one in database.execute(
        "SELECT domain, local_part, relayed FROM relayed_domain ORDER BY relayed"
    ):
        relayed.setdefault((at, local_part), []).append(one)
    rows = database.execute(
        "SELECT domain, local_part, name, disabled, password <> '' FROM account WHERE ?1 = '' OR domain = ?1"
        " ORDER BY domain, local_part",
        (folded(domain),),
    )
    return [
        Account(Mailbox(local_part, at), name, bool(disabled), bool(known), tuple(relayed.get((at, local_part), ())))
        for at, local_part, name, disabled, known in rows
    ]


def full_name(database: sqlite3.Connection, key: Key) -> str:
    """Give the full name of the account's owner, empty when none is known."""
    row = database.execute(f"SELECT name FROM account {_WHERE}", key).fetchone()  # noqa: S608
    return str(row[0]) if row else ""


def password_of(database: sqlite3.Connection, key: Key) -> tuple[str, bool] | None:
    """Give the hash of the account's password (empty without one) and whether it is disabled; None without account."""
    row = database.execute(f"SELECT password, disabled FROM account {_WHERE}", key).fetchone()  # noqa: S608
    return (str(row[0]), bool(row[1])) if row else None


def verifier_of(database: sqlite3.Connection, key: Key) -> Verifier | None:
    """Give the account's verifier for SCRAM, if it has a password."""
    row = database.execute(
        f"SELECT scram_salt, scram_iterations, scram_stored_key, scram_server_key FROM account {_WHERE}", key  # noqa: S608
    ).fetchone()  # fmt: skip
    return Verifier(*row) if row and row[0] else None


def secret_of(database: sqlite3.Connection) -> bytes:
    """Give the file's own secret."""
    (secret,) = database.execute("SELECT value FROM secret").fetchone()
    return bytes(secret)


class _transaction:  # noqa: N801 - it reads as a word
    """A transaction that is rolled back when anything is raised in it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")
