"""In shadow mode everything is judged and written down, and no command reaches the broker."""

from pathlib import Path
from typing import Any

from tests.crash.hooks import CountedBroker
from tests.crash.life import Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    held,
    leave,
    opened,
    play,
    resting,
    rows,
    until,
    wish,
    working,
)
from tradingd.domain.broker import Outcome
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.orders import OrderType
from tradingd.domain.states import Scope
from tradingd.domain.trading import OrderEvent, Step


class Mute(CountedBroker):
    """A client that notes every command and fails; its questions are real."""

    commands: list[str] = []

    async def submit(self, order: OrderRequest) -> Outcome:
        return self._refused(f"submit {order}")

    async def replace(self, client_order_id: str, **changes: Any) -> Outcome:
        return self._refused(f"replace {client_order_id} {changes}")

    async def cancel(self, client_order_id: str) -> Outcome:
        return self._refused(f"cancel {client_order_id}")

    def _refused(self, command: str) -> Outcome:
        self.commands.append(command)
        raise AssertionError(command)


def shadowed(folder: Path, scene: Any) -> Any:
    """Play a scene in shadow mode, with a client that takes no command."""
    Mute.commands.clear()
    found = play(folder, scene, shadow=True, client=Mute)
    assert Mute.commands == []
    return found


def test_an_entry_is_judged_and_written_down_as_what_would_have_been_sent(folder: Path) -> None:
    async def scene(process: Process) -> list[OrderEvent]:
        told: list[OrderEvent] = []
        await process.batch({})
        process.shim.listen(told.append)
        assert process.shim.submit(resting(process, protective_stop=88 * DOLLAR)).allowed
        assert not process.shim.submit(wish(process, type=OrderType.TRAILING_STOP)).allowed
        await until(lambda: told[-1].step is Step.WOULD_HAVE)
        assert process.shim.open_orders() == []
        assert process.book.pending_long == 0
        return told

    told = shadowed(folder, scene)
    assert [event.step for event in told] == [Step.INTENT, Step.DENIED, Step.WOULD_HAVE]
    assert told[-1].order.state == "SHADOW"
    assert told[-1].detail == "would have sent BUY 100 AAA LIMIT limit 90.0000 DAY"
    assert rows(folder, "SELECT state FROM orders ORDER BY id") == [("SHADOW",), ("DENIED",)]


def test_exits_protection_cancels_and_flattening_send_nothing(folder: Path) -> None:
    async def before(process: Process) -> None:
        await opened(process, take_profit=110 * DOLLAR)

    async def scene(process: Process) -> None:
        await process.batch({})
        there = {order.client_order_id: order for order in await working(process)}
        for shares in (100, 40):
            order_id = process.shim.submit(leave(process, shares)).order_id
            await until(lambda order_id=order_id: process.shim.order(order_id).state == "SHADOW")
        assert process.shim.guard(SYMBOL, stop=99 * DOLLAR, reason="trails").allowed
        await process.shim.reconcile()
        for order_id in there:
            assert not process.shim.cancel(order_id, reason="changed my mind")
        assert await process.shim.cancel_all(Scope(), reason="drill", author="op") == []
        assert not await process.shim.flatten(Scope(), reason="drill", author="op")
        for _ in range(3):
            await process.batch({})
            await process.shim.reconcile()
        await until(lambda: len(process.shim.open_orders()) == 2)
        assert held(process) == 100
        assert {order.client_order_id: order for order in await working(process)} == there

    play(folder, before)
    shadowed(folder, scene)
    shadows = rows(folder, "SELECT purpose, quantity FROM orders WHERE state = 'SHADOW'")
    assert sorted(shadows) == [("EXIT", 40), ("EXIT", 100), ("EXIT", 100)]
    said = rows(folder, "SELECT order_id, detail FROM order_events WHERE step = 'would_have'")
    assert len(said) == len(set(said))
    details = [detail for _, detail in said]
    assert details.count("would have cancelled it: changed my mind") == 2
    assert details.count("would have changed it to 100 stop 99.0000") == 1


def test_a_stop_that_is_missing_is_written_down_once(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        for _ in range(5):
            assert process.shim.guard(SYMBOL, stop=98 * DOLLAR, reason="now").allowed
            await process.shim.reconcile()
        await until(lambda: process.shim.open_orders() == [])
        assert process.shim.unprotected() == [SYMBOL]

    async def before(process: Process) -> None:
        await process.batch({})
        process.shim.submit(wish(process))
        await until(lambda: held(process) == 100)

    play(folder, before)
    shadowed(folder, scene)
    assert rows(folder, "SELECT purpose FROM orders WHERE state = 'SHADOW'") == [("PROTECT",)]
