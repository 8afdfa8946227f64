"""A position whose stop the broker refuses does not grow."""

from pathlib import Path

from tests.integration.orders.shim_bench import (
    DOLLAR,
    Process,
    held,
    leave,
    play,
    resting,
    stands,
    until,
    wish,
)
from tradingd.domain.orders import Side


def test_entries_go_and_none_comes_until_the_stop_works(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        bid = process.shim.submit(resting(process, 80)).order_id
        above = process.shim.submit(resting(process, 120, side=Side.SELL)).order_id
        await stands(process, 2)
        await process.client.misbehave({"script": {"submit": ["ok", *["reject"] * 4]}})
        process.shim.submit(wish(process, protective_stop=98 * DOLLAR))
        await until(lambda: process.shim.order(bid).state == "CANCELED")
        assert process.shim.order(bid).note == "the stop of AAA was refused"
        assert held(process) == 100
        (denial,) = process.shim.submit(wish(process)).verdict.denials
        assert (denial.limit, denial.observed) == ("broker", "the stop of AAA was refused")
        await until(lambda: not process.shim.unprotected())
        # What takes away may stay, and leave.
        assert process.shim.order(above).state == "WORKING"
        assert process.shim.submit(wish(process, quantity=10)).allowed
        assert process.shim.submit(leave(process, 10)).allowed

    play(folder, scene)
