"""Tables beside prices: corporate actions, instruments, earnings dates, borrowable shares."""

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from tradingd.domain.market import ActionKind, CorporateAction, Instrument, ReferenceData
from tradingd.domain.money import decimal, nanos
from tradingd.history import files
from tradingd.history.layout import check_symbol
from tradingd.history.manifest import FileRecord
from tradingd.history.merge import Written
from tradingd.history.schema import PRICE, TIME
from tradingd.session.calendar import local_midnight_ns

ACTIONS: Final = pa.schema(
    [
        pa.field("symbol", pa.string(), False),
        pa.field("ex_date", pa.date32(), False),
        # New York midnight at the start of ex_date, UTC: rows up to it are before the action.
        pa.field("effective", TIME, False),
        pa.field("kind", pa.string(), False),
        pa.field("numerator", pa.int64(), False),
        pa.field("denominator", pa.int64(), False),
        pa.field("amount", PRICE, False),
        pa.field("old_symbol", pa.string(), False),
        pa.field("source", pa.string(), False),
    ]
)

INSTRUMENTS: Final = pa.schema(
    [
        pa.field("symbol", pa.string(), False),
        pa.field("tick", PRICE, False),
        pa.field("currency", pa.string(), False),
        pa.field("venue", pa.string(), False),
        pa.field("lot", pa.int64(), False),
    ]
)

EARNINGS: Final = pa.schema(
    [pa.field("symbol", pa.string(), False), pa.field("date", pa.date32(), False)]
)

BORROW: Final = pa.schema(
    [
        pa.field("symbol", pa.string(), False),
        pa.field("date", pa.date32(), False),
        pa.field("shares", pa.int64(), False),
    ]
)

TABLES: Final = {
    "actions": ACTIONS,
    "instruments": INSTRUMENTS,
    "earnings": EARNINGS,
    "borrow": BORROW,
}

# What makes a row the same row; the rest are its values.
KEYS: Final = {
    "actions": ("symbol", "ex_date", "kind", "old_symbol"),
    "instruments": ("symbol",),
    "earnings": ("symbol", "date"),
    "borrow": ("symbol", "date"),
}


def read(root: Path, records: Sequence[FileRecord], table: str) -> pa.Table:
    """Read a reference table; empty where nothing is stored."""
    parts = [files.read_rows(root, one).cast(TABLES[table]) for one in records]
    return pa.concat_tables(parts) if parts else TABLES[table].empty_table()


def merged(table: str, stored: pa.Table, incoming: pa.Table) -> tuple[pa.Table, Written]:
    """Return the union by key (incoming wins), sorted by key, and the counts."""
    keys = KEYS[table]
    rows = {tuple(row[key] for key in keys): row for row in stored.to_pylist()}
    new = same = revised = 0
    for row in incoming.to_pylist():
        key = tuple(row[name] for name in keys)
        before = rows.get(key)
        new += before is None
        same += before == row
        revised += before is not None and before != row
        rows[key] = row
    union = pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema=TABLES[table])
    return union, Written(rows_new=new, rows_same=same, rows_revised=revised)


def actions_table(actions: Sequence[CorporateAction]) -> pa.Table:
    """Return actions as rows."""
    return pa.Table.from_pylist(
        [
            {
                "symbol": check_symbol(one.symbol),
                "ex_date": one.ex_date,
                "effective": local_midnight_ns(one.ex_date),
                "kind": str(one.kind),
                "numerator": one.numerator,
                "denominator": one.denominator,
                "amount": decimal(one.amount),
                "old_symbol": one.old_symbol,
                "source": one.source,
            }
            for one in actions
        ],
        schema=ACTIONS,
    )


def actions_from(table: pa.Table, symbols: Collection[str] | None) -> list[CorporateAction]:
    """Return rows as actions, by ex-date, then symbol."""
    found = [
        CorporateAction(
            symbol=row["symbol"],
            ex_date=row["ex_date"],
            kind=ActionKind(row["kind"]),
            numerator=row["numerator"],
            denominator=row["denominator"],
            amount=nanos(row["amount"]),
            old_symbol=row["old_symbol"],
            source=row["source"],
        )
        for row in table.drop_columns("effective").to_pylist()
        if symbols is None or row["symbol"] in symbols
    ]
    return sorted(found, key=lambda one: (one.ex_date, one.symbol, one.kind, one.old_symbol))


def instruments_table(instruments: Sequence[Instrument]) -> pa.Table:
    """Return trading facts as rows."""
    rows = [
        {
            "symbol": check_symbol(one.symbol),
            "tick": decimal(one.tick),
            "currency": one.currency,
            "venue": one.venue,
            "lot": one.lot,
        }
        for one in instruments
    ]
    return pa.Table.from_pylist(rows, schema=INSTRUMENTS)


def instruments_from(table: pa.Table, symbols: Sequence[str]) -> list[Instrument]:
    """Return the facts of each symbol; defaults where nothing is stored."""
    known = {
        row["symbol"]: Instrument(**{**row, "tick": nanos(row["tick"])})
        for row in table.to_pylist()
    }
    return [known.get(symbol, Instrument(symbol=symbol)) for symbol in symbols]


def earnings_table(data: ReferenceData) -> pa.Table:
    """Return earnings dates as rows."""
    rows = [
        {"symbol": check_symbol(symbol), "date": day}
        for symbol, days in data.earnings.items()
        for day in days
    ]
    return pa.Table.from_pylist(rows, schema=EARNINGS)


def borrow_table(data: ReferenceData) -> pa.Table:
    """Return borrowable shares as rows."""
    rows = [
        {"symbol": check_symbol(symbol), "date": day, "shares": shares}
        for symbol, days in data.shortable.items()
        for day, shares in days.items()
    ]
    return pa.Table.from_pylist(rows, schema=BORROW)


def data_from(earnings: pa.Table, borrow: pa.Table, symbols: Collection[str]) -> ReferenceData:
    """Return the reference data of some symbols."""
    dates: dict[str, list[dt.date]] = {}
    for row in _rows_of(earnings, symbols):
        dates.setdefault(row["symbol"], []).append(row["date"])
    shares: dict[str, dict[dt.date, int]] = {}
    for row in _rows_of(borrow, symbols):
        shares.setdefault(row["symbol"], {})[row["date"]] = row["shares"]
    return ReferenceData(
        earnings={symbol: tuple(sorted(days)) for symbol, days in dates.items()}, shortable=shares
    )


def _rows_of(table: pa.Table, symbols: Collection[str]) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row["symbol"] in symbols]


def in_adjusted_units(action: CorporateAction, table: pa.Table) -> CorporateAction | None:
    """Restate an action for prices that are already split-adjusted: no split, smaller dividend."""
    if action.kind is ActionKind.SPLIT:
        return None
    amount = action.amount
    for split in actions_from(table, {action.symbol}):
        if split.kind is ActionKind.SPLIT and split.ex_date >= action.ex_date:
            # Rounded half up to 1e-9, as the views do.
            amount = (2 * amount * split.denominator + split.numerator) // (2 * split.numerator)
    return msgspec.structs.replace(action, amount=amount)
