import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.quality.check import FINDINGS_SHOWN, check
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars, Quotes, to_table

CALENDAR = SessionCalendar()
SESSIONS = CALENDAR.between(dt.date(2014, 1, 2), dt.date(2014, 12, 31))
DOLLAR = 10**9


def daily(rows: slice = slice(None)) -> pa.Table:
    ts = np.array([one.close_ns for one in SESSIONS], dtype=np.int64)[rows]
    close = (100 + np.arange(len(ts)) % 5) * DOLLAR
    volume = np.full(len(ts), 1_000)
    return to_table(Bars(ts, close, close + DOLLAR, close - DOLLAR, close, volume))


def crossed_quotes(days: int) -> pa.Table:
    ts = np.array([one.open_ns + 1 for one in SESSIONS[:days]], dtype=np.int64)
    bid = np.full(days, 101 * DOLLAR)
    size = np.ones(days, dtype=np.int64)
    return to_table(Quotes(ts, bid, bid - 10**7, size, size))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    with store.batch("test") as batch:
        batch.bars(Resolution.DAY, "WHOLE", daily())
        batch.bars(Resolution.DAY, "HOLED", daily(slice(None, None, 2)))
        batch.quotes("HOLED", crossed_quotes(days=FINDINGS_SHOWN + 5))
    return store


def test_the_whole_store_is_checked_and_counted(store: Store) -> None:
    seen: list[int] = []
    report = check(store, CALENDAR, advance=seen.append)
    assert sum(seen) == report.series == 3
    # 252 sessions of 2014, every second of them, and 25 quotes.
    assert report.rows == 252 + 126 + 25
    # The last of the even rows is session 250, so 125 single sessions lie between.
    assert report.counts == {"crossed_quote": 25, "missing_session": 125}
    assert report.errors == 25


def test_findings_beyond_the_limit_are_counted_only(store: Store) -> None:
    report = check(store, CALENDAR)
    assert report.total == 150
    assert len(report.findings) == 2 * FINDINGS_SHOWN
    crossed = [one for one in report.findings if one.rule == "crossed_quote"]
    assert [one.ts for one in crossed] == [one.open_ns + 1 for one in SESSIONS[:FINDINGS_SHOWN]]
    assert {(one.symbol, one.kind, one.resolution) for one in crossed} == {
        ("HOLED", DataKind.QUOTES, None)
    }


def test_a_symbol_can_be_checked_alone(store: Store) -> None:
    report = check(store, CALENDAR, symbols=["WHOLE"], strict=True)
    assert (report.series, report.total) == (1, 0)


def test_strict_turns_errors_into_a_failure_that_names_the_first(store: Store) -> None:
    with pytest.raises(Failure) as caught:
        check(store, CALENDAR, strict=True)
    assert caught.value.code is ExitCode.QUALITY
    assert caught.value.what == "25 quality errors"
    assert "crossed_quote" in caught.value.found
    assert "\n" not in caught.value.line()


def test_strict_lets_warnings_pass(store: Store) -> None:
    store = Store(store.root)
    with store.batch("test") as batch:
        batch.bars(Resolution.DAY, "GAPS", daily(slice(None, None, 2)))
    report = check(store, CALENDAR, symbols=["GAPS"], strict=True)
    assert report.counts == {"missing_session": 125}


def test_an_unknown_symbol_is_refused_with_the_nearest_name(store: Store) -> None:
    with pytest.raises(Failure) as caught:
        check(store, CALENDAR, symbols=["WHOEL"])
    assert caught.value.code is ExitCode.UNKNOWN_SYMBOL
    assert "WHOLE" in caught.value.next_step


def test_an_empty_store_has_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        check(Store(tmp_path), CALENDAR)
    assert caught.value.code is ExitCode.NO_DATA
