"""`python -m tests.benchmarks.features_batch`: 41 features in batches, against pandas and TA-Lib.

Ours and TA-Lib (a loop over symbols in two threads, the features TA-Lib has) and pandas (plain
groupby, the same features as ours) take turns in one process on the same synthetic bars; the
fastest of the rounds counts, in seconds and in processor seconds (which another program's load
changes less). `agree` counts the features for which pandas and ours are equal after the warm-up.

TA-Lib's plain loop leaves a table a symbol and takes TA-Lib's numbers as they are. Ours also checks
prices, has no value where nothing moved, keeps rounding inside of windows, and leaves one table in
order of time; `talib_ordered` is the plain loop and that order.
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import talib

from tests.benchmarks import features_bars
from tradingd.config.features import FeaturesConfig
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import Series

WARM_UP = 600
"""Rows of each symbol that the comparison leaves out: recursions begin in different ways."""

type Column = Callable[["Pandas"], pd.Series]


class Pandas:
    """What a person writes first: groupby, one feature after the other."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self.bars = bars
        self.by = bars.groupby("symbol", sort=False)
        self.names = bars["symbol"]

    def roll(self, column: pd.Series, bars: int) -> Any:
        return column.groupby(self.names, sort=False).rolling(bars)

    def mean(self, column: pd.Series, bars: int) -> pd.Series:
        return self.flat(self.roll(column, bars).mean())

    def flat(self, column: pd.Series) -> pd.Series:
        return column.reset_index(level=0, drop=True).sort_index()

    def shift(self, column: pd.Series, bars: int = 1) -> pd.Series:
        return column.groupby(self.names, sort=False).shift(bars)

    def ema(self, column: pd.Series, **how: float) -> pd.Series:
        by = column.groupby(self.names, sort=False)
        return self.flat(by.ewm(adjust=False, **how).mean())

    def log_return(self) -> pd.Series:
        return np.log(self.bars.close / self.shift(self.bars.close))

    def true_range(self) -> pd.Series:
        before = self.shift(self.bars.close)
        bars = self.bars
        spans = [bars.high - bars.low, (bars.high - before).abs(), (bars.low - before).abs()]
        return pd.concat(spans, axis=1).max(axis=1, skipna=False)

    def typical(self) -> pd.Series:
        return (self.bars.high + self.bars.low + self.bars.close) / 3


def rsi(p: Pandas) -> pd.Series:
    step = p.bars.close - p.shift(p.bars.close)
    up, down = p.ema(step.clip(lower=0), alpha=1 / 14), p.ema(-step.clip(upper=0), alpha=1 / 14)
    return 100 * up / (up + down)


def macd(p: Pandas) -> pd.Series:
    line = p.ema(p.bars.close, span=12) - p.ema(p.bars.close, span=26)
    return (line - p.ema(line, span=9)) / p.bars.close


def stochastic(p: Pandas) -> pd.Series:
    low, high = p.flat(p.roll(p.bars.low, 14).min()), p.flat(p.roll(p.bars.high, 14).max())
    return p.mean(100 * (p.bars.close - low) / (high - low), 3)


def cci(p: Pandas) -> pd.Series:
    typical = p.typical()

    def deviation(values: Any) -> float:
        return float(np.abs(values - values.mean()).mean())

    spread = p.flat(p.roll(typical, 20).apply(deviation, raw=True))
    return (typical - p.mean(typical, 20)) / (0.015 * spread)


def mfi(p: Pandas) -> pd.Series:
    typical = p.typical()
    flow, step = typical * p.bars.volume, typical - p.shift(typical)
    up = p.flat(p.roll(flow.where(step > 0, 0.0), 14).sum())
    down = p.flat(p.roll(flow.where(step < 0, 0.0), 14).sum())
    return 100 * up / (up + down)


def adx(p: Pandas) -> pd.Series:
    up = p.bars.high - p.shift(p.bars.high)
    down = p.shift(p.bars.low) - p.bars.low
    rise, fall = up.where((up > down) & (up > 0), 0.0), down.where((down > up) & (down > 0), 0.0)
    span = p.ema(p.true_range(), alpha=1 / 14)
    plus, minus = p.ema(rise, alpha=1 / 14) / span, p.ema(fall, alpha=1 / 14) / span
    return p.ema(100 * (plus - minus).abs() / (plus + minus), alpha=1 / 14)


