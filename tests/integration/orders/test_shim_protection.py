from pathlib import Path

import msgspec

from tests.crash.life import DAY, HASTY, Process
from tests.integration.orders.shim_bench import (
    CENT,
    DOLLAR,
    SYMBOL,
    held,
    leave,
    opened,
    play,
    resting,
    rows,
    stands,
    until,
    wish,
    working,
)
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.orders import OrderType, Side
from tradingd.domain.states import Scope, StateRecord, TradingState


async def move(process: Process, low: int = 0, high: int = 0, close: int = 0) -> None:
    """Tell the market one bar of the symbol; moves in dollars from the last close."""
    await process.batch({SYMBOL: (low * 100, high * 100, close * 100)})


def halt(process: Process) -> None:
    record = StateRecord(
        scope=Scope(), state=TradingState.HALTED, reason="drill", author="op", since=1
    )
    process.states.set(record)


def test_a_position_has_its_stop_and_target_and_one_cancels_the_other(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, take_profit=103 * DOLLAR)
        legs = {order.type: order for order in await working(process)}
        assert legs[OrderType.STOP_MARKET].stop == 98 * DOLLAR
        assert legs[OrderType.LIMIT].limit == 103 * DOLLAR
        assert {order.quantity for order in legs.values()} == {100}
        assert process.shim.stop_price(SYMBOL) == 98 * DOLLAR
        await move(process, high=4, close=2)
        await until(lambda: held(process) == 0)
        await stands(process, 0)
        assert process.shim.stop_price(SYMBOL) is None

    play(folder, scene)
    assert rows(folder, "SELECT active FROM guards") == [(0,)]


def test_a_short_is_protected_from_above(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        process.shim.submit(wish(process, Side.SELL, protective_stop=102 * DOLLAR))
        (stop,) = await stands(process, 1)
        assert (stop.side, stop.quantity, stop.stop) == (Side.BUY, 100, 102 * DOLLAR)
        await move(process, high=3, close=3)
        await until(lambda: held(process) == 0)

    play(folder, scene)


def test_the_stop_follows_partial_fills_of_the_entry(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        parts = {"fault": "partial", "pieces": 4}
        await process.client.misbehave({"script": {"submit": [parts]}})
        process.shim.submit(wish(process, protective_stop=98 * DOLLAR))
        await until(lambda: held(process) == 25)
        (stop,) = [order for order in await stands(process, 2) if order.stop]
        assert stop.quantity == 25
        for shares in (50, 75):
            await process.batch({})
            await until(lambda shares=shares: held(process) == shares)
        await process.batch({})
        await until(lambda: held(process) == 100)
        await until(lambda: process.shim.open_orders()[0].quantity == 100)
        (stop,) = await stands(process, 1)
        assert stop.quantity == 100

    play(folder, scene)


def test_the_stop_shrinks_before_a_part_is_sold(folder: Path) -> None:
    async def scene(process: Process) -> list[tuple[str, str]]:
        told: list[tuple[str, str]] = []
        await opened(process)
        process.shim.listen(lambda event: told.append((event.order.purpose, event.step.value)))
        process.shim.submit(leave(process, 40))
        await until(lambda: held(process) == 60)
        (stop,) = await stands(process, 1)
        assert stop.quantity == 60
        return told

    told = play(folder, scene)
    assert told.index(("PROTECT", "replaced")) < told.index(("EXIT", "sent"))


def test_a_full_exit_leaves_after_the_stop_is_confirmed_cancelled(folder: Path) -> None:
    async def scene(process: Process) -> list[tuple[str, str]]:
        told: list[tuple[str, str]] = []
        await opened(process, take_profit=103 * DOLLAR)
        process.shim.listen(lambda event: told.append((event.order.purpose, event.step.value)))
        await process.client.misbehave({"script": {"cancel": ["drop_request", "drop_response"]}})
        process.shim.submit(leave(process))
        await until(lambda: held(process) == 0)
        await stands(process, 0)
        return told

    told = play(folder, scene)
    last = max(n for n, step in enumerate(told) if step == ("PROTECT", "canceled"))
    assert last < told.index(("EXIT", "sent"))


def test_the_stop_comes_back_when_the_exit_is_rejected(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"script": {"submit": ["reject"]}})
        order_id = process.shim.submit(leave(process)).order_id
        await until(lambda: process.shim.order(order_id).state == "REJECTED")
        (stop,) = await stands(process, 1)
        assert (stop.quantity, stop.stop) == (100, 98 * DOLLAR)
        assert process.shim.unprotected() == []

    play(folder, scene)


def test_the_stop_comes_back_when_the_exit_was_lost(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"script": {"submit": ["drop_request"]}})
        order_id = process.shim.submit(leave(process)).order_id
        await until(lambda: process.shim.order(order_id).state == "LOST")
        (stop,) = await stands(process, 1)
        assert stop.quantity == 100

    play(folder, scene)


