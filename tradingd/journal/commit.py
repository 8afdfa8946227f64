"""Write records into an open journal; the caller holds the transaction."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.domain.journal import AuditRow, Record
from tradingd.journal.chain import COLUMNS, EMPTY, Head, clean, link
from tradingd.journal.faults import too_large
from tradingd.journal.layout import BY_RECORD, insert_sql

_INSERTS: Final[Mapping[type, str]] = {
    record: insert_sql(table) for record, table in BY_RECORD.items()
}
_AUDIT: Final = f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_HEAD: Final = (
    "INSERT INTO audit_head (id, number, hash) VALUES (1, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash"
)


def write_records(
    connection: sqlite3.Connection, records: Iterable[Record], path: Path
) -> Head | None:
    """Write records in order; return the audit's new head where one of them was audited.

    The head is read inside the transaction, so that a second program may audit too.

    Raises
    ------
    Failure
        JOURNAL for a number beyond 64 bits.
    sqlite3.Error
        When SQLite refuses.
    """
    head: Head | None = None
    for record in records:
        if isinstance(record, AuditRow):
            head = _audit(
                connection, record, stored_head(connection) if head is None else head, path
            )
        else:
            _insert(connection, _INSERTS[type(record)], record, path)
    if head is not None:
        connection.execute(_HEAD, (head.number, head.hash))
    return head


def stored_head(connection: sqlite3.Connection) -> Head:
    """Return the audit's head as its table says."""
    row = connection.execute("SELECT number, hash FROM audit_head").fetchone()
    return Head(*row) if row else EMPTY


def _audit(connection: sqlite3.Connection, record: AuditRow, head: Head, path: Path) -> Head:
    values = link(head, record)
    try:
        connection.execute(_AUDIT, values)
    except OverflowError:
        raise too_large(record, path) from None
    return Head(head.number + 1, str(values[-1]))


def _insert(
    connection: sqlite3.Connection, statement: str, record: msgspec.Struct, path: Path
) -> None:
    values = msgspec.structs.astuple(record)
    try:
        connection.execute(statement, values)
    except OverflowError:
        raise too_large(record, path) from None
    except UnicodeEncodeError:
        connection.execute(statement, tuple(map(_writable, values)))


def _writable(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value
