"""The engine's own verbs end in the shim, those it uses by itself included."""

import asyncio

from nautilus_trader.model import OrderSide, OrderStatus, Price, Quantity, TimeInForce
from nautilus_trader.model import OrderType as EngineOrderType
from nautilus_trader.trading import Strategy as EngineStrategy

from tests.integration.engine_live.live_kit import Live, Script, minute_batches, settle, until
from tradingd.domain.journal import DecisionRow, OrderState
from tradingd.domain.money import nanos
from tradingd.domain.orders import Purpose, Side
from tradingd.engine.venue import instrument_id

DAY = "2024-07-02"
BATCHES = minute_batches(DAY, {"AAA": [100, 101, 102, 103, 104, 105, 106]})
AAA = instrument_id("AAA")


def at(value: float) -> Price:
    return Price(value, 9)


def market(strategy, side=OrderSide.BUY, quantity=10, **options):
    order = strategy.order_factory.market(AAA, side, Quantity.from_int(quantity), **options)
    strategy.submit_order(order)
    return order


def session(acts, *, denies: bool = False, batches: int = 0):
    """Run a script; return (strategy, live) after `batches` batches, all of them by default."""

    async def run():
        strategy = Script(acts)
        live = Live(strategy)
        live.shim.denies = denies
        async with live:
            await live.play(*BATCHES[: batches or len(BATCHES)])
            await settle()
            strategy.open_orders = [
                one.client_order_id.value for one in strategy.cache.orders_open()
            ]
            strategy.statuses = [one.status for one in strategy.cache.orders()]
            strategy.net = sum(int(one.signed_qty) for one in strategy.cache.positions_open())
        assert live.faults == []
        return strategy, live

    return asyncio.run(run())


def test_a_native_order_is_judged_sent_and_filled_under_its_own_engine_id() -> None:
    strategy, live = session({1: lambda s: market(s, tags=["why"])})
    (wish,) = live.shim.wishes
    assert (wish.purpose, wish.reason, wish.quantity) == (Purpose.ENTRY, "why", 10)
    assert strategy.statuses == [OrderStatus.FILLED]
    assert strategy.net == 10


def test_a_denied_native_order_gets_a_final_state_and_never_reaches_the_engine() -> None:
    strategy, _ = session({1: market}, denies=True)
    assert strategy.results[0].status == OrderStatus.DENIED
    assert strategy.statuses == []


def test_an_order_object_is_sent_once() -> None:
    def twice(strategy):
        strategy.submit_order(market(strategy))

    _, live = session({1: twice})
    assert len(live.shim.wishes) == 1
    (refused,) = live.journal.of(DecisionRow)
    assert "sent before" in refused.observed


def test_what_no_broker_takes_is_denied_and_recorded() -> None:
    def odd(strategy):
        order = strategy.order_factory.limit(
            AAA,
            OrderSide.BUY,
            Quantity.from_int(1),
            at(90),
            time_in_force=TimeInForce.GTD,
            expire_time=2**62,
        )
        strategy.submit_order(order)
        return order

    strategy, live = session({1: odd})
    assert live.shim.wishes == []
    assert strategy.results[0].status == OrderStatus.DENIED
    assert live.journal.of(DecisionRow)[0].limit == "engine"


def test_a_bracket_becomes_one_entry_and_its_legs_live_by_the_shims_protection() -> None:
    def bracket(strategy):
        orders = strategy.order_factory.bracket(
            AAA, OrderSide.BUY, Quantity.from_int(10), sl_trigger_price=at(95), tp_price=at(120)
        )
        strategy.submit_order_list(orders)
        return orders

    strategy, live = session({1: bracket})
    entry = live.shim.wishes[0]
    assert (entry.protective_stop, entry.take_profit) == (nanos(95), nanos(120))
    legs = strategy.results[0][1:]
    stop = next(one for one in legs if hasattr(one, "trigger_price") and one.trigger_price)
    assert stop.client_order_id.value in strategy.open_orders
    assert strategy.net == 10


