"""The feed on a test server's data time: in order, each bar once, gaps filled, ends with it."""

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.alpaca_market import Market, bar, closes, market, store_with
from tests.integration.feeds_alpaca.alpaca_feed_kit import (
    DAY,
    MINUTES,
    SYMBOLS,
    Taker,
    both,
    feed_of,
    run,
    until,
)
from tradingd.domain.feed import Quote, TradingHalt
from tradingd.domain.market import Resolution
from tradingd.feeds.alpaca.feed import AlpacaFeed
from tradingd.kits.failure import ExitCode, Failure


@asynccontextmanager
async def open_feed(one: Market, after: int = 0, **options: Any) -> AsyncIterator[AlpacaFeed]:
    feed = feed_of(one.url, **options)
    await feed.open(after)
    try:
        yield feed
    finally:
        await feed.close()


def test_bars_come_as_they_were_told() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            for number in range(5):
                one.tell(MINUTES[number], *both(number))
            assert await taker.has(5) == one.batches()
            assert feed.connected
            assert feed.label == "alpaca iex (test server)"

    run(work())


def test_a_minute_in_which_a_symbol_did_not_trade_follows_after_a_short_silence() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            one.tell(MINUTES[0], bar("AAPL", 100))
            assert await taker.has(1) == one.batches()

    run(work())


def test_a_whole_replayed_day_equals_the_store_exactly(tmp_path: Path) -> None:
    async def work() -> None:
        rows = {
            "AAPL": [(ts, bar("AAPL", 20_000 + n, n)) for n, ts in enumerate(MINUTES)],
            "MSFT": [(ts, bar("MSFT", 40_000 + n)) for n, ts in enumerate(MINUTES) if n % 3],
        }
        root = store_with(tmp_path / "history", rows)
        options = {"store": root, "symbols": SYMBOLS, "client_waiting": True}
        async with market(**options) as one:
            replay = asyncio.create_task(one.service.replay(one.hear))
            async with open_feed(one) as feed:
                taker = Taker(feed)
                await until(lambda: taker.over)
                await replay
                assert taker.got == one.batches()
                assert len(taker.got) == len(MINUTES)
                assert feed.counts.get("late", 0) == 0

    run(work())


@pytest.mark.parametrize("fault", ["close_now", "half_open", "mute"])
def test_a_gap_is_filled_from_history_exactly_and_nothing_comes_twice(fault: str) -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            for number in range(3):
                one.tell(MINUTES[number], *both(number))
            await taker.has(3)
            one.misbehave(**{fault: True})
            for number in range(3, 8):
                one.tell(MINUTES[number], *both(number))
            await asyncio.sleep(0.05)
            one.misbehave()
            await until(lambda: feed.counts.get("reconnects", 0) >= 1 and feed.connected)
            for number in range(8, 12):
                one.tell(MINUTES[number], *both(number))
                await asyncio.sleep(0.01)
            assert await taker.has(12) == one.batches()
            assert feed.counts["backfilled"] > 0

    run(work())


def test_while_nobody_lets_it_in_it_tries_again_and_then_goes_on() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            one.tell(MINUTES[0], *both(0))
            await taker.has(1)
            one.misbehave(refuse_seconds=1.0, close_now=True)
            for number in range(1, 6):
                one.tell(MINUTES[number], *both(number))
            await until(lambda: len(taker.got) == 6)
            assert taker.got == one.batches()
            assert feed.counts["reconnects"] >= 2

    run(work())


def test_duplicates_are_counted_and_delivered_once() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            one.misbehave(duplicate=1.0)
            for number in range(5):
                one.tell(MINUTES[number], *both(number))
            assert await taker.has(5) == one.batches()
            await until(lambda: feed.counts["twice"] == 10)

    run(work())


def test_reordered_and_dropped_bars_never_break_the_order() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            one.misbehave(reorder=0.3, drop=0.1, duplicate=0.2, seed=5)
            for number in range(100):
                one.tell(MINUTES[number], *both(number))
                await asyncio.sleep(0.002)
            one.misbehave()
            one.tell(MINUTES[100], *both(100))
            await until(lambda: taker.got and taker.got[-1].ts == MINUTES[100])
            times = [batch.ts for batch in taker.got]
            assert times == sorted(set(times))
            for batch in taker.got:
                told = one.published[batch.ts]
                assert set(batch.bars) <= set(told)
            assert feed.counts["twice"] > 0

    run(work())


