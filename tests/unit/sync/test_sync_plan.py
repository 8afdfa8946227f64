import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.integration.history.history_samples import daily_bars, minute_bars
from tradingd.app.sync.plan import least_rows, missing, runs, sessions_of
from tradingd.config.sync import SyncConfig
from tradingd.domain.market import Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
D = dt.date


def wall(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def days(config: SyncConfig, now: str) -> tuple[D, D]:
    found = sessions_of(config, CALENDAR, wall(now))
    return found[0].day, found[-1].day


def planned(store: Store, config: SyncConfig, *symbols: str) -> list[tuple[str, D, D]]:
    sessions = sessions_of(config, CALENDAR, wall("2013-12-01T00:00:00+00:00"))
    return [
        (one.symbol, one.sessions[0].day, one.sessions[-1].day)
        for one in missing(config, store, symbols, sessions)
    ]


def test_a_session_counts_once_it_is_over_and_settled() -> None:
    config = SyncConfig(days=7)
    before, after = "2024-01-03T21:59:00+00:00", "2024-01-03T22:00:00+00:00"
    assert days(config, before)[1] == D(2024, 1, 2)
    assert days(config, after)[1] == D(2024, 1, 3)


def test_a_half_day_is_over_earlier() -> None:
    assert days(SyncConfig(), "2023-11-24T19:00:00+00:00")[1] == D(2023, 11, 24)


def test_the_range_looks_back_or_is_stated() -> None:
    assert days(SyncConfig(days=3), "2024-01-05T23:00:00+00:00") == (D(2024, 1, 2), D(2024, 1, 5))
    stated = SyncConfig(start=D(2024, 1, 3), end=D(2024, 1, 4))
    assert days(stated, "2024-02-01T00:00:00+00:00") == (D(2024, 1, 3), D(2024, 1, 4))


def test_a_range_without_a_session_is_refused() -> None:
    config = SyncConfig(start=D(2024, 1, 13), end=D(2024, 1, 15))
    with pytest.raises(Failure) as caught:
        sessions_of(config, CALENDAR, wall("2024-02-01T00:00:00+00:00"))
    assert caught.value.code is ExitCode.EMPTY_RANGE


def test_missing_sessions_come_as_runs_and_in_pieces(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.batch("test") as batch:
        batch.bars(Resolution.DAY, "SPY", daily_bars(["2013-10-09", "2013-10-10"], ["1", "2"]))
    config = SyncConfig(start=D(2013, 10, 7), end=D(2013, 10, 18), task_sessions=4)
    assert planned(store, config, "QQQ", "SPY") == [
        ("QQQ", D(2013, 10, 7), D(2013, 10, 10)),
        ("QQQ", D(2013, 10, 11), D(2013, 10, 16)),
        ("QQQ", D(2013, 10, 17), D(2013, 10, 18)),
        ("SPY", D(2013, 10, 7), D(2013, 10, 8)),
        ("SPY", D(2013, 10, 11), D(2013, 10, 16)),
        ("SPY", D(2013, 10, 17), D(2013, 10, 18)),
    ]


def test_a_session_with_too_few_minutes_is_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.batch("test") as batch:
        batch.bars(Resolution.MINUTE, "SPY", minute_bars("2013-10-07T13:31:00", 100))
    config = SyncConfig(resolution="1m", start=D(2013, 10, 7), end=D(2013, 10, 7))
    assert planned(store, config, "SPY") == []
    strict = SyncConfig(
        resolution="1m", start=D(2013, 10, 7), end=D(2013, 10, 7), min_session_coverage=50
    )
    assert planned(store, strict, "SPY") == [("SPY", D(2013, 10, 7), D(2013, 10, 7))]


def test_bars_outside_the_session_do_not_make_it_complete(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.batch("test") as batch:
        batch.bars(Resolution.MINUTE, "SPY", minute_bars("2013-10-07T10:00:00", 30))
    config = SyncConfig(resolution="1m", start=D(2013, 10, 7), end=D(2013, 10, 7))
    assert len(planned(store, config, "SPY")) == 1


def test_the_last_sessions_are_looked_at_again_when_wanted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.batch("test") as batch:
        batch.bars(Resolution.DAY, "SPY", daily_bars(["2013-10-09", "2013-10-10"], ["1", "2"]))
    config = SyncConfig(start=D(2013, 10, 9), end=D(2013, 10, 10), refresh=1)
    assert planned(store, config, "SPY") == [("SPY", D(2013, 10, 10), D(2013, 10, 10))]


def test_a_half_day_needs_fewer_bars() -> None:
    sessions = CALENDAR.between(D(2023, 11, 22), D(2023, 11, 24))
    assert least_rows(sessions, Resolution.MINUTE, 50).tolist() == [195.0, 105.0]
    assert least_rows(sessions, Resolution.DAY, 50).tolist() == [1.0, 1.0]


def test_runs_are_the_stretches_of_true() -> None:
    wanted = np.array([True, True, False, True, False])
    assert list(runs(wanted)) == [[0, 1], [3]]
