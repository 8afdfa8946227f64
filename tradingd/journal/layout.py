"""The journal's tables, by a literal table: which record goes where, and what a repeat does.

Columns are the fields of the record structs in order. Integers are 64 bits, money is Nanos, times
are UTC ns, truth is 0 or 1. Tables are STRICT, so that a wrong type is an error and not a guess.
The result is published as `contracts/journal.v1.sql`.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAliasType, Union, get_args, get_origin, get_type_hints

import msgspec

from tradingd.domain.journal import (
    AdjustmentRow,
    BookRow,
    DecisionRow,
    EquityRow,
    FillRow,
    GuardRow,
    JobRow,
    MarkRow,
    OrderEventRow,
    OrderRow,
    RunRow,
    SignalRow,
    StateRow,
    TripRow,
)

VERSION: Final = 2
APPLICATION: Final = 0x74726464
"""`PRAGMA application_id`: the bytes of "trdd"."""


class Repeat(StrEnum):
    """What a second record with the same key does."""

    APPEND = "append"
    IGNORE = "ignore"
    REPLACE = "replace"
    SINGLE = "single"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table: its record, its key (none for APPEND and SINGLE), and whether rows may go."""

    name: str
    record: type[msgspec.Struct]
    key: str = ""
    repeat: Repeat = Repeat.APPEND
    deletable: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the record's fields."""
        return self.record.__struct_fields__


TABLES: Final = (
    Table(name="runs", record=RunRow, key="run_id", repeat=Repeat.REPLACE),
    Table(name="signals", record=SignalRow),
    Table(name="decisions", record=DecisionRow),
    Table(name="orders", record=OrderRow, key="order_id", repeat=Repeat.REPLACE),
    Table(name="order_events", record=OrderEventRow),
    Table(name="fills", record=FillRow, key="fill_id", repeat=Repeat.IGNORE),
    Table(name="trips", record=TripRow),
    Table(name="adjustments", record=AdjustmentRow, key="adjustment_id", repeat=Repeat.IGNORE),
    Table(name="guards", record=GuardRow, key="symbol", repeat=Repeat.REPLACE, deletable=True),
    Table(name="states", record=StateRow),
    Table(name="book", record=BookRow, repeat=Repeat.SINGLE, deletable=True),
    Table(name="equity", record=EquityRow),
    Table(name="jobs", record=JobRow, key="job_id", repeat=Repeat.REPLACE),
    Table(name="marks", record=MarkRow, key="key", repeat=Repeat.REPLACE, deletable=True),
)

BY_RECORD: Final[Mapping[type, Table]] = {table.record: table for table in TABLES}

OPEN: Final = "state IN ('INTENT', 'UNKNOWN', 'WORKING')"
NUMBER: Final = "CAST(substr(order_id, length(rtrim(order_id, '0123456789')) + 1) AS INTEGER)"
"""The number at the end of an order id, 0 where there is none."""

INDEXES: Final = (
    f"CREATE INDEX orders_open ON orders (id) WHERE {OPEN};",
    f"CREATE INDEX orders_number ON orders ({NUMBER});",
    "CREATE INDEX orders_ts ON orders (ts);",
    "CREATE INDEX order_events_order ON order_events (order_id);",
    "CREATE INDEX fills_order ON fills (order_id);",
    "CREATE INDEX fills_ts ON fills (ts);",
    "CREATE INDEX fills_position ON fills (symbol, side, quantity);",
    "CREATE INDEX fills_entry ON fills (symbol) WHERE purpose = 'ENTRY';",
    "CREATE INDEX trips_ts ON trips (ts_closed);",
    "CREATE INDEX signals_ts ON signals (ts);",
    "CREATE INDEX decisions_ts ON decisions (ts);",
    "CREATE INDEX equity_ts ON equity (ts);",
    "CREATE INDEX states_scope ON states (scope, name);",
)

AUDIT: Final = """\
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    prev_hash TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    wall INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
"""


def schema_sql() -> str:
    """Return the statements that make an empty journal of this version."""
    parts = [_create(table) + _triggers(table) for table in TABLES]
    return "\n".join((*parts, "\n".join(INDEXES) + "\n", AUDIT))


def insert_sql(table: Table) -> str:
    """Return the statement that writes one record, its fields as parameters in order."""
    names = [_quoted(name) for name in table.columns]
    single = table.repeat is Repeat.SINGLE
    into = ", ".join(["id", *names] if single else names)
    values = ", ".join(["1"] * single + ["?"] * len(names))
    statement = f"INSERT INTO {table.name} ({into}) VALUES ({values})"
    if table.repeat is Repeat.IGNORE:
        return f"{statement} ON CONFLICT ({_quoted(table.key)}) DO NOTHING"
    if table.repeat is Repeat.APPEND:
        return statement
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    return f"{statement} ON CONFLICT ({_quoted(table.key or 'id')}) DO UPDATE SET {changes}"


def select_sql(table: Table) -> str:
    """Return ``SELECT fields FROM table``, to be continued with WHERE and ORDER BY."""
    return f"SELECT {', '.join(map(_quoted, table.columns))} FROM {table.name}"


def reader[R: msgspec.Struct](record: type[R]) -> Callable[[Sequence[Any]], R]:
    """Return the function that makes a record of a row of `select_sql`."""
    names = record.__struct_fields__
    truths = [name for name, hint in get_type_hints(record).items() if hint is bool]

    def read(row: Sequence[Any]) -> R:
        values = dict(zip(names, row, strict=True))
        for name in truths:
            values[name] = bool(values[name])
        return record(**values)

    return read


def _create(table: Table) -> str:
    hints = get_type_hints(table.record)
    single = table.repeat is Repeat.SINGLE
    lines = ["    id INTEGER PRIMARY KEY" + (" CHECK (id = 1)" if single else "")]
    lines += [
        f"    {_quoted(name)} {_kind(hints[name])}" + (" UNIQUE" if name == table.key else "")
        for name in table.columns
    ]
    return f"CREATE TABLE {table.name} (\n" + ",\n".join(lines) + "\n) STRICT;\n"


def _triggers(table: Table) -> str:
    refused = [] if table.deletable else ["DELETE"]
    if table.repeat in (Repeat.APPEND, Repeat.IGNORE):
        refused.insert(0, "UPDATE")
    why = "append-only" if len(refused) > 1 else "kept"
    return "".join(
        f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name}\n"
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is {why}'); END;\n"
        for verb in refused
    )


def _kind(hint: Any) -> str:
    optional = get_origin(hint) in (Union, types.UnionType)
    if optional:
        hint = next(one for one in get_args(hint) if one is not type(None))
    if isinstance(hint, TypeAliasType):
        hint = hint.__value__
    kinds = {int: "INTEGER", bool: "INTEGER", str: "TEXT", bytes: "BLOB"}
    return kinds[hint] + ("" if optional else " NOT NULL")


def _quoted(name: str) -> str:
    return f'"{name}"'
