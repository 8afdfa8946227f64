"""What a snapshot shows, on the data clock; the recorder is driven by hand."""

import asyncio
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.depth_feed import SECOND, HandFeed, ladder, record
from tests.fakes.recording import (
    WALL,
    column,
    message_logs,
    recording,
    snapshots,
    statistics,
    unfinished,
    until,
)
from tradingd.domain.depth import DepthGap
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import Quality, snapshot_schema
from tradingd.session.calendar import local_midnight_ns

TENTH = SECOND // 10
T = WALL


def told(tmp_path, *events, end: int | None = None, **settings):
    """Record what is told from first to last, then read it."""

    async def go():
        feed = HandFeed()
        async with recording(tmp_path, feed, **settings):
            feed.tell(*events)
            if end is not None:
                feed.listener.reached(end)

    asyncio.run(go())
    return snapshots(tmp_path)


def test_a_snapshot_shows_the_last_record_received_at_or_before_it(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T + 1, ladder(1000, 1001)),
        record("AAA", T + TENTH, ladder(1002, 1003)),
        record("AAA", T + TENTH + 1, ladder(1004, 1005)),
        end=T + 2 * TENTH,
    )
    assert column(table, "ts") == [T + TENTH, T + 2 * TENTH]
    assert column(table, "bid_px_00") == [100_200, 100_400]
    assert column(table, "ts_recv") == [T + TENTH, T + TENTH + 1]
    assert column(table, "ts_event") == [T + TENTH - 1_000, T + TENTH + 1 - 1_000]
    assert column(table, "events") == [2, 1]
    assert column(table, "on_change") == [False, False]


def test_a_record_that_does_not_close_its_event_is_counted_but_not_shown(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T + 1, ladder(1000, 1001)),
        record("AAA", T + 2, ladder(900, 1001), closes=False),
        end=T + TENTH,
    )
    assert column(table, "bid_px_00") == [100_000]
    assert column(table, "events") == [2]
    assert column(table, "ts_recv") == [T + 1]


def test_there_is_no_snapshot_before_the_first_whole_book(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T + 1, ladder(1000, 1001), closes=False),
        record("AAA", T + 3 * TENTH + 1, ladder(1000, 1001)),
        end=T + 5 * TENTH,
    )
    assert column(table, "ts") == [T + 4 * TENTH, T + 5 * TENTH]


def test_a_quiet_book_goes_on_to_be_told(tmp_path):
    table = told(tmp_path, record("AAA", T, ladder(1000, 1001)), end=T + SECOND)
    assert column(table, "ts") == [T + step * TENTH for step in range(11)]
    assert column(table, "events") == [1] + [0] * 10


def test_levels_beyond_the_feeds_are_null_at_fifty_milliseconds(tmp_path):
    table = told(
        tmp_path, record("AAA", T, ladder(1000, 1001)), end=T + TENTH, levels=20, interval_ms=50
    )
    assert table.schema.remove_metadata() == snapshot_schema(20)
    assert column(table, "ts") == [T, T + TENTH // 2, T + TENTH]
    assert column(table, "ask_px_09") == [101_000] * 3
    assert column(table, "ask_px_10") == [None] * 3
    assert column(table, "bid_sz_19") == [0] * 3


def test_every_state_that_differs_is_kept_when_asked(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T + 1, ladder(1000, 1001)),
        record("AAA", T + 2, ladder(1000, 1001)),
        record("AAA", T + 3, ladder(1000, 1001, size=7)),
        record("AAA", T + 4, ladder(999, 1001), closes=False),
        end=T + TENTH,
        on_change=True,
    )
    assert column(table, "ts") == [T + 1, T + 3, T + TENTH]
    assert column(table, "on_change") == [True, True, False]
    assert column(table, "events") == [1, 2, 1]


def test_without_a_grid_only_changes_are_kept(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T + 1, ladder(1000, 1001)),
        record("AAA", T + SECOND, ladder(1000, 1002)),
        end=T + 2 * SECOND,
        on_change=True,
        interval_ms=0,
    )
    assert column(table, "ts") == [T + 1, T + SECOND]


