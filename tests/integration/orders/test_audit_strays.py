"""What exits open or enlarge by filling twice is closed once, whatever comes meanwhile."""

from pathlib import Path

import msgspec

from tests.crash.life import SETTINGS, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    held,
    opened,
    play,
    rows,
    stands,
    until,
    wish,
    working,
)
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerFill, FillUpdate
from tradingd.domain.orders import Side

CALM = msgspec.structs.replace(SETTINGS, command_seconds=1.0)
CLOSES = "SELECT count(*) FROM orders WHERE purpose = 'PROTECT' AND type = 'MARKET'"


def test_a_stop_that_fills_after_an_entry_turned_the_position_is_undone(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        await process.client.misbehave({"script": {"cancel": ["drop_request"] * 3}})
        process.shim.submit(wish(process, Side.SELL, 150, protective_stop=102 * DOLLAR))
        await until(lambda: held(process) == -50)
        await process.batch({SYMBOL: (-300, 0, -100)})
        await until(lambda: process.shim.order(stop.client_order_id).state == "FILLED")
        await process.client.misbehave({})
        await until(lambda: held(process) == -50 and not process.shim.strays())
        (stop,) = await stands(process, 1)
        assert (stop.side, stop.quantity) == (Side.BUY, 50)

    play(folder, scene, settings=CALM)
    assert rows(folder, CLOSES) == [(1,)]


def test_a_split_restates_an_entry_that_waits_for_approval(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(
            wish(process, quantity=100, protective_stop=98 * DOLLAR)
        ).order_id
        ticket = process.shim._desk.get(order_id)
        update = AdjustmentUpdate(
            adjustment_id="s", kind="split", symbol=SYMBOL, shares=0, cash=0, denominator=2
        )
        process.shim._parts.adjustments.apply(update)
        assert (ticket.quantity, ticket.protective_stop) == (50, 196 * DOLLAR)

    play(folder, scene, settings=CALM, approval="manual")


def test_no_recent_fill_is_forgotten_and_booked_twice(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        fills = process.shim._parts.fills
        (fill,) = await process.client.fills(0)
        fills._seen |= dict.fromkeys((f"old-{number}" for number in range(40_001)), fill.ts)
        other = BrokerFill(**{**msgspec.structs.asdict(fill), "fill_id": "one more", "quantity": 1})
        await process.shim._parts.following._take(FillUpdate(other))
        await process.shim._parts.following._take(FillUpdate(fill))
        assert held(process) == 101

    play(folder, scene, settings=CALM)
