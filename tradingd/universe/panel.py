"""Daily bars of many symbols on a grid of sessions, in floats, splits taken out."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.domain.market import ActionKind, CorporateAction, DataKind, Resolution, Session
from tradingd.history.layout import Series, times
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import local_midnight_ns

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

COLUMNS: Final = ("high", "low", "close", "volume")
_BPS: Final = 10_000


class Panel(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Bars of sessions (rows) and symbols (columns); nan where a symbol has no bar.

    Parameters
    ----------
    days : tuple of date
        Of the sessions, in order.
    high, low, close : array of float, shape (sessions, symbols)
        USD in the share units of the last day known, so that returns and ranges do not see splits.
    volume : array of float
        Shares of those units.
    units : array of float
        Factor from those units to the day's own: what a split after the day has not yet changed.
    quoted : array of float
        Median spread of the session's quotes in basis points; nan without quotes.
    """

    days: tuple[dt.date, ...]
    symbols: tuple[str, ...]
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    units: Floats
    quoted: Floats


def read_panel(
    store: Store,
    symbols: Sequence[str],
    sessions: Sequence[Session],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Panel:
    """Read the daily bars of these sessions."""
    days = tuple(one.day for one in sessions)
    grid = _Grid(sessions)
    shape = (len(days), len(symbols))
    columns = {name: np.full(shape, np.nan) for name in COLUMNS}
    quoted, units = np.full(shape, np.nan), np.ones(shape)
    splits = _splits(store.actions(symbols))
    with_quotes = set(store.symbols(DataKind.QUOTES))
    for place, symbol in enumerate(symbols):
        table = _rows(store, Series(DataKind.BARS, symbol, Resolution.DAY), days[0], days[-1])
        if table is not None:
            _place(grid, table, columns, place)
        if symbol in with_quotes:
            quoted[:, place] = _quoted(store, symbol, sessions)
        for split in splits.get(symbol, ()):
            units[:, place] *= _not_yet(split, days)
        progress(place + 1, len(symbols))
    return Panel(
        days=days,
        symbols=tuple(symbols),
        high=columns["high"] / units,
        low=columns["low"] / units,
        close=columns["close"] / units,
        volume=columns["volume"] * units,
        units=units,
        quoted=quoted,
    )


class _Grid:
    """Sessions as local days: the one whose midnights enclose a time."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        day = dt.timedelta(days=1)
        self._begins = np.array([local_midnight_ns(one.day) for one in sessions])
        self._ends = np.array([local_midnight_ns(one.day + day) for one in sessions])
        self.first, self.last = int(self._begins[0]), int(self._ends[-1])

    def rows(self, ts: Integers) -> Integers:
        """Return the session of each time, -1 for none."""
        found = np.searchsorted(self._begins, ts, side="left") - 1
        inside = (found >= 0) & (ts <= self._ends[np.maximum(found, 0)])
        return np.where(inside, found, -1)


def _rows(store: Store, series: Series, start: dt.date, end: dt.date) -> pa.Table | None:
    try:
        return store.read(series.kind, series.symbol, series.resolution, start, end)
    except Failure as failure:
        if failure.code in (ExitCode.EMPTY_RANGE, ExitCode.UNKNOWN_SYMBOL, ExitCode.NO_DATA):
            return None
        raise


def _place(grid: _Grid, table: pa.Table, columns: dict[str, Floats], place: int) -> None:
    rows = grid.rows(times(table))
    kept = rows >= 0
    for name, column in columns.items():
        values = table[name].cast(pa.float64()).to_numpy()
        column[rows[kept], place] = values[kept]


def _splits(actions: Iterable[CorporateAction]) -> dict[str, list[CorporateAction]]:
    found: dict[str, list[CorporateAction]] = {}
    for one in actions:
        if one.kind is ActionKind.SPLIT:
            found.setdefault(one.symbol, []).append(one)
    return found


def _not_yet(split: CorporateAction, days: Sequence[dt.date]) -> Floats:
    """Return the split's factor on days before it, 1 from its ex-date on."""
    before = np.array([day < split.ex_date for day in days])
    return np.where(before, split.numerator / split.denominator, 1.0)


def _quoted(store: Store, symbol: str, sessions: Sequence[Session]) -> Floats:
    """Return the median spread of each session's two-sided quotes, in basis points."""
    found = np.full(len(sessions), np.nan)
    series = Series(DataKind.QUOTES, symbol, None)
    held = store.contents().of_series(series)
    for place, session in enumerate(sessions):
        if not any(
            one.first_ts <= session.close_ns and one.last_ts >= session.open_ns for one in held
        ):
            continue
        table = _rows(store, series, session.day, session.day)
        if table is None:
            continue
        ts = times(table)
        bid, ask = (table[name].cast(pa.float64()).to_numpy() for name in ("bid", "ask"))
        inside = (ts > session.open_ns) & (ts <= session.close_ns) & (bid > 0) & (ask >= bid)
        if inside.any():
            middle = (bid[inside] + ask[inside]) / 2
            found[place] = np.median((ask[inside] - bid[inside]) / middle) * _BPS
    return found