def test_a_book_that_is_not_asked_for_is_not_read(tmp_path):
    looks: list[int] = []
    events = [
        record("AAA", T + n, ladder(1000, 1001), asked=lambda: looks.append(1)) for n in range(1000)
    ]
    told(tmp_path, *events, end=T + 5 * TENTH)
    # One for the record at the first grid time, one for the last: the rows after it show the same.
    assert len(looks) == 2


def test_lost_records_mark_the_next_snapshot_only(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T, ladder(1000, 1001)),
        DepthGap(symbol="AAA", ts=T + 1, reason="sequence", lost=3),
        end=T + 2 * TENTH,
    )
    assert [bool(one & Quality.GAP) for one in column(table, "quality")] == [False, True, False]
    (capture,) = statistics(tmp_path)[0]["captures"]
    assert capture["gaps"] == {"sequence": {"count": 1, "lost": 3}}
    assert capture["dropped"] == 3


def test_after_a_lost_connection_the_grid_waits_for_the_book_to_be_told_anew(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T, ladder(1000, 1001)),
        record("AAA", T + 1, ladder(1000, 1001)),
        DepthGap(symbol="", ts=T + 2, reason="reconnect"),
        record("AAA", T + 5 * TENTH + 1, ladder(1002, 1003)),
        end=T + 6 * TENTH,
    )
    assert column(table, "ts") == [T, T + 6 * TENTH]
    assert [bool(one & Quality.GAP) for one in column(table, "quality")] == [False, True]


def test_what_is_wrong_with_a_book_is_kept_and_counted(tmp_path):
    table = told(
        tmp_path,
        record("AAA", T, ladder(1001, 1000)),
        record("AAA", T + 1, ladder(1000, 1000), suspect=True),
        record("AAA", T + TENTH + 1, ladder(1000, None)),
        end=T + 2 * TENTH,
    )
    assert column(table, "quality") == [
        Quality.CROSSED,
        Quality.LOCKED | Quality.SUSPECT,
        Quality.NO_ASK,
    ]
    (capture,) = statistics(tmp_path)[0]["captures"]
    assert capture["quality"] == {"CROSSED": 1, "LOCKED": 1, "SUSPECT": 1, "NO_ASK": 1}


def test_a_book_that_stays_crossed_is_told_once_and_when_it_is_over(tmp_path):
    alerts = []

    async def go():
        feed = HandFeed()
        async with recording(tmp_path, feed, alerts=alerts):
            feed.tell(record("AAA", T, ladder(1001, 1000)))
            feed.listener.reached(T + 9 * SECOND)
            assert alerts == []
            feed.listener.reached(T + 30 * SECOND)
            feed.tell(record("AAA", T + 31 * SECOND, ladder(1000, 1001)))
            feed.listener.reached(T + 32 * SECOND)

    asyncio.run(go())
    assert [(one.key, one.resolved) for one in alerts] == [
        ("recorder.book.AAA", False),
        ("recorder.book.AAA", True),
    ]
    assert "crossed" in alerts[0].title


def test_a_price_that_cannot_be_stored_costs_its_row_and_is_told(tmp_path):
    alerts = []

    async def go():
        feed = HandFeed()
        async with recording(tmp_path, feed, alerts=alerts) as recorder:
            fine = ladder(1000, 1001)
            feed.tell(record("AAA", T, (fine[0] + 1, *fine[1:])))
            feed.listener.reached(T)
            feed.tell(record("AAA", T + 1, fine))
            feed.listener.reached(T + TENTH)
            assert recorder.view().unfit == 1
            assert recorder.view().buffered == 1

    asyncio.run(go())
    table = snapshots(tmp_path)
    assert column(table, "ts") == [T + TENTH]
    assert column(table, "quality") == [Quality.GAP]
    assert [one.key for one in alerts] == ["recorder.unfit.AAA"]


