"""A broker that holds back the shares of what it sells: one exit rests, the others wait here."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.crash.life import MINUTE, OPEN, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    held,
    leave,
    opened,
    play,
    rows,
    stands,
    until,
    wish,
    working,
)
from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.orders import OrderType, Side
from tradingd.domain.states import Scope, StateRecord, TradingState

LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "limit": 103 * DOLLAR}


def apart(folder: Path, scene: Any, **options: Any) -> Any:
    return play(folder, scene, exits_apart=True, **options)


async def guarded(process: Process, **changes: Any) -> None:
    """Hold 100 shares bought at about 100, with a stop at 98 and a target at 103."""
    await process.batch({})
    wanted = {"protective_stop": 98 * DOLLAR, "take_profit": 103 * DOLLAR} | changes
    order_id = process.shim.submit(wish(process, **wanted)).order_id
    await until(lambda: process.shim.order(order_id).state == "FILLED")
    await stands(process, 1)


async def move(process: Process, low: int = 0, high: int = 0, close: int = 0) -> None:
    await process.batch({SYMBOL: (low * 100, high * 100, close * 100)})


def test_only_the_stop_rests_and_a_target_that_is_reached_leaves_after_it_let_go(
    folder: Path,
) -> None:
    async def scene(process: Process) -> list[tuple[str, str, str]]:
        told: list[tuple[str, str, str]] = []
        await guarded(process)
        (stop,) = await working(process)
        assert (stop.type, stop.quantity) == (OrderType.STOP_MARKET, 100)
        process.shim.listen(
            lambda event: told.append((event.order.type, event.order.purpose, event.step.value))
        )
        await move(process, high=2)
        assert held(process) == 100
        await move(process, high=4, close=2)
        await until(lambda: held(process) == 0)
        await stands(process, 0)
        return told

    told = apart(folder, scene)
    gone = told.index(("STOP_MARKET", "PROTECT", "canceled"))
    assert gone < told.index(("MARKET", "PROTECT", "sent"))
    assert rows(folder, "SELECT active FROM guards") == [(0,)]
    ((reason, order_id),) = rows(
        folder, "SELECT reason, order_id FROM orders WHERE type = 'MARKET' AND purpose = 'PROTECT'"
    )
    assert reason == "the target 103.0000 was reached"
    assert ".swing.T." in order_id


def test_a_quote_reaches_a_target_and_the_ask_does_not_sell(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process)
        process.shim.on_quote(SYMBOL, 102 * DOLLAR, 103 * DOLLAR)
        assert [row.type for row in process.shim.open_orders()] == ["STOP_MARKET"]
        process.shim.on_quote(SYMBOL, 103 * DOLLAR, 104 * DOLLAR)
        await until(lambda: held(process) == 0)

    apart(folder, scene)


def test_a_short_is_bought_back_at_its_target(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        process.shim.submit(
            wish(process, Side.SELL, protective_stop=102 * DOLLAR, take_profit=97 * DOLLAR)
        )
        await stands(process, 1)
        await move(process)
        await move(process, low=-4, close=-1)
        await until(lambda: held(process) == 0)

    apart(folder, scene)


def test_what_a_bar_did_before_there_was_a_target_does_not_reach_it(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        # Bought within the bar whose high may have been before.
        order_id = process.shim.submit(
            wish(
                process,
                type=OrderType.LIMIT,
                limit=99 * DOLLAR,
                protective_stop=95 * DOLLAR,
                take_profit=103 * DOLLAR,
            )
        ).order_id
        await stands(process, 1)
        await move(process, low=-2, high=5)
        await until(lambda: process.shim.order(order_id).state == "FILLED")
        await stands(process, 1)
        assert held(process) == 100
        await move(process, high=3)
        await until(lambda: held(process) == 0)

    apart(folder, scene)


def test_at_night_the_stop_stays_whatever_a_quote_shows(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process)
        process.clock.advance(OPEN + 400 * MINUTE)
        process.shim.on_quote(SYMBOL, 110 * DOLLAR, 111 * DOLLAR)
        assert [row.type for row in process.shim.open_orders()] == ["STOP_MARKET"]
        await process.batch({}, night=True)
        process.shim.on_quote(SYMBOL, 110 * DOLLAR, 111 * DOLLAR)
        await until(lambda: held(process) == 0)

    apart(folder, scene)


def test_the_stop_grows_back_when_the_exit_at_the_target_comes_to_nothing(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process)
        await process.client.misbehave({"script": {"submit": ["reject"]}})
        process.shim.on_quote(SYMBOL, 103 * DOLLAR, 104 * DOLLAR)
        await until(lambda: any(row.state == "REJECTED" for row in process.shim.known_orders()))
        (stop,) = await stands(process, 1)
        assert (stop.type, stop.quantity, stop.stop) == (OrderType.STOP_MARKET, 100, 98 * DOLLAR)
        assert process.shim.unprotected() == []
        assert held(process) == 100

    apart(folder, scene)


def test_a_target_is_reached_while_the_account_is_halted(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process)
        process.states.set(
            StateRecord(
                scope=Scope(), state=TradingState.HALTED, reason="drill", author="op", since=1
            )
        )
        process.shim.on_quote(SYMBOL, 103 * DOLLAR, 104 * DOLLAR)
        await until(lambda: held(process) == 0)

    apart(folder, scene)


def test_a_restart_goes_on_watching_targets_and_limits(folder: Path) -> None:
    async def before(process: Process) -> str:
        await guarded(process, take_profit=None)
        limit = process.shim.submit(leave(process, 40, time_in_force=TimeInForce.GTC, **LIMIT))
        assert limit.allowed
        row = process.shim.order(limit.order_id)
        assert (row.state, row.note) == ("INTENT", "waiting for its price")
        assert process.shim.guard(
            SYMBOL, stop=98 * DOLLAR, take_profit=105 * DOLLAR, reason="wants more"
        ).allowed
        assert [order.type for order in await working(process)] == [OrderType.STOP_MARKET]
        return str(limit.order_id)

    async def scene(process: Process) -> None:
        assert process.shim.order(kept).note == "waiting for its price"
        assert await process.shim.settled(1)
        await move(process, high=3, close=3)
        await until(lambda: held(process) == 60)
        (stop,) = await stands(process, 1)
        assert (stop.quantity, stop.stop) == (60, 98 * DOLLAR)
        assert process.shim.order(kept).state == "FILLED"
        await move(process, high=3)
        await until(lambda: held(process) == 0)

    kept = apart(folder, before)
    apart(folder, scene)


def test_a_kept_limit_can_be_changed_cancelled_and_ends_with_its_session(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process, take_profit=None)
        first = process.shim.submit(leave(process, 40, **LIMIT)).order_id
        second = process.shim.submit(leave(process, 30, **LIMIT)).order_id
        assert process.shim.replace(first, limit=102 * DOLLAR, quantity=50, reason="x").allowed
        assert process.shim.order(first).limit == 102 * DOLLAR
        assert process.shim.cancel(second, reason="changed my mind")
        assert process.shim.order(second).state == "CANCELED"
        await process.batch({}, night=True)
        assert process.shim.order(first).state == "CANCELED"
        assert held(process) == 100

    apart(folder, scene)


def test_a_limit_exit_whose_price_is_there_leaves_at_once(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process, take_profit=None)
        limit = {"type": OrderType.LIMIT, "limit": 99 * DOLLAR}
        process.shim.submit(leave(process, 40, **limit))
        await until(lambda: held(process) == 60)
        (stop,) = await stands(process, 1)
        assert stop.quantity == 60

    apart(folder, scene)


def test_what_cannot_rest_beside_the_stop_is_refused_with_a_reason(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await guarded(process)
        stop = {"type": OrderType.STOP_MARKET, "stop": 97 * DOLLAR}
        denied = [
            process.shim.submit(leave(process, 40, **stop)),
            process.shim.submit(wish(process, Side.SELL, 200)),
        ]
        for admission in denied:
            (denial,) = admission.verdict.denials
            assert denial.limit == "broker"
        assert "beside it" in denied[0].verdict.denials[0].explanation
        assert "exit AAA first" in denied[1].verdict.denials[0].explanation
        assert len(await working(process)) == 1

    apart(folder, scene)


def test_a_strategys_own_stop_rests_until_a_guard_needs_its_shares(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, protective_stop=None)
        stop = {"type": OrderType.STOP_MARKET, "stop": 97 * DOLLAR}
        own = process.shim.submit(leave(process, 60, **stop)).order_id
        assert not process.shim.submit(leave(process, 60, **stop)).allowed
        await stands(process, 1)
        assert process.shim.guard(SYMBOL, stop=98 * DOLLAR, reason="all of it").allowed
        await until(lambda: process.shim.order(own).state == "CANCELED")
        (order,) = await stands(process, 1)
        assert (order.quantity, order.stop) == (100, 98 * DOLLAR)

    apart(folder, scene)


def test_an_entry_against_what_was_bought_gives_way_to_the_stop(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        against = process.shim.submit(
            wish(process, Side.SELL, 50, type=OrderType.LIMIT, limit=110 * DOLLAR)
        ).order_id
        await stands(process, 1)
        limit = {"type": OrderType.LIMIT, "limit": 101 * DOLLAR}
        process.shim.submit(wish(process, protective_stop=98 * DOLLAR, **limit))
        await until(lambda: process.shim.order(against).state == "CANCELED")
        (order,) = await stands(process, 1)
        assert (order.type, order.quantity) == (OrderType.STOP_MARKET, 100)

    apart(folder, scene)


@pytest.mark.parametrize("quantity", [40, 100])
def test_an_exit_at_the_market_waits_for_the_stop(folder: Path, quantity: int) -> None:
    async def scene(process: Process) -> list[tuple[str, str]]:
        told: list[tuple[str, str]] = []
        await guarded(process)
        process.shim.listen(lambda event: told.append((event.order.purpose, event.step.value)))
        process.shim.submit(leave(process, quantity))
        await until(lambda: held(process) == 100 - quantity)
        found = await stands(process, 1 if quantity < 100 else 0)
        assert [order.quantity for order in found] == [100 - quantity] * (quantity < 100)
        return told

    told = apart(folder, scene)
    let_go = ("PROTECT", "replaced" if quantity < 100 else "canceled")
    assert told.index(let_go) < told.index(("EXIT", "sent"))


def test_an_extended_hours_limit_is_refused_where_the_broker_has_none(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        limit = {"type": OrderType.LIMIT, "limit": 99 * DOLLAR}
        asked = [
            wish(process, extended_hours=True, **limit),
            wish(process, time_in_force=TimeInForce.OPG, **limit),
            wish(process, type=OrderType.TRAILING_STOP),
            msgspec.structs.replace(wish(process), trail_bps=50),
        ]
        for one in asked:
            (denial,) = process.shim.submit(one).verdict.denials
            assert denial.limit == "broker"
            assert denial.explanation
        assert await working(process) == []
        assert process.clock.now() >= OPEN

    apart(folder, scene)
    assert rows(folder, "SELECT count(*) FROM orders WHERE state = 'DENIED'") == [(4,)]