def test_after_a_restart_history_comes_first_and_nothing_twice() -> None:
    async def work() -> None:
        async with market() as one:
            for number in range(10):
                one.tell(MINUTES[number], *both(number))
            async with open_feed(one, after=MINUTES[3]) as feed:
                taker = Taker(feed)
                await taker.has(6)
                one.tell(MINUTES[10], *both(10))
                got = await taker.has(7)
                assert got == one.batches()[4:]

    run(work())


def test_a_symbol_that_is_mute_while_others_speak_is_told_and_subscribed_anew() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one, mute_seconds=1.0) as feed:
            taker = Taker(feed)
            one.misbehave(mute_symbols=["MSFT"])
            number = 0
            while not feed.counts.get("resubscribed"):
                one.tell(MINUTES[number], *both(number))
                number += 1
                await asyncio.sleep(0.05)
            assert feed.mute() == ["MSFT"]
            assert feed.unproven == ["MSFT"]
            one.misbehave()
            one.tell(MINUTES[number], *both(number))
            await until(lambda: not feed.mute() and not feed.unproven)
            assert taker.got[0].bars == one.published[MINUTES[0]][:1]

    run(work())


def test_it_ends_with_the_market_and_stays_when_told_so() -> None:
    async def work() -> None:
        async with (
            market(connections=0) as one,
            open_feed(one) as stops,
            open_feed(one, at_end="stay") as stays,
        ):
            first, second = Taker(stops), Taker(stays)
            one.tell(MINUTES[-2], *both(0))
            one.tell(MINUTES[-1], *both(1))
            await until(lambda: first.over)
            assert len(first.got) == len(second.got) == 2
            assert not second.over

    run(work())


def test_quotes_and_halts_are_heard() -> None:
    async def work() -> None:
        quotes: list[Quote] = []
        halts: list[TradingHalt] = []
        async with market() as one:
            feed = feed_of(one.url)
            feed.listen(quote=quotes.append, halt=halts.append)
            await feed.open(0)
            try:
                one.tell(MINUTES[0], *both(0))
                await until(lambda: len(quotes) == 2)
                assert quotes[0].ts == MINUTES[0]
                assert quotes[0].bid < 200 * 10**9 < quotes[0].ask
                for status in ("halt", "quote", "resume", "pause"):
                    one.misbehave(statuses=[{"symbol": "AAPL", "status": status}])
                band = {"symbol": "MSFT", "up": "10", "down": "9"}
                one.misbehave(lulds=[{**band, "indicator": "B"}, {**band, "indicator": "D"}])
                await until(lambda: len(halts) == 4)
                told = [(one.symbol, one.halted) for one in halts]
                assert told == [("AAPL", True), ("AAPL", False), ("AAPL", True), ("MSFT", True)]
                assert "T1" in halts[0].reason
            finally:
                await feed.close()

    run(work())


def test_hours_are_joined_and_the_first_and_last_of_a_day_are_short() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one, resolution=Resolution.HOUR) as feed:
            taker = Taker(feed)
            for number, ts in enumerate(MINUTES):
                one.tell(ts, *both(number))
                if number % 20 == 0:
                    await asyncio.sleep(0.001)
            got = await taker.has(7)
            assert [(batch.ts - MINUTES[0]) // (60 * 10**9) for batch in got] == [
                *(29, 89, 149, 209, 269, 329, 389)
            ]
            first = got[0].bars[0]
            assert (first.open, first.close) == (20_000 * 10**7, 20_029 * 10**7)
            assert first.volume == 3_000
            assert await feed.history(got[-1].ts, 10) == got

    run(work())