def test_a_capture_that_goes_on_over_midnight_begins_a_new_file(tmp_path):
    midnight = local_midnight_ns(dt.date(2025, 4, 4))
    told(
        tmp_path,
        record("AAA", midnight - TENTH, ladder(1000, 1001)),
        record("AAA", midnight + TENTH, ladder(1002, 1003)),
        end=midnight + 2 * TENTH,
    )
    names = sorted(one.name for one in (tmp_path / "AAA").glob("*.parquet"))
    assert names == [
        "2025-04-03_snapshots_235959.parquet",
        "2025-04-04_snapshots_000000.parquet",
    ]
    table = snapshots(tmp_path)
    assert column(table, "ts") == [midnight + step * TENTH for step in (-1, 0, 1, 2)]
    assert column(table, "bid_px_00") == [100_000, 100_000, 100_200, 100_200]
    assert [one["day"] for one in message_logs(tmp_path)] == ["2025-04-03", "2025-04-04"]
    assert [len(one["messages"]) for one in message_logs(tmp_path)] == [1, 1]
    assert [one["events"] for one in statistics(tmp_path)[0]["captures"]] == [1, 1]


def test_the_message_log_has_every_record_in_order(tmp_path):
    told(
        tmp_path,
        record("AAA", T, ladder(1000, 1001), sequence=7, action="C", side="A"),
        record("AAA", T + 1, ladder(1000, 1001), closes=False, suspect=True, price=None),
        record("AAA", T + 2, ladder(1000, 1001), price=15_040_050_000),
    )
    (log,) = message_logs(tmp_path)
    assert log["messages"] == [
        [T, T - 1_000, 7, "C", "A", 0, 1_000, 100, True, False],
        [T + 1, T + 1 - 1_000, 0, "A", "B", 0, None, 100, False, True],
        # Half a stored unit: rounded.
        [T + 2, T + 2 - 1_000, 0, "A", "B", 0, 150_401, 100, True, False],
    ]
    assert (log["began"], log["ended"], log["symbol"]) == (T, T + 2, "AAA")


def test_a_capture_without_its_message_log(tmp_path):
    told(tmp_path, record("AAA", T, ladder(1000, 1001)), end=T, messages=False)
    assert message_logs(tmp_path) == []
    assert statistics(tmp_path)[0]["totals"]["messages"] == 0


def test_a_live_grid_goes_on_by_the_wall_clock_and_counts_what_comes_too_late(tmp_path):
    now = [T]

    async def go():
        feed = HandFeed(replayed=False)
        async with recording(
            tmp_path, feed, wall=lambda: now[0], late_seconds=0.5, interval_ms=100
        ) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            now[0] = T + 7 * TENTH
            await until(lambda: recorder.view().rows == 3)
            feed.tell(record("AAA", T + TENTH, ladder(1002, 1003)))
            assert recorder.view().late == 1
            now[0] = T + 8 * TENTH
            await until(lambda: recorder.view().rows == 4)

    asyncio.run(go())
    table = snapshots(tmp_path)
    assert column(table, "ts") == [T + step * TENTH for step in range(4)]
    assert column(table, "bid_px_00") == [100_000] * 3 + [100_200]


def test_live_captures_are_published_at_the_days_close_and_go_on_in_another_file(tmp_path):
    evening = T + 10 * 3_600 * SECOND + 1_800 * SECOND  # 20:00 in New York
    now = [evening]

    async def go():
        feed = HandFeed(replayed=False)
        async with recording(
            tmp_path, feed, wall=lambda: now[0], late_seconds=0.5, close=dt.time(20, 10)
        ) as recorder:
            feed.tell(record("AAA", evening, ladder(1000, 1001)))
            now[0] = evening + SECOND
            await until(lambda: recorder.view().rows == 6)
            # Nothing more is told; only the wall's clock says that the day is over.
            now[0] = evening + 600 * SECOND + SECOND // 2
            await until(lambda: recorder.view().published == 1)
            assert column(snapshots(tmp_path), "ts")[-1] <= evening + 600 * SECOND
            assert not unfinished(tmp_path)
            first = column(snapshots(tmp_path), "ts")
            after = evening + 900 * SECOND
            feed.tell(
                record("AAA", after, ladder(900, 901), closes=False),
                record("AAA", after + 1, ladder(2000, 2001)),
                record("AAA", after + TENTH + 1, ladder(2000, 2001)),
            )
            return first, after

    first, after = asyncio.run(go())
    table = snapshots(tmp_path)
    assert column(table, "ts") == [*first, after + TENTH]
    assert column(table, "bid_px_00")[-1] == 200_000
    names = sorted(one.name for one in (tmp_path / "AAA").glob("*_snapshots_*"))
    assert names == ["2025-04-03_snapshots_200000.parquet", "2025-04-03_snapshots_201500.parquet"]


