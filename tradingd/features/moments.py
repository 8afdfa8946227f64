"""Stored bars replayed moment by moment, as a session would see them; cut, and in other units."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from tradingd.domain.feed import Batch, MarketBar, Quote
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.features.series import PRICES, QUOTES, Floats, Integers, Series

_NANOS: Final = 1e9


class Split(NamedTuple):
    """Before the bar of number `row`, `denominator` shares became `numerator`."""

    row: int
    numerator: int
    denominator: int


class Moment(NamedTuple):
    """What a session hears at one time, in this order."""

    splits: list[tuple[str, Split]]
    quotes: list[Quote]
    bars: list[MarketBar]


class Moments:
    """Bars of many symbols as a session would see them.

    Parameters
    ----------
    series : sequence of Series
        By symbol.
    splits : mapping
        By symbol; the bars before are shown in the units of then.

    Attributes
    ----------
    series : list of Series
        The same bars as the store restates them: to whole nanodollars and shares before.
    """

    def __init__(self, series: Sequence[Series], splits: Mapping[str, Split] = {}) -> None:
        self.symbols = tuple(one.symbol for one in series)
        self.series = []
        told: dict[int, Moment] = {}
        for one in series:
            split = splits.get(one.symbol)
            traded = _whole(_traded(one, split))
            self.series.append(_restated(traded, split))
            quotes = _quotes(traded)
            for row, bar in enumerate(_bars(traded)):
                moment = told.setdefault(int(one.ts[row]), Moment([], [], []))
                moment.bars.append(bar)
                moment.quotes.extend(quotes[row : row + 1])
                if split is not None and split.row == row:
                    moment.splits.append((one.symbol, split))
        self.moments = [(ts, told[ts]) for ts in sorted(told)]

    def walk(self, feature_set: FeatureSet, name: str) -> Floats:
        """Return the values of a feature moment by moment, by time, then symbol."""
        live = LiveFeatures(feature_set, self.symbols)
        column = feature_set.names.index(name)
        values = []
        for ts, moment in self.moments:
            for symbol, split in moment.splits:
                live.split(symbol, split.numerator, split.denominator)
            for quote in moment.quotes:
                live.observe_quote(quote)
            live.observe(Batch(ts, tuple(moment.bars)))
            values += [live.row(bar.symbol)[column] for bar in moment.bars]
        return np.array(values)


def between(series: Sequence[Series], start: int, end: int) -> list[Series]:
    """Return the bars from `start` to `end` (UTC ns, both inclusive); symbols without any go."""
    found = []
    for one in series:
        first = int(np.searchsorted(one.ts, start, side="left"))
        last = int(np.searchsorted(one.ts, end, side="right"))
        if last > first:
            found.append(_cut(one, slice(first, last)))
    return found


def warm_start(series: Sequence[Series], feature_set: FeatureSet, ts: int) -> int:
    """Return the time (UTC ns) from which on bars make the values at `ts` those of all history.

    Every symbol then has `memory` bars before `ts`. Where features refer to a benchmark, bars at
    moments when it has one count.
    """
    starts = [ts]
    shared: Integers | None = None
    if any(one.refers_to_benchmark for _, one in feature_set.crosses()):
        shared = next((one.ts for one in series if one.symbol == feature_set.benchmark), None)
    for one in series:
        stamps = one.ts if shared is None else np.intersect1d(one.ts, shared)
        last = int(np.searchsorted(stamps, ts, side="right")) - 1
        if last >= 0:
            starts.append(int(stamps[max(last - feature_set.memory, 0)]))
    return min(starts)


def _cut(series: Series, rows: slice) -> Series:
    return _mapped(series, lambda _name, values: values[rows].copy())


def scaled(series: Series, factor: float) -> Series:
    """Return the bars in other units of shares: prices times the factor, volumes divided by it."""

    def change(name: str, values: Floats) -> Floats:
        if name in (*PRICES, "bid", "ask"):
            return values * factor
        if name in ("volume", "bid_size", "ask_size"):
            return values / factor
        return values

    return _mapped(series, change)


def _mapped(series: Series, change: Callable[[str, Any], Any]) -> Series:
    """Return a series with every array changed by its name."""
    arrays = {
        field: change(field, values)
        for field in series.__struct_fields__
        if field != "symbol" and (values := getattr(series, field)) is not None
    }
    return msgspec.structs.replace(series, **arrays)


def _traded(series: Series, split: Split | None) -> Series:
    """Return the bars as they traded: those before the split in the units of then."""
    if split is None:
        return series
    old = scaled(series, split.numerator / split.denominator)

    def change(name: str, values: Floats) -> Floats:
        return np.concatenate([getattr(old, name)[: split.row], values[split.row :]])

    return _mapped(series, change)


def _restated(traded: Series, split: Split | None) -> Series:
    """Restate them as the store does it: the prices before the split times one factor."""
    if split is None:
        return traded
    old = scaled(traded, split.denominator / split.numerator)

    def change(name: str, values: Floats) -> Floats:
        return np.concatenate([getattr(old, name)[: split.row], values[split.row :]])

    return _mapped(traded, change)


def _whole(series: Series) -> Series:
    """Return prices in whole nanodollars and sizes in whole shares, as exchanges trade."""

    def change(name: str, values: Floats) -> Floats:
        if name in (*PRICES, "bid", "ask"):
            return np.rint(values * _NANOS) / _NANOS
        return np.rint(values) if name in ("volume", "bid_size", "ask_size") else values

    return _mapped(series, change)


def _bars(series: Series) -> list[MarketBar]:
    columns = [_integers(getattr(series, name) * _NANOS) for name in PRICES]
    rows = zip(*columns, _integers(series.volume), strict=True)
    return [MarketBar(series.symbol, *row) for row in rows]


def _integers(values: Floats) -> list[int]:
    found: list[int] = np.rint(values).astype(np.int64).tolist()
    return found


def _quotes(series: Series) -> list[Quote]:
    """Return the quote of every bar, 0 where there is none; no quotes without such columns."""
    if series.bid is None:
        return []
    columns = [np.nan_to_num(getattr(series, name)) for name in QUOTES]
    prices = [_integers(one * _NANOS) for one in columns[:2]]
    rows = zip(*prices, *map(_integers, columns[2:]), series.ts.tolist(), strict=True)
    return [Quote(series.symbol, *row) for row in rows]