def test_legs_of_a_bracket_whose_entry_never_filled_are_cancelled() -> None:
    def bracket(strategy):
        orders = strategy.order_factory.bracket(
            AAA,
            OrderSide.BUY,
            Quantity.from_int(10),
            entry_order_type=EngineOrderType.LIMIT,
            entry_price=at(50),
            sl_trigger_price=at(40),
            tp_price=at(120),
        )
        strategy.submit_order_list(orders)
        return orders

    strategy, _ = session(
        {1: bracket, 3: lambda s: s.cancel_order(s.results[0][0].client_order_id)}
    )
    assert strategy.statuses == [OrderStatus.CANCELED] * 3


def test_a_native_stop_becomes_the_positions_protection() -> None:
    def stop(strategy):
        order = strategy.order_factory.stop_market(
            AAA, OrderSide.SELL, Quantity.from_int(10), at(95), reduce_only=True
        )
        strategy.submit_order(order)
        return order

    strategy, live = session({1: market, 3: stop, 5: stop})
    assert live.shim.stop_price("AAA") == nanos(95)
    assert strategy.open_orders == [strategy.results[1].client_order_id.value]
    assert strategy.results[2].status == OrderStatus.DENIED


def test_modify_and_cancel_by_the_engines_id() -> None:
    def limit(strategy):
        order = strategy.order_factory.limit(AAA, OrderSide.BUY, Quantity.from_int(10), at(50))
        strategy.submit_order(order)
        return order.client_order_id

    strategy, live = session(
        {
            1: limit,
            2: lambda s: s.modify_order(s.results[0], Quantity.from_int(5), at(60)),
            4: lambda s: s.cancel_order(s.results[0]),
        }
    )
    (row,) = live.shim.rows.values()
    assert (row.quantity, row.limit, row.state) == (5, nanos(60), OrderState.CANCELED)
    assert strategy.statuses == [OrderStatus.CANCELED]


def test_cancel_all_leaves_protection_and_market_exit_closes() -> None:
    def limit(strategy):
        strategy.enter("AAA", Side.BUY, 5, reason="rest", limit=50)

    strategy, live = session(
        {
            1: lambda s: s.enter("AAA", Side.BUY, 10, reason="in", stop=95),
            2: limit,
            4: lambda s: s.cancel_all_orders(AAA),
        }
    )
    assert [row.purpose for row in live.shim.open_orders()] == [Purpose.PROTECT]
    strategy, live = session(
        {
            1: lambda s: s.enter("AAA", Side.BUY, 10, reason="in", stop=95),
            2: limit,
            4: lambda s: s.market_exit(),
        }
    )
    assert live.book.positions() == {}
    assert live.shim.open_orders() == []
    assert strategy.net == 0


def test_closing_verbs_close_what_is_held() -> None:
    for close in (
        lambda s: s.close_all_positions(AAA),
        lambda s: s.close_position(s.cache.positions_open()[0]),
    ):
        strategy, live = session({1: market, 4: close})
        assert live.book.positions() == {}
        assert strategy.net == 0


def test_orders_the_engine_makes_by_itself_meet_the_shim() -> None:
    """The engine's own close and exit skip every override of ours."""

    async def run() -> None:
        strategy = Script({1: market})
        live = Live(strategy)
        async with live:
            await live.play(*BATCHES[:3])
            await until(lambda: strategy.cache.positions_open())
            EngineStrategy.close_all_positions(strategy, AAA)
            await until(lambda: len(live.shim.wishes) == 2)
            assert live.shim.wishes[1].purpose is Purpose.EXIT
            assert live.engine.intercepted == 1
            await live.play(*BATCHES[3:5])
            assert live.book.positions() == {}
            await until(lambda: not strategy.cache.positions_open())

    asyncio.run(run())


def test_an_order_the_engine_makes_by_itself_is_denied_there_when_the_shim_denies() -> None:
    async def run() -> None:
        strategy = Script({1: market})
        live = Live(strategy)
        async with live:
            await live.play(*BATCHES[:3])
            await until(lambda: strategy.cache.positions_open())
            live.shim.denies = True
            EngineStrategy.close_all_positions(strategy, AAA)
            await until(
                lambda: any(one.status == OrderStatus.DENIED for one in strategy.cache.orders())
            )
            assert live.book.position("AAA").quantity == 10

    asyncio.run(run())
