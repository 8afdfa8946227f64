"""The order shim over this broker: after a reconnect it is in step before anything leaves."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.life import MINUTE
from tests.integration.brokers_alpaca.script import until
from tests.integration.brokers_alpaca.server import serving, trading
from tests.integration.brokers_alpaca.shim import place, reconciled, resting, shim
from tradingd.domain.broker import Accepted
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: socket paths are limited."""
    return tmp_path_factory.mktemp("s")


def test_after_a_reconnect_the_shim_is_in_step_before_anything_leaves(folder: Path) -> None:
    async def scene() -> None:
        with serving(folder, "--socket", str(folder / "b.sock")) as server:
            async with shim(server, folder) as (process, broker):
                await process.batch({})
                ids = await place(process, 20)
                bought = process.shim.submit(
                    resting(
                        process,
                        symbol="BBB",
                        type=OrderType.MARKET,
                        limit=None,
                        protective_stop=90 * SCALE,
                    )
                )
                await until(lambda: process.shim.order(bought.order_id).state == "FILLED")
                # What others do meanwhile is found: one of ours is cancelled elsewhere.
                async with trading(server) as (other, _):
                    broker._stream.drop("the network is away")
                    await until(lambda: not process.shim.ready)
                    assert isinstance(await other.cancel(ids[3]), Accepted)
                await until(lambda: process.shim.ready)
                await until(lambda: process.shim.order(ids[3]).state == "CANCELED")
                assert process.shim.reconciliation.complete
                assert process.shim.reconciliation.mismatches == ()
                assert process.shim.reconciliation.foreign == ()
                assert process.book.positions()["BBB"].quantity == 1
                await until(lambda: not process.shim.unprotected())
                working = {one.client_order_id for one in await broker.open_orders()}
                assert set(ids) - {ids[3]} < working
                assert len(working) == 20  # nineteen, and the stop of what was bought
                seconds = await reconciled(process, broker)
                assert seconds < 10

    asyncio.run(scene())


def test_a_stop_moves_as_one_order_over_restarts_of_the_process(folder: Path) -> None:
    async def scene() -> None:
        with serving(folder, "--socket", str(folder / "b.sock")) as server:
            async with shim(server, folder) as (process, _):
                await process.batch({})
                bought = process.shim.submit(
                    resting(
                        process,
                        type=OrderType.MARKET,
                        limit=None,
                        quantity=100,
                        protective_stop=90 * SCALE,
                    )
                )
                await until(lambda: process.shim.order(bought.order_id).state == "FILLED")
                await until(lambda: not process.shim.unprotected())
                verdict = process.shim.guard("AAA", stop=92 * SCALE, reason="trail")
                assert verdict.allowed
                await until(lambda: process.shim.stop_price("AAA") == 92 * SCALE)
                await until(
                    lambda: any(one.stop == 92 * SCALE for one in process.shim.open_orders())
                )
            async with shim(server, folder) as (process, broker):
                assert process.shim.reconciliation.mismatches == ()
                assert process.shim.reconciliation.foreign == ()
                [stop] = await broker.open_orders()
                assert (stop.stop, stop.quantity) == (92 * SCALE, 100)
                assert process.shim.order(stop.client_order_id) is not None
                process.clock.advance(process.clock.now() + MINUTE)
                await until(lambda: not process.shim.unprotected())

    asyncio.run(scene())
