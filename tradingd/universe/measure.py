"""Measure every symbol on the eve of a day, from a panel and the tables beside prices."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.config.universe import TieredUniverse
from tradingd.universe import spread
from tradingd.universe.facts import Facts
from tradingd.universe.members import Membership
from tradingd.universe.panel import Panel

type Floats = NDArray[np.float64]

SESSIONS_PER_YEAR: Final = 252


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file beside prices.

    `sessions` are the days of all sessions around the range: distances to announcements are
    counted on them. `shares` are (day, shares outstanding) in time order, `delisted` the first
    days without trading.
    """

    sessions: Sequence[dt.date]
    earnings: Mapping[str, tuple[dt.date, ...]] = {}
    borrow: Mapping[str, Mapping[dt.date, int]] = {}
    membership: Membership | None = None
    shares: Mapping[str, Sequence[tuple[dt.date, float]]] = {}
    delisted: Mapping[str, dt.date] = {}


class Measures:
    """Facts of one day after the other.

    Parameters
    ----------
    panel : Panel
    tables : Tables
    config : TieredUniverse
    """

    def __init__(self, panel: Panel, tables: Tables, config: TieredUniverse) -> None:
        self._panel = panel
        self._tables = tables
        self._config = config
        with np.errstate(divide="ignore", invalid="ignore"):
            self._log_returns = np.diff(np.log(panel.close), axis=0, prepend=np.nan)
            self._terms = _terms(panel, config.spread_estimate)
            self._dollars = np.nan_to_num(panel.close * panel.volume)
        self._bars = np.isfinite(panel.close)
        self._history = np.cumsum(self._bars, axis=0)
        self._volume = np.nan_to_num(panel.volume)

    def on(self, day: dt.date) -> list[Facts]:
        """Return the facts of every symbol before the open of a day; nothing later is looked at."""
        end = bisect_left(self._panel.days, day)
        begin = max(0, end - self._config.window)
        span = slice(begin, end)
        units = self._units(day, end)
        price = _median(self._panel.close[span]) * units
        volatility = self._volatility(span)
        spreads, sources = self._spreads(end)
        days = self._panel.days
        facts = []
        for place, symbol in enumerate(self._panel.symbols):
            seen = np.flatnonzero(self._bars[:end, place])
            earnings, away = self._earnings(symbol, day)
            facts.append(
                Facts(
                    symbol=symbol,
                    day=day,
                    last_bar=days[seen[-1]] if len(seen) else None,
                    history=int(self._history[end - 1, place]) if end else 0,
                    traded_percent=100 * float(self._bars[span, place].sum()) / self._config.window,
                    price=_known(price[place]),
                    dollar_volume=float(self._dollars[span, place].sum()) / self._config.window,
                    volume=float(self._volume[span, place].sum() / units[place])
                    / self._config.window,
                    spread_bps=_known(spreads[place]),
                    spread_source=sources[place],
                    volatility_percent=_known(volatility[place]),
                    volatility_bucket=self._bucket(volatility[place]),
                    market_cap=self._market_cap(symbol, day, price[place]),
                    earnings=earnings,
                    earnings_sessions=away,
                    member=self._member(symbol, day),
                    borrowable=self._borrowable(symbol, day),
                    delisted=self._gone(symbol, day, days[seen[-1]] if len(seen) else None),
                )
            )
        return facts

    def _units(self, day: dt.date, end: int) -> Floats:
        """Return the factor to the day's own share units, a split on the day itself included."""
        if end < len(self._panel.days) and self._panel.days[end] == day:
            found: Floats = self._panel.units[end]
            return found
        return np.ones(len(self._panel.symbols))

    def _volatility(self, span: slice) -> Floats:
        returns = self._log_returns[span]
        count = np.isfinite(returns).sum(axis=0)
        few = count < max(2, self._config.window // 2)
        mean = np.nansum(returns, axis=0) / np.maximum(count, 1)
        squares = np.nansum((returns - mean) ** 2, axis=0)
        yearly = 100 * np.sqrt(squares / np.maximum(count - 1, 1) * SESSIONS_PER_YEAR)
        return np.where(few, np.nan, yearly)

    def _bucket(self, volatility: float) -> int | None:
        if not np.isfinite(volatility):
            return None
        return bisect_right(self._config.volatility_buckets, float(volatility))

    def _spreads(
        self, end: int
    ) -> tuple[Floats, list[Literal["quotes", "corwin_schultz", "abdi_ranaldo", ""]]]:
        """Return spreads and where each is from: quotes of the window, else the estimate."""
        quotes = _median(self._panel.quoted[max(0, end - self._config.window) : end])
        name = self._config.spread_estimate
        terms = self._terms[max(0, end - self._config.spread_window) : end]
        estimated = spread.window_bps(terms, name)
        found = np.where(np.isfinite(quotes), quotes, estimated)
        return found, [
            "quotes"
            if np.isfinite(seen)
            else (name if name != "none" and np.isfinite(made) else "")
            for seen, made in zip(quotes, estimated, strict=True)
        ]

    def _earnings(self, symbol: str, day: dt.date) -> tuple[dt.date | None, int | None]:
        announced = self._tables.earnings.get(symbol, ())
        after = bisect_left(announced, day)
        near = announced[max(0, after - 1) : after + 1]
        if not near:
            return None, None
        here = bisect_left(self._tables.sessions, day)
        away = {one: bisect_left(self._tables.sessions, one) - here for one in near}
        nearest = min(near, key=lambda one: abs(away[one]))
        return nearest, away[nearest]

    def _market_cap(self, symbol: str, day: dt.date, price: float) -> float | None:
        known = self._tables.shares.get(symbol, ())
        before = bisect_right(known, day, key=lambda pair: pair[0])
        if not before or not np.isfinite(price):
            return None
        return float(known[before - 1][1] * price)

    def _member(self, symbol: str, day: dt.date) -> bool | None:
        membership = self._tables.membership
        return None if membership is None else membership.on(symbol, day)

    def _borrowable(self, symbol: str, day: dt.date) -> int | None:
        known = self._tables.borrow.get(symbol, {})
        latest = max((one for one in known if one <= day), default=None)
        return None if latest is None else known[latest]

    def _gone(self, symbol: str, day: dt.date, last: dt.date | None) -> bool:
        """Tell whether it was delisted by the day and has not traded again since."""
        since = self._tables.delisted.get(symbol)
        return since is not None and since <= day and (last is None or last < since)


def _terms(panel: Panel, estimate: str) -> Floats:
    if estimate == "corwin_schultz":
        terms = spread.corwin_schultz(panel.high, panel.low, panel.close)
    elif estimate == "abdi_ranaldo":
        terms = spread.abdi_ranaldo(panel.high, panel.low, panel.close)
    else:
        terms = np.full(panel.close.shape, np.nan)
    return np.where(np.isfinite(terms), terms, np.nan)


def _median(rows: Floats) -> Floats:
    """Median of each column, nan where it is empty (numpy would warn)."""
    ordered = np.sort(rows, axis=0)
    count = np.isfinite(rows).sum(axis=0)
    column = np.arange(rows.shape[1])
    if not len(rows):
        return np.full(rows.shape[1], np.nan)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(rows) - 1)
    middle: Floats = (ordered[low, column] + ordered[high, column]) / 2
    return np.where(count > 0, middle, np.nan)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