def bands(p: Pandas, part: str) -> pd.Series:
    middle = p.mean(p.bars.close, 20)
    width = 2 * p.flat(p.roll(p.bars.close, 20).std(ddof=0))
    if part == "width":
        return 2 * width / middle
    return (p.bars.close - middle) / width


def range_volatility(p: Pandas, kind: str) -> pd.Series:
    bars = p.bars
    span = np.log(bars.high / bars.low)
    if kind == "parkinson":
        square = span**2 / (4 * np.log(2))
    elif kind == "garman_klass":
        square = 0.5 * span**2 - (2 * np.log(2) - 1) * np.log(bars.close / bars.open) ** 2
    else:
        square = np.log(bars.high / bars.close) * np.log(bars.high / bars.open) + np.log(
            bars.low / bars.close
        ) * np.log(bars.low / bars.open)
    return np.sqrt(p.mean(square, 21))


def downside(p: Pandas) -> pd.Series:
    return np.sqrt(p.mean(p.log_return().clip(upper=0) ** 2, 21))


def amihud(p: Pandas) -> pd.Series:
    moved = (p.bars.close / p.shift(p.bars.close) - 1).abs()
    return p.mean(moved / (p.bars.close * p.bars.volume) * 1e6, 21)


def correlation(p: Pandas) -> pd.Series:
    table = pd.DataFrame({"a": p.bars.close / p.shift(p.bars.close) - 1, "b": p.bars.volume})
    by = table.groupby(p.names, sort=False)
    found = [part["a"].rolling(21).corr(part["b"]) for _, part in by]
    return pd.concat(found).sort_index()


def zscore(p: Pandas, column: pd.Series, bars: int) -> pd.Series:
    return (column - p.mean(column, bars)) / p.flat(p.roll(column, bars).std())


def returns(bars: int) -> Column:
    return lambda p: p.bars.close / p.shift(p.bars.close, bars) - 1


def sma(bars: int) -> Column:
    return lambda p: p.bars.close / p.mean(p.bars.close, bars) - 1


def ema(bars: int) -> Column:
    return lambda p: p.bars.close / p.ema(p.bars.close, span=bars) - 1


def extreme(bars: int, name: str) -> Column:
    def found(p: Pandas) -> pd.Series:
        rolled = p.roll(p.bars[name], bars)
        return p.bars.close / p.flat(rolled.max() if name == "high" else rolled.min()) - 1

    return found


def declared() -> dict[str, tuple[dict[str, Any], Column]]:
    """Every feature: as ours declares it, and as pandas computes it."""
    found: dict[str, tuple[dict[str, Any], Column]] = {}
    for bars in (1, 5, 10, 21, 63):
        found[f"return_{bars}"] = {"kind": "return", "bars": bars}, returns(bars)
    for bars in (10, 20, 50):
        found[f"sma_{bars}"] = {"kind": "sma_ratio", "bars": bars}, sma(bars)
    for bars in (10, 20):
        found[f"ema_{bars}"] = {"kind": "ema_ratio", "bars": bars}, ema(bars)
    for bars in (20, 63):
        found[f"high_{bars}"] = (
            {"kind": "distance_from_high", "bars": bars},
            extreme(bars, "high"),
        )
        found[f"low_{bars}"] = {"kind": "distance_from_low", "bars": bars}, extreme(bars, "low")
    for bars in (10, 21, 63):
        found[f"realised_{bars}"] = (
            {"kind": "realised", "bars": bars},
            lambda p, bars=bars: p.flat(p.roll(p.log_return(), bars).std()),
        )
    for kind in ("parkinson", "garman_klass", "rogers_satchell"):
        found[kind] = (
            {"kind": kind, "bars": 21},
            lambda p, kind=kind: range_volatility(p, kind),
        )
    found |= {
        "log_return": (
            {"kind": "log_return", "bars": 21},
            lambda p: np.log(p.bars.close / p.shift(p.bars.close, 21)),
        ),
        "gap": ({"kind": "gap"}, lambda p: p.bars.open / p.shift(p.bars.close) - 1),
        "range": (
            {"kind": "bar_range"},
            lambda p: (p.bars.high - p.bars.low) / p.bars.close,
        ),
        "sma_cross": (
            {"kind": "sma_cross", "fast": 20, "slow": 50},
            lambda p: p.mean(p.bars.close, 20) / p.mean(p.bars.close, 50) - 1,
        ),
        "ema_cross": (
            {"kind": "ema_cross", "fast": 12, "slow": 26},
            lambda p: p.ema(p.bars.close, span=12) / p.ema(p.bars.close, span=26) - 1,
        ),
        "macd": ({"kind": "macd", "part": "histogram"}, macd),
        "rsi": ({"kind": "rsi", "bars": 14}, rsi),
        "stochastic": ({"kind": "stochastic", "part": "k"}, stochastic),
        "cci": ({"kind": "cci", "bars": 20}, cci),
        "mfi": ({"kind": "mfi", "bars": 14}, mfi),
        "natr": (
            {"kind": "natr", "bars": 14},
            lambda p: 100 * p.ema(p.true_range(), alpha=1 / 14) / p.bars.close,
        ),
        "adx": ({"kind": "adx", "bars": 14}, adx),
        "bands": ({"kind": "bollinger_position"}, lambda p: bands(p, "position")),
        "width": ({"kind": "bollinger_width"}, lambda p: bands(p, "width")),
        "zscore": ({"kind": "zscore", "bars": 20}, lambda p: zscore(p, p.bars.close, 20)),
        "downside": ({"kind": "downside", "bars": 21}, downside),
        "volume": (
            {"kind": "volume_ratio", "bars": 21},
            lambda p: p.bars.volume / p.mean(p.bars.volume, 21),
        ),
        "volume_z": (
            {"kind": "volume_zscore", "bars": 21},
            lambda p: zscore(p, p.bars.volume, 21),
        ),
        "amihud": ({"kind": "amihud", "bars": 21}, amihud),
        "volume_price": ({"kind": "volume_price_correlation", "bars": 21}, correlation),
        "rank": (
            {"kind": "rank", "of": "return_5"},
            lambda p: (
                returns(5)(p).groupby(p.bars.ts).rank() - 0.5
            ) / returns(5)(p).groupby(p.bars.ts).transform("count"),
        ),
    }  # fmt: skip
    return found


