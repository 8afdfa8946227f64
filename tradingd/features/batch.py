"""All features of all bars at once: symbol by symbol in threads, then across symbols.

TA-Lib and NumPy let go of the interpreter's lock, so threads use every core.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
import numpy as np

from tradingd.features.feature import Feature
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.series import PRICES, Floats, Integers, Panel, Series
from tradingd.kits.failure import ExitCode, Failure

_CHUNK: Final = 512
"""Rows turned from columns at once: what fits a core's cache."""

_TOGETHER: Final = 32_768
"""Rows of short series computed as one: calls are few then, and columns stay in the cache."""


def compute(feature_set: FeatureSet, series: Sequence[Series], *, threads: int = 2) -> FeatureFrame:
    """Compute every feature at every bar.

    Parameters
    ----------
    series : sequence of Series
        One per symbol, any order. Features across symbols compare exactly these.

    Raises
    ------
    Failure
        NO_DATA when a symbol comes twice, or a feature refers to a benchmark without bars, or to
        quotes that a series does not have; INVALID_ROW when a price is not positive.
    """
    chosen = sorted(series, key=lambda one: one.symbol)
    _check(feature_set, chosen)
    rows = _Rows.of(chosen)
    x = np.empty((len(rows.ts), len(feature_set)))
    plan = _Plan.of(feature_set)
    with ThreadPoolExecutor(max(threads, 1), "features") as pool:
        jobs = [
            pool.submit(_fill, plan, chosen[part], x, rows.places[part]) for part in _parts(chosen)
        ]
        for job in jobs:
            job.result()
    _fill_across(feature_set, chosen, rows, x)
    return FeatureFrame(
        names=feature_set.names,
        symbols=tuple(one.symbol for one in chosen),
        symbol=rows.symbol,
        ts=rows.ts,
        session=rows.gathered([one.session for one in chosen], np.empty(len(x), np.int64)),
        x=x,
        close=rows.gathered([one.close for one in chosen], np.empty(len(x))),
    )


class _Rows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Where the bars of each symbol go: `places` holds row numbers per symbol."""

    ts: Integers
    symbol: Integers
    places: list[Integers]

    @classmethod
    def of(cls, series: Sequence[Series]) -> "_Rows":
        sizes = [len(one) for one in series]
        ts = np.concatenate([one.ts for one in series]) if series else np.empty(0, np.int64)
        symbol = np.repeat(np.arange(len(series), dtype=np.int64), sizes)
        # Stable: symbols come in order, so rows of one moment stay in order.
        order = np.argsort(ts, kind="stable")
        place = np.empty(len(ts), np.int64)
        place[order] = np.arange(len(ts), dtype=np.int64)
        ends = np.cumsum(sizes, dtype=np.int64) if sizes else np.empty(0, np.int64)
        return cls(ts=ts[order], symbol=symbol[order], places=np.split(place, ends)[: len(series)])

    def gathered[T: (Floats, Integers)](self, columns: Sequence[T], out: T) -> T:
        for column, where in zip(columns, self.places, strict=True):
            out[where] = column
        return out


class _Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Features of one symbol alone: those computed over many symbols at once, and the others.

    `windowed` has (column, feature, rows until its first value).
    """

    width: int
    windowed: list[tuple[int, Feature, int]]
    others: list[tuple[int, Feature]]

    @classmethod
    def of(cls, feature_set: FeatureSet) -> "_Plan":
        plan = cls(width=len(feature_set), windowed=[], others=[])
        for index in feature_set.singles:
            feature = feature_set.columns[index]
            if feature.windowed and (first := first_row(feature)) is not None:
                plan.windowed.append((index, feature, first))
            else:
                plan.others.append((index, feature))
        return plan


def first_row(feature: Feature) -> int | None:
    """Return how many rows a windowed feature has no value for, as bars that move tell."""
    size = feature.memory + 2
    wave = 100.0 + np.sin(np.arange(size)) * (2.0 + np.cos(np.arange(size) * 0.7))
    nothing = np.zeros(size)
    bars = Series(
        symbol="",
        ts=np.arange(size, dtype=np.int64),
        open=wave + 0.5,
        high=wave + 2.0,
        low=wave - 2.0,
        close=wave,
        volume=nothing + 100.0,
        session=np.zeros(size, np.int64),
        minute=nothing,
        to_close=nothing,
    )
    with np.errstate(all="ignore"):
        found = np.flatnonzero(~np.isnan(feature.batch(bars)))
    return int(found[0]) if len(found) else None


def _parts(series: Sequence[Series]) -> list[slice]:
    """Return neighbours to compute together: about `_TOGETHER` rows, one symbol at the least."""
    if not series:
        return []
    parts, start, rows = [], 0, 0
    for number, one in enumerate(series):
        if rows and rows + len(one) > _TOGETHER:
            parts.append(slice(start, number))
            start, rows = number, 0
        rows += len(one)
    return [*parts, slice(start, len(series))]


