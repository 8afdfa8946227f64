"""Sessions, timers and warm-up of a live session follow data time, whatever the wall says."""

import asyncio
import datetime as dt

from nautilus_trader.model import Bar

from tests.integration.engine_live.live_kit import (
    MINUTE,
    Live,
    Script,
    minute_batches,
    session_of,
    until,
)
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.journal import EquityRow
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.session.clock import WallClock

DAY, NEXT = "2024-07-02", "2024-07-03"


def last_bar(day: str, price: object) -> Batch:
    at = nanos(price)
    return Batch(session_of(day).close_ns, (MarketBar("AAA", at, at, at, at, 1_000),))


def test_a_session_opens_before_its_first_bar_and_closes_after_its_last() -> None:
    async def run() -> None:
        strategy = Script()
        async with Live(strategy, start=session_of(DAY).open_ns - MINUTE) as live:
            await live.engine.warm_up(())
            await live.play(*minute_batches(DAY, {"AAA": [100, 101]}), last_bar(DAY, 102))
            assert strategy.said == [
                ("open", dt.date(2024, 7, 2), session_of(DAY).open_ns),
                ("close", dt.date(2024, 7, 2), 3),
            ]
            assert strategy.session is None
            await live.play(*minute_batches(NEXT, {"AAA": [103]}))
            assert strategy.said[2:] == [("open", dt.date(2024, 7, 3), session_of(NEXT).open_ns)]
            assert strategy.session == session_of(NEXT)

    asyncio.run(run())


def test_a_session_whose_last_bar_never_comes_closes_by_the_calendar() -> None:
    async def run() -> None:
        strategy = Script()
        async with Live(strategy, start=session_of(DAY).open_ns - MINUTE) as live:
            await live.play(*minute_batches(DAY, {"AAA": [100]}))
            live.clock.advance(session_of(DAY).close_ns + MINUTE)
            assert strategy.said[-1] == ("close", dt.date(2024, 7, 2), 1)

    asyncio.run(run())


def test_a_session_in_progress_is_opened_at_once_and_once() -> None:
    async def run() -> None:
        strategy = Script()
        batches = minute_batches(DAY, {"AAA": [100, 101, 102]})
        async with Live(strategy, start=batches[0].ts) as live:
            await live.engine.warm_up(())
            assert [one[0] for one in strategy.said] == ["open"]
            await live.play(*batches[1:])
            assert [one[0] for one in strategy.said] == ["open"]
            assert strategy.minutes_to_close == 390 - 3

    asyncio.run(run())


def test_warm_up_shows_the_past_and_sends_nothing() -> None:
    async def run() -> None:
        strategy = Script(
            {
                1: lambda s: (s.now, s.enter("AAA", Side.BUY, 1, reason="muted")),
                2: lambda s: s.move_stop("AAA", 90, reason="muted"),
                4: lambda s: (s.now, s.enter("AAA", Side.BUY, 1, reason="real")),
            }
        )
        past = [*minute_batches(DAY, {"AAA": [100, 101]}), last_bar(DAY, 99)]
        first = minute_batches(NEXT, {"AAA": [98]})
        async with Live(strategy, start=session_of(DAY).close_ns) as live:
            await live.engine.warm_up(past)
            assert live.shim.wishes == []
            assert strategy.results == [(past[0].ts, None), None]
            assert [one[0] for one in strategy.said] == ["open", "close"]
            await live.play(*first)
            assert len(live.shim.wishes) == 1
            assert strategy.results[-1] == (first[0].ts, "test-000001")
            assert [one[0] for one in strategy.said] == ["open", "close", "open"]

    asyncio.run(run())


def test_warm_up_in_the_middle_of_a_session_does_not_open_it_twice() -> None:
    async def run() -> None:
        strategy = Script()
        batches = minute_batches(DAY, {"AAA": [100, 101, 102, 103]})
        async with Live(strategy, start=batches[1].ts) as live:
            await live.engine.warm_up(batches[:2])
            await live.play(*batches[2:], last_bar(DAY, 1))
            assert [one[0] for one in strategy.said] == ["open", "close"]
            assert len(strategy.seen) == 5

    asyncio.run(run())


