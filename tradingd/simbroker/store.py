"""The broker's own SQLite file: everything it must still know after it was killed."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tradingd.simbroker.orders import COLUMNS, HELD, WORKING, Order, from_row

LAYOUT: Final = 1

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE orders (
    broker_order_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE,
    client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
    quantity INTEGER NOT NULL, filled INTEGER NOT NULL CHECK (filled >= 0),
    paid INTEGER NOT NULL, commission INTEGER NOT NULL, type TEXT NOT NULL,
    limit_price INTEGER, stop_price INTEGER, time_in_force TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT NOT NULL, triggered INTEGER NOT NULL, slice INTEGER NOT NULL,
    day INTEGER NOT NULL, arrived INTEGER NOT NULL, ts INTEGER NOT NULL,
    trail INTEGER, trail_rate INTEGER, mark INTEGER, extended INTEGER NOT NULL DEFAULT 0,
    group_id TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '',
    CHECK (status = 'REJECTED' OR filled <= quantity));
CREATE INDEX orders_client ON orders (client_order_id);
CREATE INDEX orders_working ON orders (number) WHERE status = 'WORKING';
CREATE INDEX orders_held ON orders (number) WHERE status = 'HELD';
CREATE TABLE fills (
    fill_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, broker_order_id TEXT NOT NULL,
    client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0), price INTEGER NOT NULL,
    commission INTEGER NOT NULL, ts INTEGER NOT NULL);
CREATE INDEX fills_ts ON fills (ts);
CREATE TABLE positions (symbol TEXT PRIMARY KEY, quantity INTEGER NOT NULL, cost INTEGER NOT NULL);
CREATE TABLE cash (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL,
    amount INTEGER NOT NULL, ts INTEGER NOT NULL);
CREATE TABLE adjustments (
    adjustment_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL,
    symbol TEXT NOT NULL, shares INTEGER NOT NULL, cash INTEGER NOT NULL,
    numerator INTEGER NOT NULL, denominator INTEGER NOT NULL, ts INTEGER NOT NULL);
CREATE TABLE actions (action_id TEXT PRIMARY KEY, ts INTEGER NOT NULL);
CREATE TABLE prices (
    symbol TEXT PRIMARY KEY, last INTEGER NOT NULL, bid INTEGER, ask INTEGER, ts INTEGER NOT NULL);
CREATE TABLE events (seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, body TEXT NOT NULL);
"""

_LATER: Final = {
    "trail": "INTEGER",
    "trail_rate": "INTEGER",
    "mark": "INTEGER",
    "extended": "INTEGER NOT NULL DEFAULT 0",
    "group_id": "TEXT NOT NULL DEFAULT ''",
    "role": "TEXT NOT NULL DEFAULT ''",
}
"""Columns of orders that a store of an earlier program lacks, in their order."""

type Row = tuple[object, ...]


class Store:
    """Reads and writes the file; the caller decides what is one transaction.

    WAL with synchronous NORMAL: a killed process loses nothing that was committed.

    Parameters
    ----------
    path : Path
        The file; made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection

    def open(self) -> None:
        """Open the file and make its tables.

        Raises
        ------
        sqlite3.DatabaseError
            When the file is damaged or of another layout.
        """
        self._db = sqlite3.connect(self._path, isolation_level=None, timeout=5.0)
        self._path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        # Only checkpoints wait for the disk; fewer of them, fewer slow answers.
        self._db.execute("PRAGMA wal_autocheckpoint = 8000")
        layout = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if layout == 0:
            with self.transaction():
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {LAYOUT}")
                self.set_meta("store_id", os.urandom(3).hex())
        elif layout != LAYOUT:
            raise sqlite3.DatabaseError(f"layout {layout}, this program knows {LAYOUT}")
        self._add_columns()

    def _add_columns(self) -> None:
        there = {str(row[1]) for row in self.rows("PRAGMA table_info(orders)")}
        missing = [name for name in _LATER if name not in there]
        if not missing:
            return
        with self.transaction():
            for name in missing:
                self._db.execute(f"ALTER TABLE orders ADD COLUMN {name} {_LATER[name]}")
            self._db.execute(
                "CREATE INDEX IF NOT EXISTS orders_held ON orders (number) WHERE status = 'HELD'"
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def meta(self, key: str, default: str = "") -> str:
        """Return a named value."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a named value."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def last(self, table: str, column: str = "number") -> int:
        """Return the highest running number of a table, 0 when it is empty."""
        row = self._db.execute(f"SELECT COALESCE(MAX({column}), 0) FROM {table}").fetchone()
        return int(row[0])

    def save_order(self, order: Order) -> None:
        """Write an order, replacing what was known of it."""
        marks = ",".join("?" * len(COLUMNS))
        self._db.execute(f"INSERT OR REPLACE INTO orders VALUES ({marks})", order.row())

    def orders(self, where: str = "1", values: Row = ()) -> list[Order]:
        """Return orders in the order of their arrival."""
        query = f"SELECT {','.join(COLUMNS)} FROM orders WHERE {where} ORDER BY number"
        return [from_row(row) for row in self._db.execute(query, values)]

    def working(self) -> list[Order]:
        """Return the working orders in the order of their arrival."""
        return self.orders(f"status = '{WORKING}'")

    def held(self) -> list[Order]:
        """Return the orders that wait for another one, in the order of their arrival."""
        return self.orders(f"status = '{HELD}'")

    def add(self, table: str, row: Row) -> None:
        """Append one row to a table."""
        self._db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)

    def replace(self, table: str, rows: Iterable[Row], width: int) -> None:
        """Write rows, replacing those with the same key."""
        marks = ",".join("?" * width)
        self._db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)

    def remove_position(self, symbol: str) -> None:
        """Forget a position that became flat."""
        self._db.execute("DELETE FROM positions WHERE symbol = ?", (symbol,))

    def remove_price(self, symbol: str) -> None:
        """Forget the price of a symbol that no longer trades."""
        self._db.execute("DELETE FROM prices WHERE symbol = ?", (symbol,))

    def rows(self, query: str, values: Row = ()) -> list[Row]:
        """Return the rows of a query."""
        return self._db.execute(query, values).fetchall()

    def write(self, statement: str, values: Row = ()) -> None:
        """Carry out one statement, for tables that a server keeps beside the book's."""
        self._db.execute(statement, values)

    def add_event(self, seq: int, ts: int, body: Mapping[str, object]) -> str:
        """Append an event and return the line that tells it."""
        line = json.dumps({"seq": seq, **body}, separators=(",", ":"))
        self._db.execute("INSERT INTO events VALUES (?, ?, ?)", (seq, ts, line))
        return line

    def events(self, first: int) -> Iterator[tuple[int, str]]:
        """Yield number and line of every event from `first` on."""
        yield from self._db.execute(
            "SELECT seq, body FROM events WHERE seq >= ? ORDER BY seq", (first,)
        )
