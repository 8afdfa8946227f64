"""Worked orders where time passes without data: deadlines wake up, quotes tell the touch."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.integration.engine_live.live_kit import Live, Script, minute_batches, session_of, settle
from tradingd.config.execution import LimitStyle
from tradingd.domain.feed import Quote
from tradingd.domain.journal import DecisionRow, OrderState
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.execution.touch import Quotes
from tradingd.session.clock import ReplayClock, Timer

DAY = "2024-01-03"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Hands:
    """A clock that is moved by hand and is no replay's: time passes without data."""

    def __init__(self, start: int) -> None:
        self._clock = ReplayClock(start)
        self.advance = self._clock.advance

    def now(self) -> int:
        return self._clock.now()

    def call_at(self, ts: int, label: str, action: Callable[[], None]) -> Timer:
        return self._clock.call_at(ts, label, action)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect a test's engine objects on the thread that made them."""
    yield
    gc.collect()


def style(**changes: object) -> LimitStyle:
    plain = {"offset_bps": 5, "spread_share": 0, "volatility_share": 0, "timeout_seconds": 10}
    return msgspec.convert({**plain, **changes}, LimitStyle)


def mine(live: Live) -> list[tuple]:
    return [
        (row.purpose, row.type, row.limit, row.filled, row.state)
        for row in live.shim.rows.values()
        if row.purpose != "PROTECT"
    ]


def buy(quantity: int = 100, **options: object) -> Any:
    return lambda s: s.enter("AAA", Side.BUY, quantity, reason="a test", **options)


async def passes(live: Live, clock: Hands, ts: int) -> None:
    clock.advance(ts)
    await settle()


def test_a_price_times_out_by_the_clock_and_takes_the_quote_of_that_moment() -> None:
    async def session() -> None:
        (batch,) = minute_batches(DAY, {"AAA": ["100"]})
        clock = Hands(batch.ts - MINUTE)
        quotes = Quotes(clock.now)
        script = Script({1: buy()})

        def quote(bid: str, ask: str) -> None:
            quotes.take(Quote("AAA", nanos(bid), nanos(ask), 1, 1, clock.now()))

        async with Live(script, clock=clock, style=style(), touch=quotes) as live:
            clock.advance(batch.ts)
            quote("99.90", "100.10")
            await live.play(batch)
            # 100.10 + 5 bps of it: 100.15005, up to the tick.
            assert [row[2] for row in mine(live)] == [nanos("100.16")]
            await passes(live, clock, batch.ts + 10 * SECOND - 1)
            assert len(mine(live)) == 1
            quote("100.10", "100.20")
            await passes(live, clock, batch.ts + 10 * SECOND)
            assert [(row[2], row[4]) for row in mine(live)] == [
                (nanos("100.16"), OrderState.CANCELED),
                (nanos("100.26"), OrderState.WORKING),
            ]
            # No quote since: the last close is what is known.
            await passes(live, clock, batch.ts + 20 * SECOND)
            assert mine(live)[-1][2] == nanos("100.05")
            await passes(live, clock, batch.ts + 30 * SECOND)
            await passes(live, clock, batch.ts + 40 * SECOND)
            assert len(mine(live)) == 4
            assert not script.pending("AAA")
            (told,) = live.journal.of(DecisionRow)
            assert (told.limit, told.observed) == ("style", "0 of 100 filled")
            assert not live.faults

    asyncio.run(session())


def test_an_exit_reaches_the_market_without_any_bar() -> None:
    async def session() -> None:
        one, two = minute_batches(DAY, {"AAA": ["100", "100"]})
        clock = Hands(one.ts - MINUTE)
        script = Script({1: buy(), 2: lambda s: s.exit("AAA", reason="enough")})
        async with Live(script, clock=clock, style=style(reprices=0, timeout_seconds=90)) as live:
            for batch in (one, two):
                clock.advance(batch.ts)
                await live.play(batch)
            assert script.position("AAA") == 100
            await passes(live, clock, two.ts + 90 * SECOND)
            assert [row[:2] for row in mine(live)][1:] == [("EXIT", "LIMIT"), ("EXIT", "MARKET")]
            live.shim.fill(list(live.shim.rows)[-1], 100, nanos(99))
            await settle()
            assert (script.position("AAA"), script.pending("AAA")) == (0, False)
            assert not live.journal.of(DecisionRow)

    asyncio.run(session())


def test_a_session_that_stops_sends_no_more_prices() -> None:
    async def session() -> None:
        (batch,) = minute_batches(DAY, {"AAA": ["100"]})
        clock = Hands(batch.ts - MINUTE)
        async with Live(Script({1: buy()}), clock=clock, style=style()) as live:
            clock.advance(batch.ts)
            await live.play(batch)
            live.engine.work_no_more()
            await live.shim.cancel_all(None, reason="stop", author="daemon")  # type: ignore[arg-type]
            await passes(live, clock, batch.ts + 60 * SECOND)
            assert len(mine(live)) == 1
            (told,) = live.journal.of(DecisionRow)
            assert "taken back by others" in told.explanation

    asyncio.run(session())


def test_a_strategy_that_fails_enters_nothing_more() -> None:
    def fail(_s: object) -> None:
        raise RuntimeError("a bug")

    async def session() -> None:
        one, two = minute_batches(DAY, {"AAA": ["100", "101"]})
        clock = Hands(one.ts - MINUTE)
        async with Live(Script({1: buy(), 2: fail}), clock=clock, style=style()) as live:
            clock.advance(one.ts)
            await live.play(one)
            live.shim.market = lambda batch: None  # type: ignore[method-assign]
            clock.advance(one.ts + 5 * SECOND)
            await live.engine.deliver(two)
            await settle()
            await passes(live, clock, two.ts + MINUTE)
            assert [str(error) for error, _ in live.faults] == ["a bug"]
            assert [row[4] for row in mine(live)] == [OrderState.CANCELED]

    asyncio.run(session())


def test_before_the_open_no_time_passes_and_at_the_close_it_is_over() -> None:
    async def session() -> None:
        (batch,) = minute_batches(DAY, {"AAA": ["100"]}, first=390)
        clock = Hands(batch.ts - MINUTE)
        following = session_of("2024-01-04")
        async with Live(Script({1: buy()}), clock=clock, style=style(timeout_seconds=3600)) as live:
            clock.advance(batch.ts)
            await live.play(batch)
            await passes(live, clock, following.open_ns + 3600 * SECOND - 1)
            assert [row[4] for row in mine(live)] == [OrderState.WORKING]
            assert live.shim.wishes[0].expires == following.close_ns + 1
            await passes(live, clock, following.open_ns + 3600 * SECOND)
            assert [row[4] for row in mine(live)] == [OrderState.CANCELED, OrderState.WORKING]

    asyncio.run(session())
