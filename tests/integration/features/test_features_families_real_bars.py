"""The families on real bars: equal to published vectors, and bar by bar as over the arrays."""

import csv
import datetime as dt
import io
import sqlite3
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tradingd.config.features import FeaturesConfig
from tradingd.features.catalogue import KINDS
from tradingd.features.compile import compile_features
from tradingd.features.feature import Feature
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.sessions import place
from tradingd.session.calendar import SessionCalendar

pytestmark = pytest.mark.real_data

CALENDAR = SessionCalendar()
FAMILIES = {
    "volatility",
    "volume",
    "relative_volume",
    "session",
    "microstructure",
    "calendar",
    "events",
}
MINE = [kind for kind, path in KINDS.items() if path.partition(":")[0] in FAMILIES]
SMALL = {
    "relative_volume": {"sessions": 2},
    "volatility_of_volatility": {"inner": 5, "bars": 10},
    "volatility_ratio": {"fast": 5, "slow": 30},
}
COLUMNS = ("ts", "open", "high", "low", "close", "volume", "session", "minute", "to_close")
QUOTES = ("bid", "ask", "bid_size", "ask_size")


def feature(kind: str, every: str, earnings: dict[str, tuple[dt.date, ...]] | None = None,
            **params: object) -> Feature:  # fmt: skip
    config = FeaturesConfig(bars=every, declared={"it": {"kind": kind, **params}})  # type: ignore[arg-type]
    return compile_features(config, calendar=CALENDAR, earnings=earnings).columns[0]


def made(symbol: str, ts: np.ndarray, columns: dict[str, Floats]) -> Series:
    where = place(ts, CALENDAR)
    places = {"session": where.session, "minute": where.minute, "to_close": where.to_close}
    return Series(symbol=symbol, ts=ts, **columns, **places)


def step_by_step(one: Feature, series: Series) -> Floats:
    nothing = np.full(len(series), np.nan)
    rows = [getattr(series, name).tolist() for name in COLUMNS]
    rows += [
        (nothing if (column := getattr(series, name)) is None else column).tolist()
        for name in QUOTES
    ]
    update = one.live_of(series.symbol).update
    return np.array([update(LiveBar(*row)) for row in zip(*rows, strict=True)])


# Published vectors


@pytest.fixture(scope="module")
def spy(request: pytest.FixtureRequest) -> tuple[Series, pl.DataFrame]:
    folder = request.getfixturevalue("real_data") / "oracles" / "ttr"
    bars = pl.read_csv(folder / "spy_2019_2021_ohlcv.csv", infer_schema_length=None)
    answers = pl.read_csv(folder / "ttr_reference.csv", infer_schema=False)
    days = [dt.datetime.strptime(str(day), "%Y%m%d").date() for day in bars["date"]]  # noqa: DTZ007
    closes = [session.close_ns for day in days if (session := CALENDAR.on(day)) is not None]
    assert len(closes) == len(days)
    columns = {
        name: bars[name].cast(pl.Float64).to_numpy()
        for name in ("open", "high", "low", "close", "volume")
    }
    return made("SPY", np.array(closes), columns), answers


@pytest.mark.parametrize(
    ("kind", "bars", "column"),
    [
        ("realised", 19, "close"),
        ("parkinson", 20, "parkinson"),
        ("garman_klass", 20, "garman_klass"),
        ("rogers_satchell", 20, "rogers_satchell"),
        ("yang_zhang", 20, "yang_zhang"),
    ],
)
def test_volatilities_are_those_of_the_ttr_package(
    spy: tuple[Series, pl.DataFrame], kind: str, bars: int, column: str
) -> None:
    series, answers = spy
    annual = feature(kind, "1d", bars=bars).batch(series) * np.sqrt(252.0)
    wanted = answers[column].str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
    known = np.isfinite(wanted)
    assert known.sum() > 500
    np.testing.assert_allclose(annual[known], wanted[known], rtol=1e-11)


# Bar by bar


def lean_rows(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.reader(io.TextIOWrapper(archive.open(archive.namelist()[0]))))


def lean_minutes(folder: Path, symbol: str) -> Series:
    """Minute bars with the quote standing at their end, pre- and post-market included."""
    stamps: list[int] = []
    trades: list[list[float]] = []
    quotes: dict[int, tuple[float, float, float, float]] = {}
    for path in sorted(folder.glob("*_trade.zip")):
        midnight = dt.datetime.strptime(path.name[:8], "%Y%m%d").replace(
            tzinfo=ZoneInfo("America/New_York")
        )
        start = int(midnight.timestamp()) * 1_000_000_000 + 60_000_000_000
        for row in lean_rows(path):
            stamps.append(start + int(row[0]) * 1_000_000)
            trades.append([int(one) / 1e4 for one in row[1:5]] + [float(row[5])])
        for row in lean_rows(path.with_name(path.name.replace("trade", "quote"))):
            if row[4] and row[9]:
                bid, ask = int(row[4]) / 1e4, int(row[9]) / 1e4
                quotes[start + int(row[0]) * 1_000_000] = (bid, ask, float(row[5]), float(row[10]))
    table = np.array(trades)
    standing = np.array([quotes.get(ts, (np.nan,) * 4) for ts in stamps])
    names = ("open", "high", "low", "close", "volume", *QUOTES)
    columns = dict(zip(names, np.hstack([table, standing]).T.copy(), strict=True))
    return made(symbol.upper(), np.array(stamps), columns)