def test_a_day_comes_once_after_its_session() -> None:
    async def work() -> None:
        async with market() as one, open_feed(one, resolution=Resolution.DAY) as feed:
            taker = Taker(feed)
            for number, ts in enumerate(MINUTES):
                one.tell(ts, *both(number))
                if number == 200:
                    # A silence in the middle of the day is not its end.
                    await asyncio.sleep(0.5)
                    assert not taker.got
            (day,) = await taker.has(1)
            assert day.ts == MINUTES[-1]
            assert day.bars[0].open == 20_000 * 10**7
            assert day.bars[0].close == (20_000 + len(MINUTES) - 1) * 10**7
            assert day.bars[0].volume == 100 * len(MINUTES)

    run(work())


def test_days_of_a_replay_of_days_come_one_by_one() -> None:
    async def work() -> None:
        async with market(bars="1d") as one, open_feed(one, resolution=Resolution.DAY) as feed:
            taker = Taker(feed)
            for number, day in enumerate((DAY, dt.date(2024, 7, 3), dt.date(2024, 7, 5))):
                one.tell(closes(day)[-1], *both(number))
            assert await taker.has(3) == one.batches()

    run(work())


def test_warm_up_is_what_closed_before(tmp_path: Path) -> None:
    async def work() -> None:
        earlier = [ts for day in (28, 27) for ts in closes(dt.date(2024, 6, day))]
        rows = {"AAPL": [(ts, bar("AAPL", 100)) for ts in sorted(earlier)]}
        root = store_with(tmp_path / "history", rows)
        async with market(store=root, start=DAY) as one, open_feed(one) as feed:
            one.tell(MINUTES[0], bar("AAPL", 100))
            got = await feed.history(MINUTES[0], 400)
            assert len(got) == 400
            assert got[-1].ts == MINUTES[0]
            assert [batch.ts for batch in got[:-1]] == sorted(earlier)[-399:]
            assert await feed.history(MINUTES[0] - 1, 1) == got[-2:-1]
            days = await feed.history(MINUTES[0], 0)
            assert days == ()

    run(work())


def test_ticks_follow_the_price_rule(tmp_path: Path) -> None:
    async def work() -> None:
        async with market() as one:
            one.tell(MINUTES[0], bar("AAPL", 20_000), bar("MSFT", 99))
            async with open_feed(one, symbols=("AAPL", "MSFT", "NEW")) as feed:
                ticks = {item.symbol: item.tick for item in feed.instruments()}
                assert ticks == {"AAPL": 10**7, "MSFT": 10**5, "NEW": 10**7}

    run(work())


def test_wrong_keys_are_told_at_the_start_without_showing_them() -> None:
    async def work() -> None:
        async with market() as one:
            with pytest.raises(Failure) as refused:
                await feed_of(one.url, secret="wrong-secret").open(0)
            assert refused.value.code is ExitCode.FEED
            assert "key" in refused.value.line()
            assert "wrong-secret" not in refused.value.line()
            assert "PKTEST" not in refused.value.line()

    run(work())


def test_a_server_that_is_gone_is_told_by_close_at_any_moment() -> None:
    async def work() -> None:
        async with market() as one:
            feed = feed_of(one.url)
            await feed.open(0)
            feed.freeze(60.0)
            taker = Taker(feed)
            one.tell(MINUTES[0], *both(0))
        await feed.close()
        await until(lambda: taker.over)

    run(work())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_of_lost_connections_equals_what_was_told_exactly(seed: int) -> None:
    async def work() -> None:
        dice = random.Random(seed)
        async with market() as one, open_feed(one) as feed:
            taker = Taker(feed)
            for number, ts in enumerate(MINUTES[:200]):
                bars = both(number) if dice.random() < 0.8 else both(number)[:1]
                one.tell(ts, *bars)
                await asyncio.sleep(dice.choice([0.0, 0.002, 0.01]))
                if dice.random() < 0.05:
                    fault = dice.choice([{"close_now": True}, {"half_open": True}])
                    one.misbehave(**fault, refuse_seconds=dice.choice([0, 0.1]))
            one.misbehave()
            one.tell(MINUTES[200], *both(200))
            await until(lambda: taker.got and taker.got[-1].ts == MINUTES[200])
            assert taker.got == one.batches()
            assert feed.counts["reconnects"] >= 1

    run(work())
