"""While the kill switch is latched nothing leaves the shim, protective stops included."""

from pathlib import Path

from tests.crash.life import Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    leave,
    opened,
    play,
    stands,
    until,
    wish,
    working,
)


def test_a_stop_that_the_kill_switch_cancelled_is_not_sent_again(folder: Path) -> None:
    latched: list[str] = []

    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        # What the kill switch does to a daemon that is frozen: latch first, then cancel.
        latched.append("kill switch: test")
        await process.client.cancel_at_broker(stop.broker_order_id)
        await until(lambda: process.shim.order(stop.client_order_id).state == "CANCELED")
        await process.client.ping()
        assert await working(process) == []
        assert process.shim.unprotected() == [SYMBOL]
        assert [order.purpose for order in process.shim.open_orders()] == []

        # A person resets the latch: what is held is guarded again at the next comparison.
        latched.clear()
        await process.shim.reconcile()
        await stands(process, 1)

    play(folder, scene, barred=lambda: latched[0] if latched else None)


def test_entries_and_exits_are_denied_by_the_latch(folder: Path) -> None:
    latched: list[str] = []

    async def scene(process: Process) -> None:
        await opened(process)
        latched.append("kill switch: test")
        for asked in (wish(process, protective_stop=98 * DOLLAR), leave(process)):
            denials = process.shim.submit(asked).verdict.denials
            assert [denial.limit for denial in denials] == ["latch"]
            assert "kill switch: test" in denials[0].explanation

    play(folder, scene, barred=lambda: latched[0] if latched else None)