def test_a_live_feed_that_tells_the_past_is_not_hurried_by_the_wall_clock(tmp_path):
    async def go():
        feed = HandFeed(replayed=False)
        day = 86_400 * SECOND
        async with recording(tmp_path, feed, wall=lambda: T + day, late_seconds=0.0) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            await asyncio.sleep(0.3)
            feed.tell(record("AAA", T + TENTH + 1, ladder(1000, 1001)))
            assert recorder.view().rows == 2

    asyncio.run(go())
    assert column(snapshots(tmp_path), "ts") == [T, T + TENTH]


def test_a_machine_that_slept_catches_up_in_small_steps(tmp_path):
    now = [T]

    async def go():
        feed = HandFeed(replayed=False)
        async with recording(tmp_path, feed, wall=lambda: now[0], late_seconds=0.0) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            await until(lambda: recorder.view().rows == 1)
            now[0] = T + 20 * SECOND
            feed.listener.reached(T + 20 * SECOND)
            assert recorder.view().rows <= 60
            await until(lambda: recorder.view().rows == 201)

    asyncio.run(go())


# -- places ---------------------------------------------------------------------------------------


def test_a_symbol_that_waits_is_recorded_as_soon_as_a_stream_is_free(tmp_path):
    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, symbols=("AAA", "BBB", "CCC"), max_streams=1
        ) as recorder:
            assert feed.subscribed == ["AAA"]
            assert recorder.view().queue == ("BBB", "CCC")
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            await recorder.release("AAA")
            await until(lambda: feed.subscribed == ["BBB"])
            feed.tell(record("BBB", T + SECOND, ladder(1000, 1001)))
            feed.listener.reached(T + 2 * SECOND)
            assert recorder.ask("AAA") == "queued"
            assert recorder.view().queue == ("CCC", "AAA")

    asyncio.run(go())
    assert column(snapshots(tmp_path, "BBB"), "ts")[0] == T + SECOND
    captures = statistics(tmp_path)[0]["captures"]
    assert [one["symbol"] for one in captures] == ["AAA", "BBB"]
    assert unfinished(tmp_path) == []


def test_the_end_of_a_duration_frees_its_stream_and_the_last_ends_the_session(tmp_path):
    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, symbols=("AAA", "BBB"), max_streams=1, minutes=1, interval_ms=30_000
        ) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            feed.tell(record("AAA", T + 60 * SECOND, ladder(1002, 1003)))
            await until(lambda: feed.subscribed == ["BBB"])
            feed.tell(record("BBB", T + 61 * SECOND, ladder(1000, 1001)))
            feed.listener.reached(T + 200 * SECOND)
            await until(lambda: not recorder.view().recording)
            await until(lambda: feed.subscribed == [])

    asyncio.run(go())
    # The minute is over at its end: neither the record nor the snapshot of that moment is in it.
    assert column(snapshots(tmp_path, "AAA"), "ts") == [T, T + 30 * SECOND]
    assert column(snapshots(tmp_path, "BBB"), "ts") == [T + 90 * SECOND, T + 120 * SECOND]
    assert statistics(tmp_path)[0]["ended_by"] == "finished"


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        (lambda: HandFeed(unknown=["AAA"]), ExitCode.UNKNOWN_SYMBOL),
        (lambda: HandFeed(capacity=0), ExitCode.FEED),
    ],
    ids=["unknown", "refused"],
)
def test_a_symbol_without_a_stream_makes_way_for_the_next(tmp_path, feed, reason):
    alerts = []

    async def go():
        one = feed()
        config = {"symbols": ("AAA", "BBB"), "max_streams": 1, "alerts": alerts}
        async with recording(tmp_path, one, **config) as recorder:
            await until(lambda: "+BBB" in one.history)
            assert recorder.refusals["AAA"].code is reason

    asyncio.run(go())
    assert alerts[0].key == "recorder.refused.AAA"