def test_a_rejected_stop_is_tried_again_and_named_meanwhile(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        await process.client.misbehave({"script": {"submit": ["ok", "reject", "reject"]}})
        process.shim.submit(wish(process, protective_stop=98 * DOLLAR))
        await until(lambda: process.shim.unprotected() == [SYMBOL])
        (stop,) = await stands(process, 1)
        assert stop.stop == 98 * DOLLAR
        assert process.shim.unprotected() == []

    play(folder, scene)
    assert rows(folder, "SELECT count(*) FROM orders WHERE state = 'REJECTED'") == [(2,)]


def test_a_stop_that_cannot_be_changed_is_replaced_by_another(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"ops": ["replace"], "probabilities": {"reject": 1}})
        assert process.shim.guard(SYMBOL, stop=99 * DOLLAR, reason="trails").allowed
        await until(
            lambda: len(rows(folder, "SELECT 1 FROM orders WHERE stop = ?", 99 * DOLLAR)) > 0
        )
        (stop,) = await stands(process, 1)
        assert stop.stop == 99 * DOLLAR

    play(folder, scene)


def test_a_guard_moves_and_ends_on_demand(folder: Path) -> None:
    async def scene(process: Process) -> None:
        shim = process.shim
        await opened(process)
        assert shim.guard(SYMBOL, stop=99 * DOLLAR, take_profit=104 * DOLLAR, reason="t").allowed
        await until(lambda: len(shim.open_orders()) == 2)
        assert {order.stop or order.limit for order in await stands(process, 2)} == {
            99 * DOLLAR,
            104 * DOLLAR,
        }
        assert shim.guard(SYMBOL, stop=None, reason="enough").allowed
        await stands(process, 0)
        assert shim.stop_price(SYMBOL) is None
        denied = shim.guard("ZZZ", stop=DOLLAR, reason="nothing there")
        assert [denial.limit for denial in denied.denials] == ["position"]

    play(folder, scene)