def test_timers_of_a_strategy_fire_by_data_time() -> None:
    class Timed(Script):
        def on_begin(self) -> None:
            at = session_of(DAY).open_ns
            self.clock.set_time_alert_ns("once", at + 90_000_000_000, self.tick)
            self.clock.set_timer_ns("each", 2 * MINUTE, at, at + 6 * MINUTE)

        def tick(self, event) -> None:
            self.said.append((event.name, event.ts_event, self.now, len(self.seen)))

        def on_time_event(self, event) -> None:
            self.tick(event)

    async def run() -> None:
        strategy = Timed()
        batches = minute_batches(DAY, {"AAA": list(range(100, 110))})
        async with Live(strategy, start=batches[0].ts - MINUTE) as live:
            await live.play(*batches)
        opened = session_of(DAY).open_ns
        ticks = [one for one in strategy.said if len(one) == 4]
        assert ticks == [
            ("once", opened + 90_000_000_000, opened + 90_000_000_000, 1),
            *[("each", opened + n * MINUTE, opened + n * MINUTE, n - 1) for n in (2, 4, 6)],
        ]

    asyncio.run(run())


def test_the_account_is_sampled_at_the_open_each_minute_and_at_the_close() -> None:
    async def run() -> None:
        async with Live(Script(), start=session_of(DAY).open_ns - MINUTE) as live:
            await live.engine.warm_up(())
            await live.play(*minute_batches(DAY, {"AAA": [100, 101, 102]}))
            opened = session_of(DAY).open_ns
            stamps = [row.ts for row in live.journal.of(EquityRow)]
            assert stamps == [opened, opened + MINUTE + 1, opened + 2 * MINUTE + 1]
            await live.play(last_bar(DAY, 103))
            assert live.journal.of(EquityRow)[-1].ts == session_of(DAY).close_ns

    asyncio.run(run())


def test_a_split_is_told_at_the_open_of_its_day_with_indicators_rescaled() -> None:
    class Tracking(Script):
        def on_begin(self) -> None:
            self.scale = 1.0
            self.track("AAA", self)

        def rescale(self, factor: float) -> None:
            self.scale *= factor

        def on_split(self, symbol: str, numerator: int, denominator: int) -> None:
            self.said.append(("split", symbol, numerator, denominator, self.scale))

    async def run() -> None:
        split = CorporateAction(
            symbol="AAA", ex_date=dt.date(2024, 7, 3), kind=ActionKind.SPLIT, numerator=2
        )
        strategy = Tracking({1: lambda s: s.enter("AAA", Side.BUY, 10, reason="test")})
        live = Live(strategy, start=session_of(DAY).open_ns - MINUTE, actions=[split])
        async with live:
            await live.play(*minute_batches(DAY, {"AAA": [100, 100]}), last_bar(DAY, 100))
            line = live.book.position("AAA")
            line.quantity = 20  # as the book's own split would leave it
            await live.play(*minute_batches(NEXT, {"AAA": [50]}))
            assert ("split", "AAA", 2, 1, 0.5) in strategy.said
            assert live.engine.picture_differences() == {}
            await until(lambda: int(strategy.cache.positions_open()[0].signed_qty) == 20)
            assert [one[0] for one in strategy.said].count("filled") == 1

    asyncio.run(run())


def test_on_the_wall_clock_timers_fire_by_the_time_of_day() -> None:
    class Timed(Script):
        def on_begin(self) -> None:
            self.clock.set_timer_ns("fast", 20_000_000)

        def on_time_event(self, event) -> None:
            self.said.append(("tick", event.ts_event, self.now))

    async def run() -> None:
        strategy, clock = Timed(), WallClock()
        began = clock.now()
        async with Live(strategy, clock=clock) as live:
            await live.engine.warm_up(())
            await until(lambda: len(strategy.said) >= 3)
            assert all(began < due <= now for what, due, now in strategy.said if what == "tick")
            at = nanos(100)
            await live.engine.deliver(Batch(clock.now(), (MarketBar("AAA", at, at, at, at, 1),)))
            assert len(strategy.seen) == 1
        assert live.faults == []

    asyncio.run(run())


def test_warm_up_shows_a_position_from_its_opening_on() -> None:
    class Counts(Script):
        def on_bar(self, bar: Bar) -> None:
            super().on_bar(bar)
            held.append((self.warming_up, self.position("AAA"), self.entry_price("AAA")))

    held: list[tuple[bool, int, float | None]] = []

    async def run() -> None:
        first = Counts({2: lambda s: s.enter("AAA", Side.BUY, 5, reason="test")})
        batches = minute_batches(DAY, {"AAA": [100, 101, 102, 103, 104]})
        async with Live(first, start=batches[0].ts - 1) as live:
            await live.play(*batches[:4])
        asked = [None, None, 5, 5]
        assert [one[1] or None for one in held] == asked
        held.clear()
        again = Live(Counts(), start=batches[3].ts, book=live.book, shim=live.shim)
        async with again as live:
            await live.engine.warm_up(batches[:4])
            await live.play(batches[4])
        assert [one[1] or None for one in held] == [*asked, 5]
        assert [one[0] for one in held] == [True] * 4 + [False]

    asyncio.run(run())
