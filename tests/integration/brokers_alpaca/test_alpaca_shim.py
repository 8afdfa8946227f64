"""The order shim over this broker: after a reconnect it is in step before anything leaves."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.crash.life import DAY, MINUTE, Process, act
from tests.integration.brokers_alpaca.script import until
from tests.integration.brokers_alpaca.server import admin, serving, trading
from tests.integration.brokers_alpaca.shim import place, reconciled, resting, shim
from tradingd.brokers.alpaca import ear, hearing
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.domain.broker import Accepted
from tradingd.domain.market import ActionKind, CorporateAction
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


def test_a_dividend_of_the_day_before_the_last_fill_is_booked(folder: Path) -> None:
    async def bought(process: Process) -> None:
        wish = resting(process, type=OrderType.MARKET, limit=None, quantity=10)
        order = process.shim.submit(wish).order_id
        await until(lambda: process.shim.order(order).state == "FILLED")

    async def scene() -> None:
        with serving(folder, "--socket", str(folder / "b.sock")) as server:
            async with shim(server, folder) as (process, _):
                await process.batch({})
                await bought(process)
                await process.client.corporate_action(DIVIDEND, process.clock.now())
                await process.batch({}, night=True)
                await bought(process)
                found = await process.shim.reconcile()
                assert (found.mismatches, found.notes) == ((), ())
                assert found.recovered_fills == 1
                again = await process.shim.reconcile()
                assert again.recovered_fills == 0

    asyncio.run(scene())


DIVIDEND = CorporateAction(
    symbol="AAA", ex_date=DAY, kind=ActionKind.DIVIDEND, amount=25 * SCALE // 100
)

PLAN = {
    "probabilities": {
        "drop_request": 0.05,
        "drop_response": 0.05,
        "disconnect_before": 0.03,
        "disconnect_after": 0.03,
        "504_done": 0.05,
        "status_429": 0.02,
        "status_500": 0.04,
        "status_503": 0.04,
        "partial": 0.2,
    },
    "stream": {"drop": 0.2, "duplicate": 0.2, "reorder": 0.2},
}


@pytest.mark.parametrize("seed", [1, 12, 101])
def test_random_faults_end_in_one_truth(
    folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "PATIENCE", 0.5)
    monkeypatch.setattr(hearing, "_LOOK", 0.1)
    dice = random.Random(seed)

    async def at_rest(process: Process, broker: AlpacaBroker) -> bool:
        # Partial fills go on with the bars.
        await process.batch({})
        there = {one.symbol: one.quantity for one in await broker.positions()}
        held = process.book.positions().items()
        ours = {symbol: line.quantity for symbol, line in held if line.quantity}
        working = {one.client_order_id for one in await broker.open_orders()}
        known = {one.order_id for one in process.shim.open_orders()}
        calm = process.shim.ready and not process.shim.unprotected()
        return calm and there == ours and working == known

    async def scene() -> None:
        with serving(folder, "--socket", str(folder / "b.sock")) as server:
            async with admin(server) as book, shim(server, folder) as (process, broker):
                await book.misbehave({"seed": seed, **PLAN})
                for _ in range(20):
                    await act(process, dice)
                    if dice.random() < 0.1:
                        broker._stream.drop("the network is away")
                    await asyncio.sleep(dice.uniform(0, 0.03))
                await book.misbehave({})
                async with asyncio.timeout(20):
                    while not await at_rest(process, broker):  # noqa: ASYNC110 - real parts
                        await asyncio.sleep(0.1)
                assert process.shim.reconciliation.mismatches == ()

    asyncio.run(scene())