def test_a_guard_that_widens_the_risk_beyond_its_limit_stays(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        process.shim._guards._gate.set_limits(
            msgspec.structs.replace(process.limits, risk_per_trade_percent=0.002)
        )
        verdict = process.shim.guard(SYMBOL, stop=90 * DOLLAR, reason="hope")
        assert [denial.limit for denial in verdict.denials] == ["risk_per_trade_percent"]
        assert process.shim.stop_price(SYMBOL) == 98 * DOLLAR

    play(folder, scene)
    assert rows(folder, 'SELECT "limit" FROM decisions') == [("risk_per_trade_percent",)]


def test_a_leg_that_somebody_cancels_is_not_placed_again(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, take_profit=103 * DOLLAR)
        stop = next(row for row in process.shim.open_orders() if row.stop)
        assert process.shim.cancel(stop.order_id, reason="by hand")
        (target,) = await stands(process, 1)
        assert target.limit == 103 * DOLLAR
        assert process.shim.unprotected() == []

    play(folder, scene)


def test_when_stop_and_target_both_fill_what_is_too_much_is_closed(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, take_profit=103 * DOLLAR)
        await process.client.misbehave({"script": {"cancel": ["drop_request"]}})
        await move(process, low=-3, close=-3)
        await move(process, high=7)
        fills = await process.client.fills(0)
        assert [fill.quantity for fill in fills[:3]] == [100, 100, 100]
        await until(lambda: held(process) == 0 and not process.shim.open_orders())
        assert await process.client.positions() == []

    play(folder, scene)


def test_a_position_that_an_entry_turns_has_the_new_entrys_stop(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        process.shim.submit(
            wish(process, Side.SELL, 150, strategy="other", protective_stop=101 * DOLLAR)
        )
        await until(lambda: held(process) == -50)
        await until(lambda: process.shim.stop_price(SYMBOL) == 101 * DOLLAR)
        (stop,) = await stands(process, 1)
        assert (stop.side, stop.quantity, stop.stop) == (Side.BUY, 50, 101 * DOLLAR)
        assert process.shim.owners() == {SYMBOL: "other"}

    play(folder, scene)


def test_when_halted_stops_go_out_and_nothing_else(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process, 99, protective_stop=95 * DOLLAR)).order_id
        await stands(process, 1)
        halt(process)
        await move(process, low=-2, close=-1)
        (stop,) = await stands(process, 1)
        assert process.shim.order(order_id).state == "FILLED"
        assert stop.stop == 95 * DOLLAR
        assert not process.shim.submit(wish(process)).allowed
        assert not process.shim.submit(leave(process)).allowed
        removed = process.shim.guard(SYMBOL, stop=None, reason="no")
        assert [denial.limit for denial in removed.denials] == ["state"]

    play(folder, scene)


def test_resting_exits_go_when_the_position_has_gone(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        order_id = process.shim.submit(
            leave(process, type=OrderType.LIMIT, limit=103 * DOLLAR)
        ).order_id
        await stands(process, 2)
        await move(process, low=-3, close=-3)
        await until(lambda: held(process) == 0)
        await stands(process, 0)
        assert process.shim.order(order_id).state == "CANCELED"

    play(folder, scene)


def test_a_split_restates_position_guard_and_orders_once(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, take_profit=103 * DOLLAR)
        cash = process.book.cash
        action = CorporateAction(
            symbol=SYMBOL, ex_date=DAY, kind=ActionKind.SPLIT, numerator=2, denominator=1
        )
        await process.client.corporate_action(action, process.clock.now())
        await until(lambda: held(process) == 200)
        process.prices[SYMBOL] //= 2
        await until(lambda: {row.quantity for row in process.shim.open_orders()} == {200})
        legs = await stands(process, 2)
        assert {order.stop or order.limit for order in legs} == {49 * DOLLAR, 5150 * CENT}
        assert process.shim.stop_price(SYMBOL) == 49 * DOLLAR
        assert process.book.cash == cash
        await process.reconcile()
        assert held(process) == 200
        assert process.shim.reconciliation.clean

    play(folder, scene)
    assert rows(folder, "SELECT kind, shares FROM adjustments") == [("split", 100)]


def test_a_dividend_is_cash_of_the_round_trip(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        cash = process.book.cash
        action = CorporateAction(
            symbol=SYMBOL, ex_date=DAY, kind=ActionKind.DIVIDEND, amount=DOLLAR // 2
        )
        await process.client.corporate_action(action, process.clock.now())
        await until(lambda: process.book.cash == cash + 50 * DOLLAR)

    play(folder, scene)


def test_a_stop_that_was_lost_after_its_cancel_is_taken_back_when_it_appears(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, protective_stop=None)
        late = {"fault": "delay", "seconds": 2.0}
        await process.client.misbehave({"script": {"submit": [late]}})
        assert process.shim.guard(SYMBOL, stop=98 * DOLLAR, reason="now").allowed
        await until(lambda: bool(process.shim.unknown_orders()))
        stop = process.shim.unknown_orders()[0].order_id
        await until(lambda: process.shim.order(stop).state == "UNKNOWN")
        assert process.shim.guard(SYMBOL, stop=None, reason="not now").allowed
        await until(lambda: process.shim.order(stop).state == "LOST")
        assert process.shim.order(stop).cancel_asked
        await until(lambda: process.shim.order(stop).state == "CANCELED")
        assert await working(process) == []

    play(folder, scene, settings=msgspec.structs.replace(HASTY, settle_seconds=0.5))
    steps = [step for (step,) in rows(folder, "SELECT step FROM order_events ORDER BY id")]
    assert steps.index("lost") < steps.index("recovered")
