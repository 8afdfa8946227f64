"""What the auditor reads: a run folder and the market, with nothing of the product's own code."""

import datetime as dt
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import exchange_calendars

NEW_YORK = ZoneInfo("America/New_York")
NANO = Decimal("1e-9")
TABLES = ("orders", "fills", "positions", "equity", "denials", "cash")
_TIMES = ("ts", "ts_submitted", "ts_closed", "ts_opened")


class Bar(NamedTuple):
    """One raw bar; `end` is its close in UTC nanoseconds."""

    end: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class Action(NamedTuple):
    """A split (up for down) or a dividend (amount a share), due on the midnight of a day."""

    symbol: str
    day: dt.date
    kind: str
    up: int
    down: int
    amount: Decimal


class Day(NamedTuple):
    """One session of the exchange."""

    day: dt.date
    open: int
    close: int


type Bars = Callable[[str], Sequence[Bar]]


class Run:
    """The tables of a run folder as rows with attributes, and its manifest and metrics."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.metrics = json.loads((folder / "metrics.json").read_text())
        self.config = self.manifest["config"]
        self.orders: list[Any] = rows(folder / "orders.parquet")
        self.fills: list[Any] = rows(folder / "fills.parquet")
        self.positions: list[Any] = rows(folder / "positions.parquet")
        self.equity: list[Any] = rows(folder / "equity.parquet")
        self.denials: list[Any] = rows(folder / "denials.parquet")
        self.cash: list[Any] = rows(folder / "cash.parquet")

    @cached_property
    def fills_of(self) -> dict[str, list[Any]]:
        """Fills by order."""
        found = defaultdict(list)
        for fill in self.fills:
            found[fill.order_id].append(fill)
        return found

    @cached_property
    def trades_of(self) -> dict[str, list[Any]]:
        """Fills by symbol."""
        found = defaultdict(list)
        for fill in self.fills:
            found[fill.symbol].append(fill)
        return found

    def held(self, symbol: str, ts: int) -> int:
        """Return the signed shares after every fill up to a time."""
        times, totals = self._holdings.get(symbol, ([], []))
        done = bisect_right(times, ts)
        return totals[done - 1] if done else 0

    @cached_property
    def _holdings(self) -> dict[str, tuple[list[int], list[int]]]:
        return {
            symbol: ([one.ts for one in trades], list(accumulate(map(signed, trades))))
            for symbol, trades in self.trades_of.items()
        }


class Market:
    """Prices, actions and sessions of one run."""

    def __init__(self, run: Run, bars: Bars, actions: Sequence[Action]) -> None:
        self._raw = bars
        manifest = run.manifest
        self._first, self._last = manifest["first_ts"], manifest["last_ts"]
        self.length = {"1s": 1, "1m": 60, "1h": 3_600, "1d": 86_400}[manifest["resolution"]] * 10**9
        self.days = sessions(self._first, self._last)
        self._cut = run.config["session"]["regular_only"] and manifest["resolution"] != "1d"
        # What happens on the first day or before finds nothing held and no price.
        self.actions = [
            one._replace(day=self.session_on_or_after(one.day))
            for one in actions
            if self.days[0].day < one.day <= self.days[-1].day and one.symbol in manifest["symbols"]
        ]
        self.bars = cache(self._bars)
        self._ends = cache(lambda symbol: [bar.end for bar in self.bars(symbol)])

    def seen(self, symbol: str, ts: int) -> int:
        """Return how many bars of a symbol ended up to a time."""
        return bisect_right(self._ends(symbol), ts)

    def mark(self, symbol: str, ts: int) -> Decimal:
        """Return the last close up to a time, restated for the splits since."""
        bar = self.bars(symbol)[self.seen(symbol, ts) - 1]
        price = bar.close
        for one in self.actions:
            if one.kind == "split" and one.symbol == symbol and bar.end < midnight(one.day) <= ts:
                price = to_nano(price * one.down / one.up)
        return price

    def session_on_or_after(self, day: dt.date) -> dt.date:
        """Return the session day on which something due that day takes effect."""
        return next(one.day for one in self.days if one.day >= day)

    def _bars(self, symbol: str) -> list[Bar]:
        inside = [bar for bar in self._raw(symbol) if self._first <= bar.end <= self._last]
        if not self._cut:
            return inside
        closes = [day.close for day in self.days]
        at = (min(bisect_right(closes, bar.end - 1), len(closes) - 1) for bar in inside)
        return [
            bar
            for bar, number in zip(inside, at, strict=True)
            if self.days[number].open < bar.end <= self.days[number].close
        ]


def stored_market(run: Run, history: Path) -> Market:
    """Read the market from a history store's Parquet files."""
    folder = history / "bars" / f"resolution={run.manifest['resolution']}"

    def bars(symbol: str) -> list[Bar]:
        columns = "epoch_ns(ts_event), open, high, low, close, volume"
        files = f"{folder}/symbol={symbol}/**/*.parquet"
        found = duckdb.sql(f"select {columns} from read_parquet('{files}') order by 1").fetchall()
        return [Bar(*row) for row in found]

    files = history / "reference" / "actions"
    if not list(files.glob("*.parquet")):
        return Market(run, bars, [])
    columns = "symbol, ex_date, kind, numerator, denominator, amount"
    known = duckdb.sql(
        f"select {columns} from '{files}/*.parquet' where kind in ('split', 'dividend')"
        " order by ex_date, kind = 'split', symbol"
    ).fetchall()
    return Market(run, bars, [Action(*row) for row in known])


def rows(file: Path) -> list[Any]:
    """Read a Parquet file in its own order; times become integers."""
    names = [name for name, *_ in duckdb.sql(f"describe from '{file}'").fetchall()]
    columns = [f'epoch_ns("{name}")' if name in _TIMES else f'"{name}"' for name in names]
    found = duckdb.sql(f"select {', '.join(columns)} from '{file}' order by file_row_number")
    return [SimpleNamespace(zip(names, row, strict=True)) for row in found.fetchall()]


def sessions(first: int, last: int) -> list[Day]:
    """Return the regular sessions of New York from the first bar's day on."""
    days = [local_day(ts) for ts in (first, last)]
    calendar = exchange_calendars.get_calendar(
        "XNYS", start=days[0] - dt.timedelta(days=7), end=days[1] + dt.timedelta(days=7)
    )
    table = calendar.schedule
    opens, closes = (table[name].astype("int64").tolist() for name in ("open", "close"))
    known = [
        Day(stamp.date(), first, last)
        for stamp, first, last in zip(table.index, opens, closes, strict=True)
    ]
    return [day for day in known if first <= day.close and day.open < last]


def signed(fill: Any) -> int:
    """Return a fill's shares, negative for a sale."""
    return int(fill.quantity) if fill.side == "BUY" else -int(fill.quantity)


def to_nano(amount: Decimal) -> Decimal:
    """Round half up to nine decimals."""
    return amount.quantize(NANO, rounding=ROUND_HALF_UP)


def midnight(day: dt.date) -> int:
    """Return UTC nanoseconds of a day's beginning in New York."""
    return int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 10**9


def local_day(ts: int) -> dt.date:
    """Return the New York day of a time."""
    return dt.datetime.fromtimestamp(ts // 10**9, NEW_YORK).date()


def text(ts: int) -> str:
    """Return a time for a person."""
    return dt.datetime.fromtimestamp(ts // 10**9, NEW_YORK).isoformat(" ")
