import datetime as dt
import shutil
from pathlib import Path

import pytest

from tests.integration.history.history_samples import (
    DAY_BARS,
    MINUTE_BARS,
    bars,
    daily_bars,
    minute_bars,
    ns,
)
from tradingd.config.store import StoreConfig
from tradingd.domain.market import ActionKind, CorporateAction, DataKind
from tradingd.history.compact import compact
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three symbols, minutes around the clock of eight days, one begins later."""
    store = Store(tmp_path_factory.mktemp("feed"), StoreConfig(row_group_rows=1_000))
    with store.batch("test") as batch:
        batch.bars(MINUTE_BARS, "AAA", minute_bars("2013-11-25T00:01:00", 8 * 1440))
        batch.bars(MINUTE_BARS, "BBB", minute_bars("2013-11-25T00:01:00", 8 * 1440, 50))
        batch.bars(MINUTE_BARS, "CCC", minute_bars("2013-12-01T00:01:00", 1440, 20))
        batch.bars(DAY_BARS, "AAA", daily_bars(["2013-11-28", "2013-11-29"], ["1", "2"]))
    return store


def stamps_of(feed) -> list[tuple[int, str]]:
    return [
        (stamp, symbol)
        for chunk in feed.chunks()
        for symbol, stamp in zip(
            chunk.table.column("symbol").to_pylist(),
            chunk.table.column("ts_event").cast("int64").to_pylist(),
            strict=True,
        )
    ]


@pytest.mark.parametrize("chunk_rows", [1_000, 7_777, 100_000])
def test_chunks_of_any_size_hold_every_row_once_in_time_order(
    store: Store, chunk_rows: int
) -> None:
    feed = store.feed(
        ["BBB", "AAA", "CCC"], MINUTE_BARS, None, None, chunk_rows=chunk_rows, sessions=None
    )
    end, rows = 0, 0
    for chunk in feed.chunks():
        stamps = chunk.table.column("ts_event").cast("int64").to_numpy()
        keys = list(zip(chunk.table.column("symbol").to_pylist(), stamps.tolist(), strict=True))
        assert keys == sorted(keys)
        assert 0 < len(keys) <= chunk_rows
        assert (chunk.start_ns, chunk.end_ns) == (stamps.min(), stamps.max())
        assert chunk.start_ns > end
        end, rows = chunk.end_ns, rows + len(keys)
    assert rows == feed.rows() == 2 * 8 * 1440 + 1440
    assert feed.symbols() == ["AAA", "BBB", "CCC"]


def test_chunk_size_does_not_change_what_is_streamed(store: Store) -> None:
    small, large = (
        sorted(
            stamps_of(
                store.feed(["AAA", "CCC"], MINUTE_BARS, None, None, chunk_rows=rows, sessions=None)
            )
        )
        for rows in (1_000, 1_000_000)
    )
    assert small == large


def test_regular_sessions_are_cut_exactly_with_holiday_weekend_and_half_day(store: Store) -> None:
    feed = store.feed(
        ["AAA"], MINUTE_BARS, None, None, chunk_rows=1_000, sessions=SessionCalendar()
    )
    days: dict[dt.date, int] = {}
    for stamp, _ in stamps_of(feed):
        day = dt.datetime.fromtimestamp(stamp / 1e9, dt.UTC).date()
        days[day] = days.get(day, 0) + 1
    # Mon, Tue, Wed; Thanksgiving closed; half day 210 minutes; weekend; Monday
    november, december = (lambda day: dt.date(2013, 11, day)), (lambda day: dt.date(2013, 12, day))
    assert days == {
        november(25): 390,
        november(26): 390,
        november(27): 390,
        november(29): 210,
        december(2): 390,
    }
    assert feed.rows() == 4 * 390 + 210


def test_daily_bars_pass_the_session_cut_as_they_are(store: Store) -> None:
    feed = store.feed(["AAA"], DAY_BARS, None, None, chunk_rows=1_000, sessions=SessionCalendar())
    assert feed.rows() == 2  # the first one lies on Thanksgiving


def test_a_range_of_days_is_inclusive_and_drops_symbols_without_rows(store: Store) -> None:
    day = dt.date(2013, 11, 26)
    feed = store.feed(
        ["AAA", "CCC"], MINUTE_BARS, day, day, chunk_rows=1_000, sessions=SessionCalendar()
    )
    assert feed.symbols() == ["AAA"]
    assert feed.rows() == 390
    assert stamps_of(feed)[0][0] == ns("2013-11-26T14:31:00")


def test_a_range_outside_every_session_is_refused_before_the_first_chunk(store: Store) -> None:
    thanksgiving = dt.date(2013, 11, 28)
    with pytest.raises(Failure) as refusal:
        store.feed(
            ["AAA"],
            MINUTE_BARS,
            thanksgiving,
            thanksgiving,
            chunk_rows=1_000,
            sessions=SessionCalendar(),
        )
    assert refusal.value.code is ExitCode.EMPTY_RANGE


def fingerprint(store: Store, **changes: object) -> str:
    arguments = {"start": None, "end": None, "sessions": None, **changes}
    return store.feed(["AAA", "BBB"], MINUTE_BARS, chunk_rows=1_000, **arguments).fingerprint()


def test_a_fingerprint_follows_content_not_place_or_files(store: Store, tmp_path: Path) -> None:
    shutil.copytree(store.root, tmp_path / "copy")
    assert fingerprint(Store(tmp_path / "copy")) == fingerprint(store)
    halves = Store(tmp_path / "halves")
    for symbol, price in (("BBB", 50), ("AAA", 100)):
        whole = minute_bars("2013-11-25T00:01:00", 8 * 1440, price)
        for part in (whole.slice(5_000), whole.slice(0, 5_000)):
            with halves.batch("parts") as batch:
                batch.bars(MINUTE_BARS, symbol, part)
    assert fingerprint(halves) == fingerprint(store)
    assert compact(halves).files_after < 4
    assert fingerprint(halves) == fingerprint(store)


def test_a_fingerprint_changes_with_a_price_a_range_the_sessions_or_an_action(
    store: Store, tmp_path: Path
) -> None:
    shutil.copytree(store.root, tmp_path / "copy")
    copy = Store(tmp_path / "copy")
    found = {
        fingerprint(store),
        fingerprint(store, start=dt.date(2013, 11, 26)),
        fingerprint(store, sessions=SessionCalendar()),
    }
    with copy.batch("one") as batch:
        batch.bars(MINUTE_BARS, "AAA", bars([ns("2013-11-27T15:00:00")], ["7"]))
    found.add(fingerprint(copy))
    with copy.batch("two") as batch:
        batch.actions([split("AAA", "2013-11-27")])
    found.add(fingerprint(copy))
    assert len(found) == 5


def split(symbol: str, day: str) -> CorporateAction:
    return CorporateAction(
        symbol=symbol,
        ex_date=dt.date.fromisoformat(day),
        kind=ActionKind.SPLIT,
        numerator=2,
        denominator=1,
    )


@pytest.mark.parametrize("adjusted", [False, True])
def test_actions_fit_the_prices_that_are_streamed(tmp_path: Path, adjusted: bool) -> None:
    dividend = CorporateAction(
        symbol="AAA",
        ex_date=dt.date(2014, 6, 3),
        kind=ActionKind.DIVIDEND,
        amount=1_000_000_000,
    )
    outside = split("AAA", "2014-07-01")
    store = Store(tmp_path)
    with store.batch("test", adjusted=adjusted) as batch:
        days = ["2014-06-02", "2014-06-03", "2014-06-04", "2014-06-05"]
        batch.bars(DAY_BARS, "AAA", daily_bars(days, ["100", "100", "50", "50"]))
        batch.actions([dividend, split("AAA", "2014-06-04"), outside])
    feed = store.feed(["AAA"], DAY_BARS, None, None, chunk_rows=1_000, sessions=None)
    seen = [(one.kind, one.numerator, one.amount) for one in feed.actions()]
    if adjusted:
        # both later splits, 2 for 1 each, are in the prices: one dollar became a quarter
        assert seen == [(ActionKind.DIVIDEND, 1, 250_000_000)]
    else:
        assert seen == [(ActionKind.DIVIDEND, 1, 1_000_000_000), (ActionKind.SPLIT, 2, 0)]
    assert [one.symbol for one in feed.instruments()] == ["AAA"]


def test_reading_a_symbol_after_a_feed_sees_the_same_rows(store: Store) -> None:
    feed = store.feed(["CCC"], MINUTE_BARS, None, None, chunk_rows=100_000, sessions=None)
    [chunk] = feed.chunks()
    table = store.read(DataKind.BARS, "CCC", MINUTE_BARS)
    assert chunk.table.drop_columns("symbol").equals(table.drop_columns("ts_init"))
