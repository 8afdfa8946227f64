"""Run the `tradingd journal` commands; imported when one of them runs."""

from pathlib import Path
from typing import Any

import msgspec

from tradingd.cli import journal_results as results
from tradingd.cli.journal import (
    ExportParams,
    JournalParams,
    ListParams,
    OrdersParams,
    PositionsParams,
    RunsParams,
    StatsParams,
)
from tradingd.cli.journal_place import journal_file
from tradingd.domain.journal import DecisionRow, FillRow, OrderRow, RunRow, SignalRow, TripRow
from tradingd.journal.days import span
from tradingd.journal.export import export as export_tables
from tradingd.journal.holdings import holdings
from tradingd.journal.queries import Asked, Listable, read
from tradingd.journal.statistics import by_strategy


def runs(params: RunsParams) -> Any:
    """List processes."""
    return _list(params, RunRow, results.Runs)


def signals(params: ListParams) -> Any:
    """List signals."""
    return _list(params, SignalRow, results.Signals)


def orders(params: OrdersParams) -> Any:
    """List orders."""
    return _list(params, OrderRow, results.Orders)


def fills(params: ListParams) -> Any:
    """List executions."""
    return _list(params, FillRow, results.Fills)


def trades(params: ListParams) -> Any:
    """List round trips."""
    return _list(params, TripRow, results.Trades)


def decisions(params: ListParams) -> Any:
    """List denials."""
    return _list(params, DecisionRow, results.Decisions)


def positions(params: PositionsParams) -> Any:
    """Sum up fills and adjustments."""
    path = journal_file(params.instance, params.file)
    found = holdings(path, symbol=_upper(params.symbol), strategy=params.strategy)
    rows = tuple(map(results.viewed, found))
    return results.Positions(file=str(path), total=len(rows), rows=rows)


def stats(params: StatsParams) -> Any:
    """Sum up round trips."""
    path = journal_file(params.instance, params.file)
    found = by_strategy(read(path, TripRow, _asked(params)).rows)
    rows = tuple(map(results.viewed, found))
    return results.Stats(file=str(path), total=len(rows), rows=rows)


def export(params: ExportParams) -> results.Export:
    """Write Parquet."""
    path = journal_file(params.instance, params.file)
    folder = Path(params.to).expanduser()
    tables = export_tables(path, folder)
    return results.Export(file=str(path), folder=str(folder), tables=tables)


def _list[R: Listable](params: JournalParams, record: type[R], result: Any) -> Any:
    path = journal_file(params.instance, params.file)
    page = read(path, record, _asked(params))
    return result(file=str(path), total=page.total, rows=tuple(map(results.viewed, page.rows)))


def _asked(params: JournalParams) -> Asked:
    """Return the filters that a command has; commands differ in which they have."""
    given = msgspec.structs.asdict(params)
    since, until = span(given.get("day"), given.get("first_day"), given.get("last_day"))
    return Asked(
        symbol=_upper(given.get("symbol")),
        strategy=given.get("strategy"),
        status=given.get("status"),
        since=since,
        until=until,
        last=given.get("last", 0),
    )


def _upper(symbol: str | None) -> str | None:
    return symbol.upper() if symbol else None
