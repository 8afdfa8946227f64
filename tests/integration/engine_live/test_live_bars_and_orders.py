"""Bars in, orders out, fills back: the life of a live session."""

import asyncio

from tests.integration.engine_live.live_kit import (
    Live,
    Script,
    minute_batches,
    settle,
    until,
)
from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.money import nanos
from tradingd.domain.orders import OrderType, Purpose, Side

DAY = "2024-07-02"
RISING = minute_batches(DAY, {"AAA": [100, 101, 102, 103, 104, 105]})


def buy(strategy, quantity: int = 10, **options):
    return strategy.enter("AAA", Side.BUY, quantity, reason="test", **options)


def test_every_strategy_sees_every_bar_before_deliver_returns() -> None:
    async def run() -> None:
        strategy = Script()
        async with Live(strategy) as live:
            for number, batch in enumerate(RISING, start=1):
                live.clock.advance(batch.ts)
                await live.engine.deliver(batch)
                assert len(strategy.seen) == number
        assert [price for _, _, price in strategy.seen] == [100, 101, 102, 103, 104, 105]
        assert live.faults == []

    asyncio.run(run())


def test_an_entry_reaches_the_shim_at_once_and_its_fill_comes_back() -> None:
    async def run() -> None:
        strategy = Script({2: lambda s: (buy(s, stop=99.5), s.pending("AAA"))})
        async with Live(strategy) as live:
            await live.play(*RISING[:2])
            (wish,) = live.shim.wishes
            assert (wish.strategy, wish.symbol, wish.quantity) == ("Script", "AAA", 10)
            assert (wish.type, wish.purpose) == (OrderType.MARKET, Purpose.ENTRY)
            assert (wish.ts, wish.protective_stop) == (RISING[1].ts, nanos("99.5"))
            assert strategy.results == [("test-000001", True)]
            await live.play(RISING[2])
            assert ("filled", "AAA", "BUY", 10, nanos(101)) in strategy.said
            assert strategy.position("AAA") == 10
            assert strategy.stop_price("AAA") == 99.5
            assert not strategy.pending("AAA")

    asyncio.run(run())


def test_a_denied_entry_returns_none_and_leaves_no_order_in_the_engine() -> None:
    async def run() -> None:
        strategy = Script({1: buy})
        live = Live(strategy)
        live.shim.denies = True
        async with live:
            await live.play(*RISING[:2])
            assert strategy.results == [None]
            assert strategy.cache.orders() == []

    asyncio.run(run())


def test_an_exit_closes_what_is_held_and_never_twice() -> None:
    async def run() -> None:
        strategy = Script(
            {
                1: buy,
                3: lambda s: (
                    s.exit("AAA", reason="part", quantity=4),
                    s.exit("AAA", reason="rest"),
                    s.exit("AAA", reason="none left"),
                ),
            }
        )
        async with Live(strategy) as live:
            await live.play(*RISING[:3])
            assert strategy.results[-1] == ("test-000002", "test-000003", None)
            await live.play(RISING[3])
            assert strategy.position("AAA") == 0
            exits = [(w.purpose, w.side, w.quantity) for w in live.shim.wishes[1:]]
            assert exits == [(Purpose.EXIT, Side.SELL, 4), (Purpose.EXIT, Side.SELL, 6)]

    asyncio.run(run())


def test_a_limit_rests_until_cancelled() -> None:
    async def run() -> None:
        strategy = Script({1: lambda s: buy(s, limit=90.004), 3: lambda s: s.cancel("test-000001")})
        async with Live(strategy) as live:
            await live.play(*RISING[:2])
            (wish,) = live.shim.wishes
            assert (wish.type, wish.limit) == (OrderType.LIMIT, nanos(90))
            assert wish.time_in_force is TimeInForce.GTC
            assert strategy.pending("AAA")
            await live.play(RISING[2])
            assert not strategy.pending("AAA")

    asyncio.run(run())


