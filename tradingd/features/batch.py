"""All features of all bars at once: symbol by symbol in threads, then across symbols.

TA-Lib and NumPy let go of the interpreter's lock, so threads use every core.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
import numpy as np

from tradingd.features.feature import Feature
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.parts import joined
from tradingd.features.series import PRICES, Floats, Integers, Panel, Series
from tradingd.kits.failure import ExitCode, Failure

_CHUNK: Final = 512
"""Rows turned from columns at once: what fits a core's cache."""

_TOGETHER: Final = 32768
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
    threads, parts = max(threads, 1), iter(_parts(chosen))
    with ThreadPoolExecutor(threads, "features") as pool:
        jobs = [pool.submit(_work, plan, chosen, rows, parts, x) for _ in range(threads)]
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

    `together` has (column, feature, rows of each symbol it has no value for but may compute one).
    """

    width: int
    together: list[tuple[int, Feature, int]]
    others: list[tuple[int, Feature]]

    @classmethod
    def of(cls, feature_set: FeatureSet) -> "_Plan":
        plan = cls(width=len(feature_set), together=[], others=[])
        for index in feature_set.singles:
            feature = feature_set.columns[index]
            if feature.parted:
                plan.together.append((index, feature, 0))
            elif feature.windowed and (first := first_row(feature)) is not None:
                plan.together.append((index, feature, first))
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
        volume=np.rint(wave * 100.0) + np.arange(size) % 3,
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


def _work(
    plan: _Plan, series: Sequence[Series], rows: _Rows, parts: Iterator[slice], x: Floats
) -> None:
    """Compute parts until there is none left; every thread has one array for all of its parts."""
    values = np.empty((plan.width, 0))
    with np.errstate(all="ignore"):
        for part in parts:
            mine, where = series[part], np.concatenate(rows.places[part])
            if values.shape[1] < len(where):
                values = np.empty((plan.width, max(len(where), _TOGETHER)))
            _fill(plan, mine, values[:, : len(where)])
            _place(values[:, : len(where)], where, x)


def _fill(plan: _Plan, series: Sequence[Series], values: Floats) -> None:
    """Compute the features of some symbols, end to end; nothing is set for those across symbols."""
    sizes = [len(one) for one in series]
    starts = np.cumsum([0, *sizes])
    together = joined(series)
    age = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    young = {first: np.flatnonzero(age < first) for first in {first for *_, first in plan.together}}
    for index, feature, first in plan.together:
        values[index] = feature.batch(together)
        # The first windows of a symbol reach into the one before.
        values[index, young[first]] = np.nan
    for one, start, size in zip(series, starts, sizes, strict=False):
        for index, feature in plan.others if size else ():
            values[index, start : start + size] = feature.batch(one)


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
    grid = _Grid(rows, len(series))
    symbols = tuple(one.symbol for one in series)
    close = rows.gathered([one.close for one in series], np.empty(len(x)))
    columns = {"close": grid.spread(close)}
    panel = Panel(
        ts=grid.moments,
        symbols=symbols,
        columns=columns,
        benchmark=symbols.index(feature_set.benchmark) if feature_set.benchmark in symbols else -1,
        sectors=np.array(feature_set.sector_numbers(symbols), np.int64),
    )
    wanted = set(feature_set.panel_columns())
    for name in wanted & {feature_set.names[index] for index in feature_set.singles}:
        columns[name] = grid.spread(x[:, feature_set.names.index(name)])
    for index, feature in crosses:
        with np.errstate(all="ignore"):
            x[:, index] = grid.taken(feature.batch_panel(panel))
        if feature_set.names[index] in wanted:
            columns[feature_set.names[index]] = grid.spread(x[:, index])


class _Grid:
    """Where the rows are in a matrix of moments and symbols."""

    def __init__(self, rows: _Rows, symbols: int) -> None:
        fresh = np.ones(len(rows.ts), np.bool_)
        np.not_equal(rows.ts[1:], rows.ts[:-1], out=fresh[1:])
        self.moments: Integers = rows.ts[fresh]
        self._shape = len(self.moments), symbols
        self._cells = (np.cumsum(fresh) - 1) * symbols + rows.symbol

    def spread(self, values: Floats) -> Floats:
        """Return a value of every row as a matrix, nan where a symbol has no bar."""
        matrix = np.full(self._shape, np.nan)
        matrix.reshape(-1)[self._cells] = values
        return matrix

    def taken(self, matrix: Floats) -> Floats:
        """Return the value of every row."""
        found: Floats = np.ascontiguousarray(matrix).reshape(-1)[self._cells]
        return found


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
