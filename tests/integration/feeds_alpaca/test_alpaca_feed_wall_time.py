"""The feed on the wall's time: grace, late bars, gaps, mute connections, days and hours."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fakes.alpaca_market import MINUTE, Market, bar, market
from tests.integration.feeds_alpaca.alpaca_feed_kit import (
    MINUTES,
    Taker,
    both,
    feed_of,
    run,
    until,
)
from tradingd.domain.market import Resolution
from tradingd.feeds.alpaca.feed import AlpacaFeed
from tradingd.kits.failure import ExitCode, Failure

SECOND = 10**9


class Wall:
    """A wall clock that can be set, and goes on from there."""

    def __init__(self, ts: int) -> None:
        self.set(ts)

    def set(self, ts: int) -> None:
        self._offset = ts - time.monotonic_ns()

    def __call__(self) -> int:
        return time.monotonic_ns() + self._offset


@asynccontextmanager
async def open_feed(
    one: Market, wall: Wall, after: int = 0, **options: Any
) -> AsyncIterator[AlpacaFeed]:
    given = {"clock": "wall", "bar_grace_seconds": 0.4, **options}
    feed = feed_of(one.url, wall=wall, **given)
    await feed.open(after)
    try:
        yield feed
    finally:
        await feed.close()


def test_a_minute_waits_for_its_bars_as_long_as_the_grace() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[3] - 5 * SECOND)
        async with market() as one:
            one.tell(MINUTES[2], *both(2))
            async with open_feed(one, wall) as feed:
                taker = Taker(feed)
                one.tell(MINUTES[3], bar("AAPL", 100))
                await asyncio.sleep(0.2)
                assert not taker.got
                await taker.has(1)
                one.tell(MINUTES[4], *both(4))
                got = await taker.has(2)
                assert [len(batch.bars) for batch in got] == [1, 2]
                assert feed.label == "alpaca iex (test server)"
                assert not feed.replayed
                assert feed.seconds_between == 60.0

    run(work())


def test_a_minute_in_which_everybody_spoke_does_not_wait() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[3] - 5 * SECOND)
        async with market() as one:
            one.tell(MINUTES[2], *both(2))
            async with open_feed(one, wall, bar_grace_seconds=30.0) as feed:
                taker = Taker(feed)
                one.tell(MINUTES[3], *both(3))
                await until(lambda: taker.got, 2.0)

    run(work())


def test_a_gap_since_the_last_run_comes_first_and_a_bar_that_comes_both_ways_once() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[5] + 5 * SECOND)
        async with market() as one:
            for number in range(6):
                one.tell(MINUTES[number], *both(number))
            async with open_feed(one, wall, after=MINUTES[1]) as feed:
                taker = Taker(feed)
                one.tell(MINUTES[6], *both(6))
                assert await taker.has(5) == one.batches()[2:]
                assert feed.late_until == MINUTES[5]

    run(work())


def test_a_minute_that_was_cut_in_two_by_a_lost_connection_is_made_whole() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[3] - 5 * SECOND)
        async with market() as one:
            one.tell(MINUTES[2], *both(2))
            async with open_feed(one, wall, bar_grace_seconds=1.5) as feed:
                taker = Taker(feed)
                one.misbehave(mute_symbols=["MSFT"])
                wall.set(MINUTES[3])
                one.tell(MINUTES[3], *both(3))
                await asyncio.sleep(0.1)
                one.misbehave(close_now=True)
                one.misbehave()
                assert await taker.has(1) == one.batches()[1:]

    run(work())


def test_a_session_in_which_nothing_is_heard_has_a_mute_connection() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[30])
        async with market() as one:
            one.tell(MINUTES[29], *both(0))
            async with open_feed(one, wall, mute_seconds=1.0) as feed:
                await until(lambda: feed.counts.get("reconnects", 0) >= 1)
                wall.set(MINUTES[-1] + 3_600 * SECOND)
                await until(lambda: feed.connected)
                before = feed.counts["reconnects"]
                await asyncio.sleep(2.5)
                assert feed.counts["reconnects"] <= before + 1

    run(work())


@pytest.mark.parametrize("resume", [0, MINUTES[60] + SECOND], ids=["now", "stated"])
def test_an_hour_is_whole_when_the_feed_begins_inside_it(resume: int) -> None:
    async def work() -> None:
        wall = Wall(MINUTES[60] + SECOND)
        async with market() as one:
            for number in range(61):
                one.tell(MINUTES[number], *both(number))
            async with open_feed(one, wall, resume, resolution=Resolution.HOUR) as feed:
                taker = Taker(feed)
                for number in range(61, 90):
                    one.tell(MINUTES[number], *both(number))
                (hour,) = await taker.has(1)
                assert hour.ts == MINUTES[89]
                assert hour.bars[0].open == 20_030 * 10**7
                assert hour.bars[0].volume == 6_000

    run(work())


def test_an_hour_without_a_trade_in_its_last_minute_ends_with_the_clock() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[28] + SECOND)
        async with market() as one:
            one.tell(MINUTES[28], *both(28))
            async with open_feed(one, wall, resolution=Resolution.HOUR) as feed:
                taker = Taker(feed)
                await until(lambda: feed.counts.get("backfilled"))
                assert not taker.got
                wall.set(MINUTES[29] + 2 * SECOND)
                (hour,) = await taker.has(1)
                assert hour.ts == MINUTES[29]

    run(work())


def test_a_day_comes_after_its_closing_auction_and_holds_what_was_traded_before_the_start() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[100])
        async with market() as one:
            for number in range(100):
                one.tell(MINUTES[number], *both(number))
            async with open_feed(one, wall, resolution=Resolution.DAY) as feed:
                taker = Taker(feed)
                await until(lambda: feed.counts.get("backfilled"))
                # MSFT does not trade any more: its day is what history knew.
                one.tell(MINUTES[100], bar("AAPL", 100, 7))
                wall.set(MINUTES[-1] + 80 * SECOND)
                await asyncio.sleep(1.5)
                assert not taker.got
                wall.set(MINUTES[-1] + 91 * SECOND)
                (day,) = await taker.has(1)
                assert day.ts == MINUTES[-1]
                assert [one.symbol for one in day.bars] == ["AAPL", "MSFT"]
                assert day.bars[0].volume == 10_007
                assert day.bars[1].volume == 10_000

    run(work())


def test_symbols_that_alpaca_never_saw_are_named() -> None:
    async def work() -> None:
        async with market() as one:
            one.tell(MINUTES[0], *both(0))
            with pytest.raises(Failure) as refused:
                await feed_of(one.url, clock="wall", symbols=("AAPL", "APPL", "MSTF")).open(0)
            assert refused.value.code is ExitCode.UNKNOWN_SYMBOL
            assert refused.value.found == "APPL, MSTF"

    run(work())


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"resolution": Resolution.SECOND}, "strategy.bars"),
        ({"symbols": ()}, "universe.symbols"),
        ({"endpoint": "", "clock": "data"}, "feed.clock"),
        ({"endpoint": "https://elsewhere.example"}, "feed.endpoint"),
        ({"stream": "wss://elsewhere.example"}, "feed.stream"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_is_sent(
    options: dict[str, Any], where: str
) -> None:
    given = {"endpoint": "http://127.0.0.1:9", **options}
    feed = feed_of(given.pop("endpoint"), **given)
    with pytest.raises(Failure) as refused:
        asyncio.run(feed.open(0))
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == where


def test_bars_outside_regular_sessions_are_left_out() -> None:
    async def work() -> None:
        wall = Wall(MINUTES[-1] - 5 * SECOND)
        async with market() as one:
            one.tell(MINUTES[-2], *both(0))
            async with open_feed(one, wall) as feed:
                taker = Taker(feed)
                one.tell(MINUTES[-1], *both(1))
                one.tell(MINUTES[-1] + MINUTE, *both(2))
                await until(lambda: feed.counts["outside"] == 2)
                await asyncio.sleep(0.5)
                assert [batch.ts for batch in taker.got] == [MINUTES[-1]]

    run(work())
