"""Features of real bars: against published vectors, other libraries, and bar by bar."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import talib

from tradingd.config.features import FeaturesConfig
from tradingd.config.source import LeanSource
from tradingd.domain.feed import Batch, MarketBar, Quote
from tradingd.domain.market import DataKind, Resolution
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.features.store_series import read_series
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.sources.make import make_source

pytestmark = pytest.mark.real_data

CALENDAR = SessionCalendar()
PRICES = ("open", "high", "low", "close")
DECLARED: dict[str, dict[str, Any]] = {
    "return_5": {"kind": "return", "bars": 5},
    "roc": {"kind": "roc", "bars": 10},
    "gap": {"kind": "gap"},
    "momentum": {"kind": "momentum_skip", "bars": 60, "skip": 10},
    "sma": {"kind": "sma_ratio", "bars": 20},
    "sma_cross": {"kind": "sma_cross", "fast": 10, "slow": 40},
    "ema": {"kind": "ema_ratio", "bars": 20},
    "macd": {"kind": "macd"},
    "macd_signal": {"kind": "macd", "part": "signal"},
    "macd_histogram": {"kind": "macd", "part": "histogram"},
    "adx": {"kind": "adx"},
    "plus_di": {"kind": "plus_di"},
    "minus_di": {"kind": "minus_di"},
    "aroon_up": {"kind": "aroon", "bars": 14, "part": "up"},
    "aroon_down": {"kind": "aroon", "bars": 14, "part": "down"},
    "trix": {"kind": "trix", "bars": 15},
    "price_channel": {"kind": "price_channel"},
    "rsi": {"kind": "rsi"},
    "stochastic": {"kind": "stochastic"},
    "stochastic_d": {"kind": "stochastic", "part": "d"},
    "williams_r": {"kind": "williams_r"},
    "cci": {"kind": "cci"},
    "mfi": {"kind": "mfi"},
    "obv_slope": {"kind": "obv_slope"},
    "bop": {"kind": "balance_of_power"},
    "position": {"kind": "bollinger_position"},
    "width": {"kind": "bollinger_width"},
    "zscore": {"kind": "zscore"},
    "natr": {"kind": "natr"},
    "atr_ratio": {"kind": "atr_ratio"},
    "from_high": {"kind": "distance_from_high", "bars": 60},
    "from_low": {"kind": "distance_from_low", "bars": 60},
}


@pytest.fixture(scope="module")
def feature_set() -> FeatureSet:
    return compile_features(FeaturesConfig(declared=DECLARED), calendar=CALENDAR)


def series_of(symbol: str, ts: Any, table: pd.DataFrame) -> Series:
    where = place(ts, CALENDAR)
    return Series(
        symbol=symbol,
        ts=ts,
        session=where.session,
        minute=where.minute,
        to_close=where.to_close,
        **{name: table[name].to_numpy(np.float64).copy() for name in (*PRICES, "volume")},
    )


def live_rows(feature_set: FeatureSet, moments: list[tuple[Batch, list[Quote]]]) -> dict[Any, Any]:
    symbols = {bar.symbol for batch, _ in moments for bar in batch.bars}
    live = LiveFeatures(feature_set, sorted(symbols))
    rows = {}
    for batch, quotes in moments:
        for quote in quotes:
            live.observe_quote(quote)
        live.observe(batch)
        for bar in batch.bars:
            rows[bar.symbol, batch.ts] = live.row(bar.symbol).copy()
    return rows


def bar_of(series: Series, row: int) -> MarketBar:
    prices = (round(float(getattr(series, name)[row]) * 1e9) for name in PRICES)
    return MarketBar(series.symbol, *prices, int(series.volume[row]))


def moments_of(all_series: list[Series]) -> list[tuple[Batch, list[Quote]]]:
    told: dict[int, list[MarketBar]] = {}
    for one in all_series:
        for row in range(len(one)):
            told.setdefault(int(one.ts[row]), []).append(bar_of(one, row))
    return [(Batch(ts, tuple(bars)), []) for ts, bars in sorted(told.items())]


def assert_same(feature_set: FeatureSet, all_series: list[Series], rows: dict[Any, Any]) -> None:
    frame = compute(feature_set, all_series)
    assert len(frame) == len(rows)
    names = [frame.symbols[number] for number in frame.symbol]
    live = np.array([rows[name, int(ts)] for name, ts in zip(names, frame.ts, strict=True)])
    for number, name in enumerate(feature_set.names):
        np.testing.assert_allclose(
            live[:, number], frame.x[:, number], rtol=1e-9, atol=1e-12, err_msg=name
        )


def test_spy_equals_the_reference_vectors_of_ta_lib(
    real_data: Path, feature_set: FeatureSet
) -> None:
    prices = pd.read_csv(real_data / "oracles" / "ttr" / "spy_2019_2021_ohlcv.csv")
    prices.columns = prices.columns.str.lower()
    theirs = pd.read_csv(real_data / "oracles" / "talib" / "talib_reference.csv")
    closes = [one.close_ns for one in CALENDAR.sessions[7300 : 7300 + len(prices)]]
    one = series_of("SPY", np.array(closes, np.int64), prices)
    frame = compute(feature_set, [one])
    ours = dict(zip(frame.names, frame.x.T, strict=True))
    close = one.close
    expected = {
        "sma": close / theirs["SMA20"] - 1,
        "ema": close / theirs["EMA20"] - 1,
        "rsi": theirs["RSI14"],
        "natr": theirs["NATR14"],
        "adx": theirs["ADX14"],
        "mfi": theirs["MFI14"],
        "cci": theirs["CCI20"],
        "williams_r": theirs["WILLR14"],
        "roc": theirs["ROC10"],
        "trix": theirs["TRIX15"],
        "macd": theirs["MACD"] / close,
        "macd_signal": theirs["MACDsig"] / close,
        "macd_histogram": theirs["MACDhist"] / close,
        "width": (theirs["BBU"] - theirs["BBL"]) / theirs["BBM"],
        "position": 2 * (close - theirs["BBL"]) / (theirs["BBU"] - theirs["BBL"]) - 1,
        "stochastic": theirs["STOK"],
        "stochastic_d": theirs["STOD"],
        "aroon_up": theirs["AROONU"],
        "aroon_down": theirs["AROOND"],
        "bop": theirs["BOP"],
    }
    for name, values in expected.items():
        known = values.notna().to_numpy()
        assert known.sum() > 500, name
        # Twelve printed digits: of a price, or of an index around 100.
        np.testing.assert_allclose(
            ours[name][known], values.to_numpy()[known], rtol=1e-8, atol=3e-9, err_msg=name
        )


@pytest.fixture(scope="module")
def days(real_data: Path) -> list[Series]:
    """Some symbols of the S&P 500 with their dirt: rows that cannot be are left out."""
    table = pq.read_table(real_data / "sp500" / "sp500_daily_2013_2016.parquet").to_pandas()
    table = table[table[list(PRICES)].gt(0).all(axis=1)].sort_values("date")
    found = []
    for name in ("AAPL", "AMD", "CHTR", "EBAY", "GOOGL", "KMI", "REGN", "T"):
        rows = table[table["name"] == name]
        closes = [CALENDAR.on(day) for day in rows["date"].dt.date]
        ts = np.array([one.close_ns if one else -1 for one in closes], np.int64)
        found.append(series_of(name, ts[ts > 0], rows[ts > 0]))
    return found


def test_real_days_bar_by_bar_equal_the_batch(days: list[Series], feature_set: FeatureSet) -> None:
    assert_same(feature_set, days, live_rows(feature_set, moments_of(days)))


def test_real_days_equal_pandas_and_ta_lib(days: list[Series], feature_set: FeatureSet) -> None:
    frame = compute(feature_set, days)
    for one in days:
        ours = dict(zip(frame.names, frame.x[frame.of(one.symbol)].T, strict=True))
        close, high, low = (pd.Series(getattr(one, name)) for name in ("close", "high", "low"))
        mean, deviation = close.rolling(20).mean(), close.rolling(20).std()
        top, bottom = high.rolling(20).max().shift(1), low.rolling(20).min().shift(1)
        signed = np.sign(close.diff()).fillna(0.0) * one.volume
        # As floats, moves of equal ticks differ by chance and TA-Lib sees a direction in them.
        whole = [np.rint(getattr(one, name) * 1e4) for name in ("high", "low", "close")]
        slope = talib.LINEARREG_SLOPE(signed.cumsum().to_numpy(), 20)
        expected = {
            "return_5": close.pct_change(5),
            "gap": pd.Series(one.open) / close.shift(1) - 1,
            "momentum": close.shift(10) / close.shift(60) - 1,
            "sma": close / mean - 1,
            "sma_cross": close.rolling(10).mean() / close.rolling(40).mean() - 1,
            "zscore": (close - mean) / deviation,
            "position": (close - mean) / (2 * close.rolling(20).std(ddof=0)),
            "price_channel": (close - bottom) / (top - bottom),
            "from_high": close / high.rolling(60).max() - 1,
            "from_low": close / low.rolling(60).min() - 1,
            "obv_slope": slope / pd.Series(one.volume).rolling(20).mean(),
            "plus_di": pd.Series(talib.PLUS_DI(*whole, 14)),
            "adx": pd.Series(talib.ADX(*whole, 14)),
            "atr_ratio": pd.Series(
                talib.ATR(one.high, one.low, one.close, 5)
                / talib.ATR(one.high, one.low, one.close, 20)
            ),
        }
        for name, values in expected.items():
            np.testing.assert_allclose(
                ours[name], values, rtol=1e-7, atol=1e-8, err_msg=f"{one.symbol} {name}"
            )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Store:
    """Daily bars of AAPL with its splits, minute bars and quotes of AIG."""
    store = Store(tmp_path_factory.mktemp("features") / "store")
    source = make_source(LeanSource(path=str(real_data / "lean"), symbols=("AAPL", "AIG")))
    with store.batch("lean") as batch:
        for task in source.tasks():
            for symbol, table in task.load():
                if task.kind is DataKind.QUOTES and symbol == "AIG":
                    batch.quotes(symbol, table)
                elif task.resolution in (Resolution.DAY, Resolution.MINUTE):
                    batch.bars(task.resolution, symbol, table)
        batch.actions(source.actions())
    return store


def test_stored_minutes_bar_by_bar_equal_the_batch(store: Store, feature_set: FeatureSet) -> None:
    minutes = read_series(store, ["AAPL", "AIG"], "1m", calendar=CALENDAR)
    assert all((one.session >= 0).all() for one in minutes)
    assert_same(feature_set, minutes, live_rows(feature_set, moments_of(minutes)))


def test_stored_days_are_restated_for_splits_as_the_daemon_restates_them(
    store: Store, feature_set: FeatureSet
) -> None:
    (one,) = read_series(store, ["AAPL"], "1d", calendar=CALENDAR)
    splits = [action for action in store.actions(["AAPL"]) if action.numerator != 1]
    assert len(splits) >= 3
    live = LiveFeatures(feature_set, ["AAPL"])
    raw = store.read(DataKind.BARS, "AAPL", Resolution.DAY).to_pylist()
    rows = []
    for bar, ts in zip(raw, one.ts.tolist(), strict=True):
        while splits and local_midnight_ns(splits[0].ex_date) < ts:
            if rows:
                live.split("AAPL", splits[0].numerator, splits[0].denominator)
            splits.pop(0)
        prices = (int(bar[name].scaleb(9)) for name in PRICES)
        live.observe(Batch(ts, (MarketBar("AAPL", *prices, bar["volume"]),)))
        rows.append(live.row("AAPL").copy())
    batch = compute(feature_set, [one]).x
    for number, name in enumerate(feature_set.names):
        np.testing.assert_allclose(
            np.array(rows)[:, number], batch[:, number], rtol=1e-8, atol=1e-10, err_msg=name
        )
    # From the last split on both compute from the same bits.
    last = int(np.flatnonzero(one.ts > local_midnight_ns(store.actions(["AAPL"])[-1].ex_date))[0])
    np.testing.assert_allclose(np.array(rows)[last:], batch[last:], rtol=1e-9, atol=1e-12)


def test_the_quote_beside_a_bar_is_the_last_one_before_it(store: Store) -> None:
    (one,) = read_series(store, ["AIG"], "1m", calendar=CALENDAR, quotes=True)
    assert one.bid is not None
    assert one.ask is not None
    assert one.bid_size is not None
    quotes = store.read(DataKind.QUOTES, "AIG").to_pandas()
    stamps = quotes["ts_event"].astype("int64").to_numpy()
    for row in (0, 100, len(one) - 1):
        last = int(np.searchsorted(stamps, one.ts[row], side="right")) - 1
        assert one.bid[row] == float(quotes["bid"][last])
        assert one.bid_size[row] == float(quotes["bid_size"][last])
    assert (one.ask >= one.bid).mean() > 0.99