@pytest.fixture(scope="module", params=["spy", "aig", "bac"])
def intraday(request: pytest.FixtureRequest) -> Series:
    symbol = request.param
    return lean_minutes(request.getfixturevalue("real_data") / "lean" / "minute" / symbol, symbol)


@pytest.mark.parametrize("kind", MINE)
def test_real_minutes_tell_the_same_bar_by_bar(intraday: Series, kind: str) -> None:
    assert (intraday.session < 0).any()
    day = dt.date(2013, 10, 24)
    one = feature(kind, "1m", {intraday.symbol: (day,)}, **SMALL.get(kind, {}))
    with np.errstate(all="ignore"):
        batch = one.batch(intraday)
    np.testing.assert_allclose(step_by_step(one, intraday), batch, rtol=1e-9, atol=1e-12)
    assert np.isfinite(batch).mean() > 0.3 or kind == "days_since_earnings"


@pytest.fixture(scope="module")
def index_members(request: pytest.FixtureRequest) -> list[Series]:
    """Every fiftieth member, days with a missing or impossible price left out."""
    path = request.getfixturevalue("real_data") / "sp500" / "sp500_daily_2013_2016.parquet"
    table = pq.read_table(path)
    found = []
    for name in sorted(set(table["name"].to_pylist()))[::50]:
        rows = table.filter(pc.equal(table["name"], name)).sort_by("date").drop_null()
        days = [moment.date() for moment in rows["date"].to_pylist()]
        sessions = [CALENDAR.on(day) for day in days]
        keep = np.array([one is not None for one in sessions])
        ts = np.array([one.close_ns for one in sessions if one is not None])
        columns = {
            column: rows[column].to_numpy().astype(np.float64)[keep]
            for column in ("open", "high", "low", "close", "volume")
        }
        found.append(made(name, ts, columns))
    return found


@pytest.fixture(scope="module")
def earnings(request: pytest.FixtureRequest) -> dict[str, tuple[dt.date, ...]]:
    path = request.getfixturevalue("real_data") / "earnings" / "earnings.db"
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as base:
        rows = base.execute("SELECT Ticker, Earnings_Date FROM earnings").fetchall()
    base.close()
    dates: dict[str, set[dt.date]] = {}
    for ticker, date in rows:
        dates.setdefault(ticker, set()).add(dt.date.fromisoformat(date[:10]))
    return {ticker: tuple(sorted(held)) for ticker, held in dates.items()}


@pytest.mark.parametrize("kind", MINE)
def test_real_days_tell_the_same_bar_by_bar(
    index_members: list[Series], earnings: dict[str, tuple[dt.date, ...]], kind: str
) -> None:
    assert len(index_members) == 10
    one = feature(kind, "1d", earnings, **SMALL.get(kind, {}))
    for series in index_members:
        with np.errstate(all="ignore"):
            batch = one.batch(series)
        found = step_by_step(one, series)
        np.testing.assert_allclose(found, batch, rtol=1e-9, atol=1e-12, err_msg=series.symbol)


def test_real_announcements_fall_into_a_rhythm_of_quarters(
    index_members: list[Series], earnings: dict[str, tuple[dt.date, ...]]
) -> None:
    to = feature("days_to_earnings", "1d", earnings, sessions=63)
    since = feature("days_since_earnings", "1d", earnings, sessions=63)
    known = [one for one in index_members if one.symbol in earnings]
    assert len(known) >= 8
    for series in known:
        quarter = to.batch(series) + since.batch(series)
        assert 40 <= np.nanmedian(quarter) <= 70


# An independent library


def test_volatility_and_volume_equal_polars(index_members: list[Series]) -> None:
    for series in index_members:
        table = pl.DataFrame(
            {name: getattr(series, name) for name in ("open", "high", "low", "close", "volume")}
        )
        extent = (pl.col("high") / pl.col("low")).log() ** 2
        move = (pl.col("close") / pl.col("open")).log() ** 2
        klass = (0.5 * extent - (2 * np.log(2) - 1) * move).clip(lower_bound=0.0)
        asked = {
            "realised": (pl.col("close") / pl.col("close").shift(1)).log().rolling_std(20),
            "parkinson": (extent.rolling_mean(20) / (4 * np.log(2))).sqrt(),
            "garman_klass": klass.rolling_mean(20).sqrt(),
            "volume_ratio": pl.col("volume") / pl.col("volume").rolling_mean(20),
            "volume_zscore": (pl.col("volume") - pl.col("volume").rolling_mean(20))
            / pl.col("volume").rolling_std(20),
        }
        wanted = table.select(**asked)
        for kind in asked:
            found = feature(kind, "1d", bars=20).batch(series)
            theirs = wanted[kind].fill_null(np.nan).to_numpy()
            np.testing.assert_allclose(found, theirs, rtol=1e-7, atol=1e-9, err_msg=kind)