TALIB: dict[str, Callable[[Series], Any]] = {
    **{
        f"return_{bars}": (lambda s, bars=bars: talib.ROCP(s.close, bars))
        for bars in (1, 5, 10, 21, 63)
    },
    **{f"sma_{bars}": (lambda s, b=bars: s.close / talib.SMA(s.close, b) - 1) for bars in (10, 20, 50)},  # noqa: E501 - a table
    **{f"ema_{bars}": (lambda s, b=bars: s.close / talib.EMA(s.close, b) - 1) for bars in (10, 20)},
    **{f"high_{bars}": (lambda s, b=bars: s.close / talib.MAX(s.high, b) - 1) for bars in (20, 63)},
    **{f"low_{bars}": (lambda s, b=bars: s.close / talib.MIN(s.low, b) - 1) for bars in (20, 63)},
    "sma_cross": lambda s: talib.SMA(s.close, 20) / talib.SMA(s.close, 50) - 1,
    "ema_cross": lambda s: talib.EMA(s.close, 12) / talib.EMA(s.close, 26) - 1,
    "macd": lambda s: talib.MACD(s.close)[2] / s.close,
    "rsi": lambda s: talib.RSI(s.close, 14),
    "stochastic": lambda s: talib.STOCH(s.high, s.low, s.close, 14, 3, 0, 3, 0)[0],
    "cci": lambda s: talib.CCI(s.high, s.low, s.close, 20),
    "mfi": lambda s: talib.MFI(s.high, s.low, s.close, s.volume, 14),
    "natr": lambda s: talib.NATR(s.high, s.low, s.close, 14),
    "adx": lambda s: talib.ADX(s.high, s.low, s.close, 14),
    "bands": lambda s: _position(s),
    "width": lambda s: _width(s),
}  # fmt: skip


def _position(series: Series) -> Any:
    upper, middle, _ = talib.BBANDS(series.close, 20, 2, 2)
    return (series.close - middle) / (upper - middle)


def _width(series: Series) -> Any:
    upper, middle, lower = talib.BBANDS(series.close, 20, 2, 2)
    return (upper - lower) / middle


def compiled(features: dict[str, dict[str, Any]]) -> FeatureSet:
    config = FeaturesConfig(bars="1d", declared=features)
    return compile_features(config, calendar=features_bars.CALENDAR)


def by_talib(series: list[Series], names: list[str]) -> list[Any]:
    """All features TA-Lib has, of every symbol, on both cores, as one table per symbol."""

    def one(given: Series) -> Any:
        table = np.empty((len(given), len(names)))
        with np.errstate(all="ignore"):
            for index, name in enumerate(names):
                table[:, index] = TALIB[name](given)
        return table

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, series))


