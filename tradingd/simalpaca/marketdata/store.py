"""Rows of a history store, read from its Parquet files with DuckDB.

Times are UTC ns; prices whole 1e-9 dollars. A bar's time here is its close, as in the store. All
calls block: they belong to one worker thread.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tradingd.simalpaca.marketdata.catalog import Catalog, File
from tradingd.simalpaca.ports import Bar

if TYPE_CHECKING:
    import duckdb

_SCALED: Final = "CAST(CAST({0} AS DECIMAL(28, 9)) * 1000000000 AS BIGINT) AS {0}"
_PRICES: Final = ", ".join(_SCALED.format(name) for name in ("open", "high", "low", "close"))
# On the column itself, so that whole row groups are passed over.
_SINCE: Final = "ts_event >= make_timestamp_ns($low)"
_RETIRED: Final = ".retired"
_FOLDERS: Final = "hive_types_autocast = false"


class StoredBar(NamedTuple):
    """One stored bar; `close_ts` is its end."""

    close_ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class StoredQuote(NamedTuple):
    """One stored quote; a missing side is 0."""

    ts: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int


class StoredTrade(NamedTuple):
    """One stored trade."""

    ts: int
    price: int
    size: int
    exchange: str
    conditions: str


class StoredAction(NamedTuple):
    """One corporate action; rows up to `effective` are before it."""

    symbol: str
    ex_date: dt.date
    effective: int
    kind: str
    numerator: int
    denominator: int
    amount: int
    old_symbol: str


class Store:
    """Read access to a history store.

    Parameters
    ----------
    root : Path
        Its folder; `contracts/history-*.json` describe what lies there.
    """

    def __init__(self, root: Path) -> None:
        self.catalog = Catalog(root)
        self._root = root
        self._connection: duckdb.DuckDBPyConnection | None = None

    def bars(
        self, symbol: str, resolution: str, low: int, high: int, limit: int, *, newest: bool = False
    ) -> list[StoredBar]:
        """Return at most `limit` bars with low <= close <= high, in time order or newest first."""
        files = self.catalog.bars(symbol, resolution, low, high)
        columns = f"epoch_ns(ts_event) AS ts, {_PRICES}, volume"
        rows = self._rows(files, columns, low, high, limit, newest=newest)
        return [StoredBar(*row) for row in rows]

    def adjusted(self, symbol: str, resolution: str) -> bool:
        """Tell whether the stored rows were split-adjusted by their source."""
        return any(one.adjusted for one in self.catalog.bars(symbol, resolution, -(2**62), 2**62))

    def quotes(
        self, symbol: str, low: int, high: int, limit: int, *, newest: bool = False
    ) -> list[StoredQuote]:
        """Return at most `limit` quotes with low <= time <= high."""
        sides = ", ".join(
            f"coalesce(CAST(CAST({side} AS DECIMAL(28, 9)) * 1000000000 AS BIGINT), 0)"
            for side in ("bid", "ask")
        )
        columns = f"epoch_ns(ts_event) AS ts, {sides}, coalesce(bid_size, 0), coalesce(ask_size, 0)"
        files = self.catalog.ticks("quotes", symbol, low, high)
        return [
            StoredQuote(*r) for r in self._rows(files, columns, low, high, limit, newest=newest)
        ]

    def trades(
        self, symbol: str, low: int, high: int, limit: int, *, newest: bool = False
    ) -> list[StoredTrade]:
        """Return at most `limit` trades with low <= time <= high."""
        columns = (
            f"epoch_ns(ts_event) AS ts, {_SCALED.format('price')}, size, "
            "coalesce(exchange, ''), coalesce(conditions, '')"
        )
        files = self.catalog.ticks("trades", symbol, low, high)
        return [
            StoredTrade(*r) for r in self._rows(files, columns, low, high, limit, newest=newest)
        ]

    def has(self, table: str, symbol: str) -> bool:
        """Tell whether there are quotes or trades of a symbol."""
        return bool(self.catalog.ticks(table, symbol, -(2**62), 2**62))

    def actions(self) -> list[StoredAction]:
        """Return all corporate actions, by ex-date, then symbol."""
        files = self.catalog.actions()
        if not files:
            return []
        rows = self._cursor().execute(
            "SELECT symbol, ex_date, epoch_ns(effective), kind, numerator, denominator, "
            f"{_SCALED.format('amount')}, old_symbol FROM read_parquet($files) "
            "ORDER BY ex_date, symbol, kind, old_symbol",
            {"files": self._paths(files)},
        )
        return [StoredAction(*row) for row in rows.fetchall()]

    def closes(
        self, symbols: Sequence[str], resolution: str, low: int, high: int
    ) -> Iterator[tuple[int, list[Bar]]]:
        """Yield the bars with low <= close < high of all symbols, one close at a time."""
        files = [
            one for name in symbols for one in self.catalog.bars(name, resolution, low, high - 1)
        ]
        if not files:
            return
        rows = self._cursor().execute(
            f"SELECT epoch_ns(ts_event) AS ts, symbol, {_PRICES}, volume "
            f"FROM read_parquet($files, hive_partitioning = true, {_FOLDERS}) "
            f"WHERE {_SINCE} AND ts_event < make_timestamp_ns($high) ORDER BY ts, symbol",
            {"files": self._paths(files), "low": low, "high": high},
        )
        close, batch = 0, list[Bar]()
        while part := rows.fetchmany(2_000):
            for ts, *bar in part:
                if batch and ts != close:
                    yield close, batch
                    batch = []
                close = ts
                batch.append(Bar(*bar))
        if batch:
            yield close, batch

    def close(self) -> None:
        """Forget the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(
        self, files: Sequence[File], columns: str, low: int, high: int, limit: int, *, newest: bool
    ) -> list[tuple[Any, ...]]:
        if not files:
            return []
        way = "DESC" if newest else "ASC"
        order, source = f"ts {way}", "read_parquet($files)"
        if files[0].table != "bars":
            # Ticks may share an instant: their order must be the same on every page.
            order += f", filename {way}, file_row_number {way}"
            source = "read_parquet($files, filename = true, file_row_number = true)"
        found = self._cursor().execute(
            f"SELECT {columns} FROM {source} "
            f"WHERE {_SINCE} AND ts_event <= make_timestamp_ns($high) "
            f"ORDER BY {order} LIMIT $limit",
            {"files": self._paths(files), "low": low, "high": high, "limit": limit},
        )
        return found.fetchall()

    def _paths(self, files: Sequence[File]) -> list[str]:
        return [str(self._located(one.path)) for one in files]

    def _located(self, path: str) -> Path:
        """Return where a file is: in place, or superseded since the manifest was read."""
        place = self._root / path
        return place if place.exists() else self._root / _RETIRED / path

    def _cursor(self) -> "duckdb.DuckDBPyConnection":
        if self._connection is None:
            import duckdb  # here: a server without a store needs none

            self._connection = duckdb.connect(
                ":memory:", config={"autoinstall_known_extensions": False, "threads": 2}
            )
            self._connection.execute("SET parquet_metadata_cache = true")
        return self._connection.cursor()