def test_the_engine_shows_orders_positions_and_stops_of_the_shim() -> None:
    async def run() -> None:
        strategy = Script({1: lambda s: buy(s, stop=99)})
        async with Live(strategy) as live:
            await live.play(*RISING[:2])
            await until(lambda: len(strategy.cache.positions_open()) == 1)
            (position,) = strategy.cache.positions_open()
            assert (int(position.signed_qty), float(position.avg_px_open)) == (10, 100.0)
            assert position.strategy_id.value == "Script-001"
            await until(lambda: len(strategy.cache.orders_open()) == 1)
            (stop,) = strategy.cache.orders_open()
            assert stop.client_order_id.value == "test-000002"
            assert stop.trigger_price.as_double() == 99.0
            strategy.move_stop("AAA", 99.5, reason="trail")
            await until(lambda: strategy.cache.orders_open()[0].trigger_price.as_double() == 99.5)
            assert strategy.stop_price("AAA") == 99.5
            assert live.engine.picture_differences() == {}

    asyncio.run(run())


def test_the_engines_handlers_hear_the_steps_of_an_order() -> None:
    class Listening(Script):
        def on_order_event(self, event) -> None:
            self.said.append(type(event).__name__)

        def on_position_opened(self, event) -> None:
            self.said.append(type(event).__name__)

    async def run() -> None:
        strategy = Listening({1: buy})
        async with Live(strategy) as live:
            await live.play(*RISING[:2])
            await until(lambda: "PositionOpened" in strategy.said)
        heard = [one for one in strategy.said if isinstance(one, str)]
        assert heard == [
            "OrderInitialized",
            "OrderSubmitted",
            "OrderAccepted",
            "OrderFilled",
            "PositionOpened",
        ]

    asyncio.run(run())


def test_a_partial_fill_is_told_in_parts() -> None:
    async def run() -> None:
        strategy = Script({1: lambda s: buy(s, limit=50)})
        async with Live(strategy) as live:
            await live.play(RISING[0])
            live.shim.fill("test-000001", 3, nanos(50))
            await settle()
            assert strategy.position("AAA") == 3
            assert strategy.pending("AAA")
            live.shim.fill("test-000001", 7, nanos(49))
            await until(lambda: len(strategy.cache.orders_closed()) == 1)
            assert [one[3] for one in strategy.said if one[0] == "filled"] == [3, 7]
            await until(lambda: int(strategy.cache.positions_open()[0].signed_qty) == 10)

    asyncio.run(run())


def test_bars_that_a_strategy_unsubscribes_are_not_shown_and_nothing_waits_for_them() -> None:
    async def run() -> None:
        kinds = {}

        def leave(strategy) -> None:
            kinds["AAA"] = next(one for one in strategy._names if "AAA" in str(one))
            strategy.unsubscribe_bars(kinds["AAA"])

        strategy = Script({1: leave, 3: lambda s: s.subscribe_bars(kinds["AAA"])})
        batches = minute_batches(DAY, {"AAA": [1, 2, 3, 4], "BBB": [5, 6, 7, 8]})
        async with Live(strategy, symbols=("AAA", "BBB")) as live:
            await live.play(*batches)
        assert [one[1] for one in strategy.seen] == [
            "AAA",
            "BBB",
            "BBB",
            "AAA",
            "BBB",
            "AAA",
            "BBB",
        ]
        assert live.faults == []

    asyncio.run(run())


def test_a_fill_in_the_middle_of_a_batch_is_told_after_it() -> None:
    class Counting(Script):
        def on_filled(self, fill) -> None:
            self.said.append(("filled", len(self.seen)))

    async def run() -> None:
        strategy = Counting()
        names = [f"S{n:03d}" for n in range(900)]
        (batch,) = minute_batches(DAY, {name: [100] for name in names})
        async with Live(strategy, symbols=names) as live:
            await live.engine.warm_up(())
            order_id = strategy.enter("S000", Side.BUY, 1, reason="test")
            live.clock.advance(batch.ts)
            delivery = asyncio.ensure_future(live.engine.deliver(batch))
            await until(lambda: strategy.seen)
            live.shim.fill(order_id, 1, nanos(100))
            assert 0 < len(strategy.seen) < 900
            await delivery
            assert len(strategy.seen) == 900
            assert [one for one in strategy.said if one[0] == "filled"] == [("filled", 900)]
        assert live.faults == []

    asyncio.run(run())