def test_a_stream_that_the_vendor_takes_back_is_published_and_makes_way(tmp_path):
    async def go():
        feed = HandFeed()
        async with recording(tmp_path, feed, symbols=("AAA", "BBB"), max_streams=1) as recorder:
            feed.tell(record("AAA", T, ladder(1000, 1001)), record("AAA", T + 1, ladder(1, 2)))
            feed.tell(DepthGap(symbol="AAA", ts=T, reason="refused", detail="too many lines"))
            await until(lambda: "BBB" in feed.subscribed)
            assert "too many lines" in recorder.view().refused["AAA"]

    asyncio.run(go())
    assert column(snapshots(tmp_path), "ts") == [T]


def test_what_is_no_symbol_never_becomes_a_folder(tmp_path):
    async def go():
        async with recording(tmp_path, HandFeed()) as recorder:
            for word in ("../x", "aaa", "", "A" * 16, "A/B"):
                with pytest.raises(Failure) as refused:
                    recorder.ask(word)
                assert refused.value.code is ExitCode.UNKNOWN_SYMBOL

    asyncio.run(go())
    assert list(tmp_path.iterdir()) == []


def test_a_feed_that_fails_ends_the_session_and_what_came_is_published(tmp_path):
    alerts = []

    async def go():
        feed = HandFeed(fails=Failure("the gateway is gone", code=ExitCode.FEED))
        async with recording(tmp_path, feed, alerts=alerts):
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            feed.listener.reached(T)
            feed.end()
            await until(lambda: alerts)

    with pytest.raises(Failure, match="gateway"):
        asyncio.run(go())
    assert column(snapshots(tmp_path), "ts") == [T]
    (stats,) = statistics(tmp_path)
    assert stats["ended_by"] == "failed"
    assert "gateway" in stats["detail"]


def test_a_lost_connection_is_told_once_and_when_records_come_again(tmp_path):
    alerts = []

    async def go():
        feed = HandFeed()
        async with recording(
            tmp_path, feed, alerts=alerts, symbols=("AAA", "BBB"), flush_seconds=0.02
        ):
            for symbol in ("AAA", "BBB"):
                feed.tell(DepthGap(symbol=symbol, ts=T, reason="reconnect"))
            feed.tell(record("AAA", T, ladder(1000, 1001)))
            await until(lambda: len(alerts) == 2)

    asyncio.run(go())
    assert [one.resolved for one in alerts] == [False, True]
    assert {one.key for one in alerts} == {"recorder.feed"}


# -- the rule, against an obvious computation -----------------------------------------------------

BOOKS = st.tuples(st.integers(1, 400), st.booleans())


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    steps=st.lists(BOOKS, min_size=1, max_size=60),
    interval=st.sampled_from([50, 100, 250]),
    on_change=st.booleans(),
)
def test_every_snapshot_is_the_last_closed_state(tmp_path_factory, steps, interval, on_change):
    tmp_path = tmp_path_factory.mktemp("books")
    records = []
    ts = T + 12_345
    for number, (step, closes) in enumerate(steps):
        ts += step * 1_000_000
        records.append((ts, ladder(1000 + number % 3, 1010), closes))
    events = [record("AAA", ts, book, closes=closes) for ts, book, closes in records]
    end = ts + SECOND
    if not any(closes for _, _, closes in records):
        return
    table = told(tmp_path, *events, end=end, interval_ms=interval, on_change=on_change)
    wanted = []
    shown = None
    for ts, book, closes in records:
        if on_change and closes and book != shown:
            wanted.append((ts, True, book[0] // 100_000))
            shown = book
        elif closes:
            shown = book
    for grid in range(T, end + 1, interval * 1_000_000):
        known = [book for ts, book, closes in records if closes and ts <= grid]
        if known:
            wanted.append((grid, False, known[-1][0] // 100_000))
    wanted.sort(key=lambda row: (row[0], not row[1]))
    found = zip(*(column(table, name) for name in ("ts", "on_change", "bid_px_00")), strict=True)
    assert list(found) == wanted
    assert sum(column(table, "events")) == len(records)
