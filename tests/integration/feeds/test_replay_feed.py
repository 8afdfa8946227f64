"""Replays: batches in time order, exact resumption, warm-up, pace, drill."""

import asyncio
import datetime as dt
import itertools

import pytest

from tests.integration.feeds.feed_kit import (
    CALENDAR,
    collect,
    history,
    sample_feed,
    stream,
    synthetic_feed,
)
from tradingd.domain.market import Resolution
from tradingd.feeds.ranges import empty_range
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import local_date


def test_a_batch_holds_the_bars_that_close_together_by_symbol() -> None:
    batches = stream(synthetic_feed())
    assert len(batches) == 390 + 210
    assert {tuple(bar.symbol for bar in batch.bars) for batch in batches} == {
        ("SYN1", "SYN2", "SYN3")
    }
    assert all(a.ts < b.ts for a, b in itertools.pairwise(batches))


def test_the_sample_streams_every_row_once_over_chunk_edges() -> None:
    batches = stream(sample_feed())
    rows = [(batch.ts, bar.symbol) for batch in batches for bar in batch.bars]
    assert len(rows) == len(set(rows)) > 12_000
    assert rows == sorted(rows)


def test_start_and_end_are_whole_days_inclusive() -> None:
    batches = stream(sample_feed(start=dt.date(2010, 1, 4), end=dt.date(2010, 1, 8)))
    assert [local_date(batch.ts) for batch in batches] == [
        dt.date(2010, 1, day) for day in (4, 5, 6, 7, 8)
    ]


@pytest.mark.parametrize("done", [1, 389, 390, 391, 599], ids=str)
def test_a_resumed_replay_repeats_nothing_and_loses_nothing(done: int) -> None:
    whole = stream(synthetic_feed())
    first = stream(synthetic_feed(), most=done)
    rest = stream(synthetic_feed(), resume_after=first[-1].ts)
    assert [*first, *rest] == whole


def test_a_replay_that_was_over_resumes_to_nothing() -> None:
    last = stream(synthetic_feed())[-1].ts
    assert stream(synthetic_feed(), resume_after=last) == []
    last = stream(sample_feed(start=dt.date(2010, 1, 4), end=dt.date(2010, 1, 8)))[-1].ts
    feed = sample_feed(start=dt.date(2010, 1, 4), end=dt.date(2010, 1, 8))
    assert stream(feed, resume_after=last) == []


@pytest.mark.parametrize("wanted", [1, 30, 400, 5_000], ids=str)
def test_warm_up_is_the_bars_that_end_before_the_first_one(wanted: int) -> None:
    first = stream(synthetic_feed(), most=1)[0].ts
    found = history(synthetic_feed(), first - 1, wanted)
    assert len(found) == wanted
    assert found[-1].ts < first
    session = CALENDAR.at(found[-1].ts)
    assert session is not None
    assert found[-1].ts == session.close_ns
    assert all(a.ts < b.ts for a, b in itertools.pairwise(found))


def test_warm_up_gives_what_there_is() -> None:
    first = stream(sample_feed(), most=1)[0].ts
    assert history(sample_feed(), first - 1, 10) == ()
    assert len(history(sample_feed(), first, 10)) == 1


def test_actions_of_the_streamed_days_and_of_those_before_them_are_known() -> None:
    async def actions() -> list[dt.date]:
        feed = sample_feed(start=dt.date(2005, 1, 3), end=dt.date(2005, 12, 30))
        await feed.open(0)
        await feed.close()
        return [one.ex_date for one in feed.actions()]

    found = asyncio.run(actions())
    assert dt.date(2000, 6, 21) in found, "warm-up may show bars of that day"
    assert dt.date(2005, 2, 28) in found
    assert max(found) <= dt.date(2005, 12, 30)
    assert found == sorted(found)


def test_pace_follows_speed_and_the_longest_wait() -> None:
    async def spent(**settings: object) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await collect(synthetic_feed(**settings), most=21)
        return loop.time() - began

    fast = asyncio.run(spent(speed=0))
    paced = asyncio.run(spent(speed=6_000.0))
    capped = asyncio.run(spent(speed=60.0, longest_wait=0.01))
    assert paced >= 0.2
    assert 0.2 <= capped < 2.0
    assert fast < paced


def test_the_cadence_is_told_for_staleness_limits() -> None:
    assert synthetic_feed(speed=60.0).seconds_between == 1.0
    assert synthetic_feed(speed=1.0, longest_wait=5.0).seconds_between == 5.0
    assert synthetic_feed(speed=0).seconds_between == 0.0


def test_a_replay_at_full_speed_lets_the_loop_run() -> None:
    async def turns() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(tick(), name="tick")
        found = await collect(synthetic_feed())
        task.cancel()
        return ticks, len(found)

    ticks, batches = asyncio.run(turns())
    assert ticks >= batches


def test_a_frozen_feed_is_silent_for_the_time_and_then_goes_on() -> None:
    async def drill() -> float:
        feed = synthetic_feed()
        await feed.open(0)
        loop = asyncio.get_running_loop()
        stream = feed.batches()
        first = await anext(stream)
        feed.freeze(0.3)
        began = loop.time()
        second = await anext(stream)
        spent = loop.time() - began
        await stream.aclose()
        await feed.close()
        assert second.ts > first.ts
        return spent

    assert asyncio.run(drill()) >= 0.3


def test_invented_prices_are_labelled() -> None:
    feed = synthetic_feed()
    assert (feed.label, feed.synthetic, feed.replayed) == ("SYNTHETIC", True, True)
    assert (sample_feed().label, sample_feed().synthetic) == ("replay of sample", False)


def test_bars_of_another_length_than_the_strategy_wants_are_refused() -> None:
    feed = synthetic_feed()
    feed.resolution = Resolution.DAY
    with pytest.raises(Failure) as caught:
        stream(feed)
    assert caught.value.code is ExitCode.CONFIG


def test_days_without_bars_are_refused_with_the_days_there_are() -> None:
    with pytest.raises(Failure) as caught:
        stream(sample_feed(start=dt.date(2020, 1, 1), end=dt.date(2020, 2, 1)))
    assert caught.value.code is ExitCode.EMPTY_RANGE
    assert "2013-03-01" in caught.value.expected


def test_where_the_stream_begins_separates_history_from_what_comes() -> None:
    async def both(resume_after: int) -> tuple[int, int]:
        feed = synthetic_feed()
        await feed.open(resume_after)
        past = await feed.history(feed.begins, 1)
        stream = feed.batches()
        first = await anext(stream)
        await stream.aclose()
        await feed.close()
        return past[-1].ts, first.ts

    whole = stream(synthetic_feed())
    fresh, resumed = asyncio.run(both(0)), asyncio.run(both(whole[100].ts))
    assert fresh[0] < fresh[1] == whole[0].ts
    assert resumed == (whole[100].ts, whole[101].ts)


def test_a_range_that_ends_before_it_begins_is_refused_by_its_two_days():
    failure = empty_range("the store", dt.date(2012, 1, 1), dt.date(2011, 1, 1), "2000 to 2013")
    assert failure.code is ExitCode.EMPTY_RANGE
    assert failure.line() == (
        "the range ends before it begins | at: feed.end | expected: 2012-01-01 or later "
        "| found: 2011-01-01"
    )
