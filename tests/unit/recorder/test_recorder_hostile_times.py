"""The rule of snapshots under times as feeds tell them at their worst, against a plain loop."""

import asyncio
import datetime as dt
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tests.fakes.recording import column, recording, snapshots, statistics, until
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import Quality
from tradingd.recorder.recorder import Recorder
from tradingd.session.calendar import local_date, local_midnight_ns

MILLI = 1_000_000
UNIT = 100_000
"""Nanos in a stored unit of price."""

MIDNIGHTS = [
    local_midnight_ns(dt.date(2025, 3, 10)),  # after a day of 23 hours
    local_midnight_ns(dt.date(2025, 11, 3)),  # after one of 25
    local_midnight_ns(dt.date(2025, 4, 4)),
]

STEPS = st.tuples(
    st.sampled_from(["AAA", "AAA", "AAA", "AAA", "BBB"]),
    st.sampled_from([0, 0, 1, 7, 49, 50, 51, 400]),
    st.booleans(),
    st.integers(0, 3),
)


def rows_of(
    events: list[DepthEvent], symbol: str, end: int, step: int, *, on_change: bool
) -> list[tuple[int, bool, int]]:
    """Return (time, on change, bid in Nanos) of every row, one record after the other."""
    mine = [one for one in events if one.symbol == symbol]
    rows, shown, at = [], None, 0
    if not mine:
        return rows
    state: DepthEvent | None = None
    grid = -(-mine[0].ts_recv // step) * step
    while grid <= end:
        while at < len(mine) and mine[at].ts_recv <= grid:
            event = mine[at]
            at += 1
            if not event.closes:
                continue
            state = event
            if on_change and event.book(20) != shown:
                shown = event.book(20)
                rows.append((event.ts_recv, True, shown[0]))
        if state is not None:
            shown = state.book(20)
            rows.append((grid, False, shown[0]))
        grid += step
    return rows


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=50),
    midnight=st.sampled_from(MIDNIGHTS),
    interval=st.sampled_from([50, 250]),
    on_change=st.booleans(),
    levels=st.sampled_from([1, 20]),
)
def test_equal_times_open_ends_midnights_and_uneven_symbols_change_nothing(
    tmp_path_factory, steps, midnight, interval, on_change, levels
):
    root: Path = tmp_path_factory.mktemp("books")
    ts = midnight - 2 * SECOND + 1
    events = []
    for symbol, wait, closes, bid in steps:
        ts += wait * MILLI
        book = ladder(1_000 + bid, 1_010, levels=20)
        events.append(record(symbol, ts, book, closes=closes))
    end = (ts // (interval * MILLI) + 3) * interval * MILLI

    async def go() -> None:
        feed = HandFeed()
        how = {"interval_ms": interval, "on_change": on_change, "levels": levels}
        async with recording(root, feed, symbols=("AAA", "BBB"), flush_seconds=0.01, **how):
            for one in events:
                feed.tell(one)
                await asyncio.sleep(0)
            feed.listener.reached(end)

    asyncio.run(go())
    for symbol in ("AAA", "BBB"):
        wanted = rows_of(events, symbol, end, interval * MILLI, on_change=on_change)
        assert files_of(root, symbol) == [(t, c, bid // UNIT) for t, c, bid in wanted]


def files_of(root: Path, symbol: str) -> list[tuple[int, bool, int]]:
    rows = []
    for path in sorted((root / symbol).glob("*_snapshots_*.parquet")):
        table = pq.read_table(path)
        times = column(table, "ts")
        assert {local_date(one).isoformat() for one in times} == {path.name[:10]}
        rows += zip(times, column(table, "on_change"), column(table, "bid_px_00"), strict=True)
    return rows


def test_a_time_that_goes_back_is_late_only_behind_a_row_that_was_taken(tmp_path):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND
    tenth = SECOND // 10

    async def go() -> None:
        feed = HandFeed()
        async with recording(tmp_path, feed) as recorder:
            feed.tell(record("AAA", start + 1, ladder(1000, 1010)))
            feed.tell(record("AAA", start + tenth + 50, ladder(1001, 1010)))
            feed.tell(record("AAA", start + tenth + 40, ladder(1002, 1010)))
            feed.tell(record("AAA", start + tenth - 5, ladder(1003, 1010)))
            feed.listener.reached(start + 2 * tenth)
            assert recorder.view().late == 1

    asyncio.run(go())
    table = snapshots(tmp_path)
    assert column(table, "bid_px_00") == [100_000, 100_300]
    assert column(table, "events") == [1, 3]


def test_a_gap_between_two_rows_marks_the_second_and_no_other(tmp_path):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND

    async def go() -> None:
        feed = HandFeed()
        async with recording(tmp_path, feed, interval_ms=50, levels=20, on_change=True):
            feed.tell(record("AAA", start, ladder(1000, 1010)))
            feed.listener.reached(start + 100 * MILLI)
            feed.tell(DepthGap(symbol="AAA", ts=start + 120 * MILLI, reason="dropped", lost=3))
            feed.tell(record("AAA", start + 130 * MILLI, ladder(1001, 1010)))
            feed.listener.reached(start + 200 * MILLI)

    asyncio.run(go())
    table = snapshots(tmp_path)
    marked = [
        ts - start
        for ts, bits in zip(column(table, "ts"), column(table, "quality"), strict=True)
        if bits & Quality.GAP
    ]
    assert marked == [130 * MILLI]
    assert statistics(tmp_path)[0]["totals"]["dropped"] == 3


def test_a_flood_of_drops_is_one_alert_and_its_rest_is_told_at_the_end(tmp_path):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND
    alerts = []

    async def go() -> None:
        feed = HandFeed()
        async with recording(tmp_path, feed, alerts=alerts):
            feed.tell(record("AAA", start, ladder(1000, 1010)))
            for _ in range(100):
                feed.tell(DepthGap(symbol="AAA", ts=start, reason="dropped", lost=3))

    asyncio.run(go())
    assert [one.key for one in alerts] == ["recorder.dropped"] * 2
    assert [one.title.split("dropped ")[1] for one in alerts] == ["3 records", "297 records"]
    totals = statistics(tmp_path)[0]["totals"]
    assert (totals["dropped"], totals["dropped_by"]["feed"]) == (300, 300)


def served(recorder: Recorder) -> list[str]:
    return [one.symbol for one in recorder.view().recording]


def test_a_minute_is_sixty_seconds_of_data_and_the_next_in_line_has_its_own(tmp_path):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND

    async def go() -> None:
        feed = HandFeed()
        how = {"symbols": ("AAA", "BBB"), "max_streams": 1, "minutes": 1, "interval_ms": 1_000}
        async with recording(tmp_path, feed, **how) as recorder:
            for second in range(0, 150):
                for symbol in feed.subscribed:
                    feed.tell(record(symbol, start + second * SECOND, ladder(1000, 1010)))
                await until(lambda: served(recorder) == feed.subscribed)

    asyncio.run(go())
    assert column(snapshots(tmp_path, "AAA"), "ts")[::59] == [start, start + 59 * SECOND]
    times = column(snapshots(tmp_path, "BBB"), "ts")
    assert len(times) == 60
    assert times[-1] - times[0] == 59 * SECOND


def test_releases_while_flushing_and_two_stops_at_once_lose_nothing(tmp_path):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND

    async def go() -> None:
        feed = HandFeed()
        how = {"symbols": ("AAA", "BBB"), "flush_seconds": 0.001, "linger": True}
        async with recording(tmp_path, feed, **how) as recorder:
            for tenth in range(40):
                for symbol in tuple(feed.subscribed):
                    feed.tell(record(symbol, start + tenth * 100 * MILLI, ladder(1000, 1010)))
                await asyncio.sleep(0.001)
                if tenth == 20:
                    await asyncio.gather(recorder.release("AAA"), recorder.release("AAA"))
            stops = [asyncio.create_task(recorder.stop()) for _ in range(2)]
            done, _ = await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
            assert done
            # Whichever stop is the first to return: the files are there.
            assert snapshots(tmp_path, "BBB").num_rows == 39
            await asyncio.wait(stops)

    asyncio.run(go())
    assert snapshots(tmp_path, "AAA").num_rows == 20


def test_a_capture_that_cannot_be_published_is_a_failure_and_the_next_start_publishes_it(
    tmp_path,
):
    start = MIDNIGHTS[2] + 10 * 3_600 * SECOND
    root = tmp_path / "level2"

    async def go() -> None:
        feed = HandFeed()
        async with recording(root, feed, flush_seconds=0.01) as recorder:
            feed.tell(record("AAA", start, ladder(1000, 1010)))
            feed.listener.reached(start + SECOND)
            await until(lambda: recorder.view().flushes)
            # In the way of the published file: the compaction cannot have its name.
            (root / "AAA" / "2025-04-04_snapshots_100000.parquet" / "x").mkdir(parents=True)

    with pytest.raises(Failure, match="captures of AAA are written, and could not be") as failed:
        asyncio.run(go())
    assert failed.value.code is ExitCode.STORE_WRITE
    (root / "AAA" / "2025-04-04_snapshots_100000.parquet" / "x").rmdir()
    (root / "AAA" / "2025-04-04_snapshots_100000.parquet").rmdir()

    async def again() -> None:
        async with recording(root, HandFeed()):
            pass

    asyncio.run(again())
    assert snapshots(root).num_rows == 11
