"""The whole of the real data folder through the sources, the store and the quality check."""

import csv
import datetime as dt
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tradingd.config.source import LeanSource, SampleSource, TabularSource
from tradingd.domain.market import ActionKind, DataKind, Resolution
from tradingd.domain.money import decimal
from tradingd.domain.ports import Source
from tradingd.history.store import Store
from tradingd.quality.check import check
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Quotes
from tradingd.sources.lean.archive import read_csv_member
from tradingd.sources.lean.layout import data_files
from tradingd.sources.lean.parsing import parse
from tradingd.sources.make import make_source

pytestmark = pytest.mark.real_data

CALENDAR = SessionCalendar()


def fill(root: Path, source: Source, *, adjusted: bool = False) -> Store:
    store = Store(root)
    with store.batch(source.name, adjusted=adjusted) as batch:
        for task in source.tasks():
            with batch.unit():
                for symbol, table in task.load():
                    if task.resolution is not None:
                        batch.bars(task.resolution, symbol, table)
                    elif task.kind is DataKind.QUOTES:
                        batch.quotes(symbol, table)
                    else:
                        batch.trades(symbol, table)
        batch.actions(source.actions())
        batch.reference(source.reference())
    return store


@pytest.fixture(scope="module")
def lean(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    source = make_source(LeanSource(path=str(real_data / "lean")))
    return fill(tmp_path_factory.mktemp("lean"), source)


def sp500(real_data: Path) -> Source:
    return make_source(
        TabularSource(
            path=str(real_data / "sp500" / "sp500_daily_2013_2016.parquet"),
            columns={"symbol": "name", "ts_event": "date"},
            adjusted=True,
            skip_invalid=True,
        )
    )


def sessions_of_minutes(store: Store) -> Iterator[tuple[str, dt.date, list[tuple[object, ...]]]]:
    """Yield symbol, day and (open, close, volume) from minutes and from the daily bar."""
    sessions = [(one.day, one.open_ns, one.close_ns) for one in CALENDAR.sessions]
    with store.connect() as connection:
        connection.execute("create temp table regular (day DATE, opens BIGINT, closes BIGINT)")
        wanted = [one for one in sessions if 2013 <= one[0].year <= 2015]
        connection.executemany("insert into regular values (?, ?, ?)", wanted)
        rows = connection.execute(
            """
            with minutes as (
                select symbol, day, closes, arg_min(open, ts_event) as first,
                       arg_max(close, ts_event) as last, sum(volume) as volume,
                       max(epoch_ns(ts_event)) as last_ts
                from bars join regular on epoch_ns(ts_event) > opens
                                      and epoch_ns(ts_event) <= closes
                where resolution = '1m' group by all
            )
            select minutes.symbol, day, first, last, minutes.volume, daily.open, daily.close,
                   daily.volume
            from minutes join bars as daily
              on daily.symbol = minutes.symbol and epoch_ns(daily.ts_event) = closes
             and daily.resolution = '1d'
            order by all
            """
        ).fetchall()
    for symbol, day, *values in rows:
        yield symbol, day, [tuple(values[:3]), tuple(values[3:])]


def test_regular_minutes_reproduce_the_daily_open_and_close(lean: Store) -> None:
    days = list(sessions_of_minutes(lean))
    # AAPL 2, AIG, BAC, IBM and SPY 6 each, GOOG 2, TFCFA (as NWSA and FOXA) 4; TWX has no
    # daily file.
    assert len(days) == 32
    for symbol, day, (minutes, daily) in days:
        assert minutes[:2] == daily[:2], (symbol, day)


def test_regular_minutes_reproduce_the_daily_volume_of_the_main_symbols(lean: Store) -> None:
    found = [one for one in sessions_of_minutes(lean) if one[0] in ("SPY", "BAC", "AAPL")]
    assert len(found) == 14
    for symbol, day, (minutes, daily) in found:
        assert minutes[2] == daily[2], (symbol, day)


def test_a_half_day_is_stamped_at_its_early_close(lean: Store) -> None:
    bars = lean.read(DataKind.BARS, "SPY", Resolution.DAY, dt.date(2014, 7, 3), dt.date(2014, 7, 3))
    assert bars["ts_event"].to_pylist() == [dt.datetime.fromisoformat("2014-07-03T17:00")]


def test_the_split_of_apple_leaves_no_jump_in_the_adjusted_view(lean: Store) -> None:
    (split,) = [
        one
        for one in lean.actions(["AAPL"])
        if one.kind is ActionKind.SPLIT and one.ex_date.year == 2014
    ]
    assert (split.ex_date, split.numerator, split.denominator) == (dt.date(2014, 6, 9), 7, 1)
    span = dt.date(2014, 6, 6), dt.date(2014, 6, 9)
    raw, adjusted = (
        lean.read(DataKind.BARS, "AAPL", Resolution.DAY, *span, adjust=how)["close"].to_pylist()
        for how in ("none", "split")
    )
    assert raw == [Decimal("645.57"), Decimal("93.7")]
    # 645.57 / 7 = 92.2243, and the session made 1.6 % of it; the later 4:1 divides both alike.
    assert float(adjusted[1] / adjusted[0]) == pytest.approx(93.7 * 7 / 645.57, abs=1e-6)


def test_apples_dividends_are_the_published_ones(lean: Store) -> None:
    paid = {
        one.ex_date.isoformat(): decimal(one.amount)
        for one in lean.actions(["AAPL"])
        if one.kind is ActionKind.DIVIDEND
    }
    published = {
        "2012-08-09": "2.65",
        "2013-05-09": "3.05",
        "2014-05-08": "3.29",
        "2014-08-07": "0.47",
        "2015-05-07": "0.52",
        "2020-08-07": "0.82",
        "2020-11-06": "0.205",
    }
    assert {day: paid[day] for day in published} == {
        day: Decimal(amount) for day, amount in published.items()
    }


def test_two_independent_files_give_the_same_dividends(lean: Store) -> None:
    def dividends(actions: list[tuple[str, dt.date, int]], symbol: str) -> dict[dt.date, int]:
        return {day: amount for name, day, amount in actions if name == symbol}

    def listed(source: Source | Store) -> list[tuple[str, dt.date, int]]:
        return [
            (one.symbol, one.ex_date, one.amount)
            for one in source.actions()
            if one.kind is ActionKind.DIVIDEND
            and dt.date(2000, 3, 1) < one.ex_date <= dt.date(2013, 3, 1)
        ]

    stored, packaged = listed(lean), listed(make_source(SampleSource()))
    for symbol in ("AAPL", "IBM"):
        assert dividends(stored, symbol) == dividends(packaged, symbol)


def test_files_of_a_ticker_are_filed_under_the_security_of_their_day(lean: Store) -> None:
    def span(symbol: str) -> tuple[str, str]:
        days = lean.read(DataKind.BARS, symbol, Resolution.DAY)["ts_event"].to_pylist()
        return str(days[0].date()), str(days[-1].date())

    # daily/goog.zip until 2014-04-02 and daily/googl.zip from the next day are one company.
    assert span("GOOGL") == ("2004-08-19", "2021-03-31")
    assert span("GOOG") == ("2014-03-27", "2021-03-31")
    # USA Waste (uw), Waste Management (wmi, wm); the letters WM were Washington Mutual before.
    assert span("WM") == ("1998-01-02", "2021-03-31")
    assert span("WM.1") == ("1998-12-09", "2008-09-26")
    # BankAmerica until it was bought by NationsBank, which took the letters.
    assert span("BAC.1") == ("1998-01-02", "1998-09-30")
    assert span("TFCFA") == ("2013-06-27", "2013-07-02")


def test_the_factor_files_refer_to_the_closes_of_the_security(lean: Store, real_data: Path) -> None:
    """The last column of a factor row is a close: it proves which security a file holds."""
    compared = 0
    for name in ("aapl", "bac", "goog", "googl", "ibm", "spy", "wm"):
        bars = lean.read(DataKind.BARS, name.upper(), Resolution.DAY)
        closes = {
            time.date(): close
            for time, close in zip(
                bars["ts_event"].to_pylist(), bars["close"].to_pylist(), strict=True
            )
        }
        path = real_data / "lean" / "factor_files" / f"{name}.csv"
        with path.open(newline="") as stream:
            for day, _, _, reference in csv.reader(stream):
                date = dt.date.fromisoformat(day)
                if date in closes and Decimal(reference) > 1:
                    compared += 1
                    assert abs(closes[date] - Decimal(reference)) < Decimal("0.02"), (name, day)
    assert compared > 300


def test_the_closing_quote_of_a_minute_is_the_last_one_of_its_seconds(real_data: Path) -> None:
    """So leaving out coarser quotes loses nothing."""
    files = {file.label: file for file in data_files(real_data / "lean")}

    def quotes(label: str) -> Quotes:
        rows = parse(read_csv_member(files[label].path, label), files[label], CALENDAR).rows
        assert isinstance(rows, Quotes)
        return rows

    for day in ("20131007", "20131008", "20131009", "20131010", "20131011"):
        minutes, seconds = (
            quotes(f"minute/spy/{day}_quote.zip"),
            quotes(f"second/spy/{day}_quote.zip"),
        )
        last = np.searchsorted(seconds.ts, minutes.ts, side="right") - 1
        assert len(minutes.ts) > 890
        assert (seconds.bid[last] == minutes.bid).all()
        assert (seconds.ask[last] == minutes.ask).all()


def test_the_check_of_the_whole_folder_finds_no_error_but_one(lean: Store) -> None:
    report = check(lean, CALENDAR)
    errors = [one for one in report.findings if one.severity == "error"]
    # Washington Mutual really split 3:2 that day, and no factor file of it is there.
    assert [(one.symbol, one.rule) for one in errors] == [("WM.1", "suspected_split")]
    assert errors[0].detail.startswith("53.28 to 35.55 overnight looks like a split of 3:2")
    assert report.errors == 1


def test_the_dirt_of_the_index_set_is_left_out_and_counted(real_data: Path, tmp_path: Path) -> None:
    source = sp500(real_data)
    store = fill(tmp_path, source, adjusted=True)
    (task,) = source.tasks()
    list(task.load())
    assert task.skipped == {
        "close_outside_range": 8,
        "high_below_low": 1,
        "missing_value": 10,
        "open_outside_range": 3,
    }
    report = check(store, CALENDAR)
    # 479,878 rows less the 22 left out.
    assert (report.series, report.rows) == (499, 479_856)
    # 37 holes are the rows left out (10 + 12, neighbours joined) and what the set itself lacks.
    assert report.counts["missing_session"] == 37
    errors = [(one.symbol, one.rule) for one in report.findings if one.severity == "error"]
    # PayPal left eBay on 2015-07-20: 66.29 to 26.89 with the volume of a 5:2 split.
    assert errors == [("EBAY", "suspected_split")]


def test_earnings_come_through_a_csv_of_the_database(real_data: Path, tmp_path: Path) -> None:
    database = f"file:{real_data / 'earnings' / 'earnings.db'}?mode=ro"
    connection = sqlite3.connect(database, uri=True)
    rows = connection.execute("select Ticker, Earnings_Date from earnings").fetchall()
    connection.close()
    path = tmp_path / "earnings.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("Ticker", "Earnings_Date"), *rows])
    names = {"symbol": "Ticker", "date": "Earnings_Date"}
    config = TabularSource(path=str(path), data="earnings", columns=names)
    earnings = make_source(config).reference().earnings
    assert len(rows) == 36_845
    assert len(earnings) == 505
    assert sum(len(days) for days in earnings.values()) == len(set(rows))
    assert earnings["A"][0] == dt.date(2003, 8, 18)