def by_talib_ordered(series: list[Series], names: list[str]) -> Any:
    """The same as one table, sorted by time, then symbol: what ours leaves."""
    tables = by_talib(series, names)
    stamps = np.concatenate([one.ts for one in series])
    return np.concatenate(tables)[np.argsort(stamps, kind="stable")]


def by_pandas(table: pd.DataFrame, columns: dict[str, Column]) -> pd.DataFrame:
    given = Pandas(table)
    return pd.DataFrame({name: column(given) for name, column in columns.items()})


def seconds(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """What it took, by the clock and of processors, and what it returned."""
    began, spent = time.perf_counter(), time.process_time()
    done = work()
    return time.perf_counter() - began, time.process_time() - spent, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--bars", type=int, default=756)
    parser.add_argument("--minutes", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    series = features_bars.walks(given.symbols, given.bars, minutes=given.minutes)
    table = features_bars.table(series)
    every = declared()
    ours, of_talib = compiled({name: one for name, (one, _) in every.items()}), sorted(TALIB)
    ours_of_talib = compiled({name: every[name][0] for name in of_talib})
    columns = {name: column for name, (_, column) in every.items()}
    kinds = ("ours", "pandas", "ours_of_talib", "talib", "talib_ordered")
    best, cpu = dict.fromkeys(kinds, np.inf), dict.fromkeys(kinds, np.inf)
    for number in range(given.rounds):
        found: dict[str, Any] = {}
        runs: dict[str, Callable[[], Any]] = {
            "ours": lambda: compute(ours, series),
            "ours_of_talib": lambda: compute(ours_of_talib, series),
            "talib": lambda: by_talib(series, of_talib),
            "talib_ordered": lambda: by_talib_ordered(series, of_talib),
        }
        if not number:
            runs["pandas"] = lambda: by_pandas(table, columns)
        for name, work in runs.items():
            took, spent, found[name] = seconds(work)
            best[name], cpu[name] = min(best[name], took), min(cpu[name], spent)
        if not number:
            agreeing = agreement(found["ours"], found["pandas"], table)
    rows = given.symbols * given.bars
    for name, share in sorted(agreeing.items()):
        if share < 1:
            sys.stdout.write(f"{name} agrees with pandas at {share:.4%} of the rows\n")
    for name in kinds:
        sys.stdout.write(f"{name:14s} {best[name]:7.2f} s {cpu[name]:7.2f} processor s\n")
    sys.stdout.write(
        "ours in addition to talib: prices checked, nan where nothing moved, rounding kept inside "
        "windows, one table in order of time (talib_ordered has the last, too)\n"
        f"SUMMARY symbols={given.symbols} bars={given.bars} features={len(ours)} "
        f"ours_seconds={best['ours']:.2f} pandas_seconds={best['pandas']:.2f} "
        f"pandas_over_ours={best['pandas'] / best['ours']:.1f} talib_features={len(of_talib)} "
        f"ours_of_talib_seconds={best['ours_of_talib']:.2f} talib_seconds={best['talib']:.2f} "
        f"ours_over_talib={best['ours_of_talib'] / best['talib']:.2f} "
        f"ours_over_talib_ordered={best['ours_of_talib'] / best['talib_ordered']:.2f} "
        f"cpu_pandas_over_ours={cpu['pandas'] / cpu['ours']:.1f} "
        f"cpu_ours_over_talib={cpu['ours_of_talib'] / cpu['talib']:.2f} "
        f"cpu_ours_over_talib_ordered={cpu['ours_of_talib'] / cpu['talib_ordered']:.2f} "
        f"ns_per_value={best['ours'] / rows / len(ours) * 1e9:.0f} "
        f"agree={sum(one >= 0.9999 for one in agreeing.values())}\n"
    )


def agreement(frame: Any, other: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    """Return the share of rows after the warm-up at which pandas has the same to 1e-6."""
    ordered = other.assign(ts=table["ts"], symbol=table["symbol"]).sort_values(["ts", "symbol"])
    place = table.groupby("symbol").cumcount().loc[ordered.index].to_numpy()
    warm = place >= WARM_UP
    found = {}
    for index, name in enumerate(frame.names):
        mine, theirs = frame.x[warm, index], ordered[name].to_numpy()[warm]
        near = np.isclose(mine, theirs, rtol=1e-6, atol=1e-9, equal_nan=True)
        found[name] = float(near.mean())
    return found


if __name__ == "__main__":
    main()
