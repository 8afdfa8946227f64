"""Bring rows, sessions and corporate actions into the tables that the rules read."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from tradingd.domain.market import ActionKind, CorporateAction, DataKind, Resolution
from tradingd.domain.money import SCALE
from tradingd.session.calendar import SessionCalendar

_EPOCH: Final = dt.date(1970, 1, 1)
_DAY_NS: Final = Resolution.DAY.nanoseconds

# Standard time all year will do: trading hours are far from midnight, and a bar that closes at
# midnight belongs to the day that ends.
_NEW_YORK_DAY: Final = f"(ts - {5 * Resolution.HOUR.nanoseconds} - 1) // {_DAY_NS}"


MEMORY_LIMIT: Final = "1GB"


def bound_memory(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Let DuckDB spill to a folder instead of growing with the history."""
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"set temp_directory = '{str(folder).replace("'", "''")}'")
    connection.execute("set preserve_insertion_order = false")


def load_sessions(connection: duckdb.DuckDBPyConnection, calendar: SessionCalendar) -> None:
    """Create table `sessions`: day, number (counting), opens, closes."""
    sessions = calendar.sessions
    rows = pa.table(
        {
            "day": [(one.day - _EPOCH).days for one in sessions],
            "number": list(range(len(sessions))),
            "opens": [one.open_ns for one in sessions],
            "closes": [one.close_ns for one in sessions],
        }
    )
    _create(connection, "sessions", rows)


def load_events(
    connection: duckdb.DuckDBPyConnection,
    actions: Iterable[CorporateAction],
    already_adjusted: frozenset[str],
) -> None:
    """Create table `events`: symbol, day, growth of the share count, dollars per old share.

    Splits of symbols whose prices came split-adjusted are left out: they left no jump.
    """
    merged: dict[tuple[str, int], tuple[float, float]] = {}
    for one in actions:
        place = (one.symbol, (one.ex_date - _EPOCH).days)
        growth, amount = merged.get(place, (1.0, 0.0))
        if one.kind is ActionKind.SPLIT and one.symbol not in already_adjusted:
            growth *= one.numerator / one.denominator
        if one.kind is ActionKind.DIVIDEND:
            amount += one.amount / SCALE
        merged[place] = (growth, amount)
    rows = pa.table(
        {
            "symbol": pa.array([symbol for symbol, _ in merged], pa.string()),
            "day": pa.array([day for _, day in merged], pa.int64()),
            "growth": pa.array([growth for growth, _ in merged.values()], pa.float64()),
            "amount": pa.array([amount for _, amount in merged.values()], pa.float64()),
        }
    )
    _create(connection, "events", rows)


def load_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    kind: DataKind,
    resolution: Resolution | None,
    symbols: Sequence[str],
) -> int:
    """Create table `checked` with some symbols' rows of `relation` and return how many.

    What does not fit into the memory limit goes to the temporary folder.
    """
    wanted = ", ".join(f"'{symbol}'" for symbol in symbols)
    only = f"and resolution = '{resolution}'" if kind is DataKind.BARS else ""
    regular = "ts = closes" if resolution is Resolution.DAY else "ts > opens and ts <= closes"
    connection.execute(
        f"""
        create or replace temp table checked as
        with rows as (
            select * exclude (ts_event, ts_init), epoch_ns(ts_event) as ts, {_NEW_YORK_DAY} as day
            from {relation} where symbol in ({wanted}) {only}
        )
        select rows.*, coalesce({regular}, false) as regular
        from rows left join sessions using (day)
        """
    )
    found = connection.execute("select count(*) from checked").fetchone()
    assert found is not None
    return int(found[0])


def _create(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"create or replace temp table {name} as from incoming")
    connection.unregister("incoming")