def _fill(plan: _Plan, series: Sequence[Series], x: Floats, places: Sequence[Integers]) -> None:
    """Compute the features of some symbols into their rows."""
    sizes = [len(one) for one in series]
    starts = np.cumsum([0, *sizes])
    together = _joined(series)
    values = np.full((plan.width, int(starts[-1])), np.nan)
    with np.errstate(all="ignore"):
        for index, feature, first in plan.windowed:
            values[index] = feature.batch(together)
            # The first windows of a symbol reach into the one before.
            for start, size in zip(starts, sizes, strict=False):
                values[index, start : start + min(first, size)] = np.nan
        for one, start, size in zip(series, starts, sizes, strict=False):
            for index, feature in plan.others if size else ():
                values[index, start : start + size] = feature.batch(one)
    _place(values, np.concatenate(places), x)


def _joined(series: Sequence[Series]) -> Series:
    """Return one series after the other, as if of one symbol."""
    if len(series) == 1:
        return series[0]
    names = ("ts", *PRICES, "volume", "session", "minute", "to_close")
    columns = {name: np.concatenate([getattr(one, name) for one in series]) for name in names}
    return Series(symbol="", **columns)


def _place(values: Floats, where: Integers, x: Floats) -> None:
    # Rows as opaque items: each is copied at once, not number by number.
    if not x.size:
        return
    row = np.dtype((np.void, x.strides[0]))
    rows = x.view(row)[:, 0]
    for start in range(0, len(where), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows[where[part]] = np.ascontiguousarray(values[:, part].T).view(row)[:, 0]


def _fill_across(feature_set: FeatureSet, series: Sequence[Series], rows: _Rows, x: Floats) -> None:
    crosses = feature_set.crosses()
    if not crosses or not len(x):
        return
    moments, moment = np.unique(rows.ts, return_inverse=True)
    shape = (len(moments), len(series))
    symbols = tuple(one.symbol for one in series)
    close = np.full(shape, np.nan)
    for number, (one, where) in enumerate(zip(series, rows.places, strict=True)):
        close[moment[where], number] = one.close
    columns = {"close": close}
    panel = Panel(
        ts=moments,
        symbols=symbols,
        columns=columns,
        benchmark=symbols.index(feature_set.benchmark) if feature_set.benchmark in symbols else -1,
        sectors=np.array(feature_set.sector_numbers(symbols), np.int64),
    )
    wanted = set(feature_set.panel_columns())
    has_bar = np.zeros(shape, np.bool_)
    has_bar[moment, rows.symbol] = True
    for name in wanted & {feature_set.names[index] for index in feature_set.singles}:
        matrix = columns[name] = np.full(shape, np.nan)
        matrix[moment, rows.symbol] = x[:, feature_set.names.index(name)]
    for index, feature in crosses:
        with np.errstate(all="ignore"):
            found = feature.batch_panel(panel)
        x[:, index] = found[moment, rows.symbol]
        if feature_set.names[index] in wanted:
            columns[feature_set.names[index]] = np.where(has_bar, found, np.nan)


def _check(feature_set: FeatureSet, series: Sequence[Series]) -> None:
    names = [one.symbol for one in series]
    if twice := sorted({one for one in names if names.count(one) > 1}):
        raise Failure(
            f"{twice[0]} has two series", code=ExitCode.NO_DATA, expected="one series per symbol"
        )
    refers = [
        feature_set.names[index] for index, one in feature_set.crosses() if one.refers_to_benchmark
    ]
    if refers and names and feature_set.benchmark not in names:
        raise Failure(
            f"feature {refers[0]} refers to {feature_set.benchmark}, which has no bars here",
            code=ExitCode.NO_DATA,
            where="features.benchmark",
            expected=f"bars of {feature_set.benchmark} beside those of the other symbols",
            next_step=f"import them, or add {feature_set.benchmark} to the symbols",
        )
    for one in series:
        _check_prices(one)
        if feature_set.needs_quotes and one.bid is None:
            raise Failure(
                f"{one.symbol} has no quotes and some features read them",
                code=ExitCode.NO_DATA,
                where="features.declared",
                expected="stored quotes",
                next_step="leave out the features that read quotes, or import quotes",
            )


def _check_prices(series: Series) -> None:
    for name in PRICES:
        prices: Floats = getattr(series, name)
        # Written so that nan fails too.
        if len(prices) and not prices.min() > 0.0:
            row = int(np.flatnonzero(~(prices > 0.0))[0])
            raise Failure(
                f"{series.symbol} has a price that cannot be",
                code=ExitCode.INVALID_ROW,
                where=f"{series.symbol} {name} at {series.ts[row]}",
                expected="a positive number",
                found=str(prices[row]),
                next_step="tradingd data scan",
            )
