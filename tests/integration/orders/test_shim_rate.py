"""The rate limit of the broker holds up what is urgent for a second, and refuses no stop.

Over the test server, whose 429 says that the limit lasts until the end of the minute.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.crash.life import Process
from tests.integration.brokers_alpaca.script import until
from tests.integration.brokers_alpaca.server import Admin, admin, serving
from tests.integration.brokers_alpaca.shim import resting, shim
from tests.integration.orders.shim_bench import rows
from tests.stopwatch import Stopwatch
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.states import Scope

MARKET: dict[str, Any] = {"type": OrderType.MARKET, "limit": None, "quantity": 10}
STOP = 90 * SCALE


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: socket paths are limited."""
    return tmp_path_factory.mktemp("r")


type Scene = Callable[[Process, Admin], Coroutine[Any, Any, None]]


def play(folder: Path, *scenes: Scene) -> None:
    """Run scenes, each with a process of its own, at one server."""

    async def whole() -> None:
        options = ("--socket", str(folder / "b.sock"), "--requests-per-minute", "1000")
        with serving(folder, *options) as server:
            for scene in scenes:
                async with admin(server) as book, shim(server, folder) as (process, _):
                    await process.batch({})
                    await scene(process, book)

    asyncio.run(whole())


async def seconds(done: Callable[[], bool], most: float = 30.0) -> float:
    """Wait for something; return how long it took."""
    with Stopwatch() as watch:
        await until(done, most)
    return watch.seconds


async def bought(process: Process) -> None:
    process.shim.submit(resting(process, protective_stop=STOP, **MARKET))
    await until(lambda: process.book.position("AAA") is not None)


def test_a_stop_goes_again_after_a_second_under_its_id_and_counts_as_no_refusal(
    folder: Path,
) -> None:
    async def scene(process: Process, book: Admin) -> None:
        await book.misbehave({"script": {"submit": ["ok", "status_429", "status_429"]}})
        await bought(process)
        assert process.shim.unprotected() == ["AAA"]
        assert await seconds(lambda: not process.shim.unprotected()) < 6

    play(folder, scene)
    kinds = "SELECT purpose, state FROM orders WHERE symbol = 'AAA' ORDER BY order_id"
    assert sorted(rows(folder, kinds)) == [("ENTRY", "FILLED"), ("PROTECT", "WORKING")]
    steps = (
        "SELECT step FROM order_events JOIN orders USING (order_id)"
        " WHERE purpose = 'PROTECT' ORDER BY order_events.id"
    )
    assert [step for (step,) in rows(folder, steps)] == [*["intent", "sent"] * 3, "accepted"]


def test_a_cancel_and_a_moved_stop_go_again_after_a_second(folder: Path) -> None:
    async def scene(process: Process, book: Admin) -> None:
        await bought(process)
        await until(lambda: not process.shim.unprotected())
        (stop,) = process.shim.open_orders()
        bid = process.shim.submit(resting(process, symbol="BBB")).order_id
        await until(lambda: process.shim.order(bid).state == "WORKING")
        await book.misbehave({"script": {"replace": ["status_429"], "cancel": ["status_429"]}})
        assert process.shim.guard("AAA", stop=92 * SCALE, reason="trails").allowed
        moved = await seconds(lambda: process.shim.order(stop.order_id).stop == 92 * SCALE)
        assert moved < 4
        assert len(process.shim.known_orders()) == 3
        process.shim.cancel(bid, reason="drill")
        assert await seconds(lambda: process.shim.order(bid).state == "CANCELED") < 4

    play(folder, scene)


def test_flattening_sells_a_second_after_the_limit_was_hit(folder: Path) -> None:
    async def scene(process: Process, book: Admin) -> None:
        await bought(process)
        await until(lambda: not process.shim.unprotected())
        await book.misbehave({"script": {"submit": ["status_429"], "cancel": ["status_429"]}})
        flat = asyncio.ensure_future(process.shim.flatten(Scope(), reason="drill", author="op"))
        took = await seconds(lambda: process.book.position("AAA") is None)
        assert took < 6
        flat.cancel()
        await asyncio.gather(flat, return_exceptions=True)

    play(folder, scene)


def test_a_stop_that_waits_for_its_turn_at_the_end_was_never_sent_and_comes_at_once_again(
    folder: Path,
) -> None:
    async def scene(process: Process, book: Admin) -> None:
        await book.misbehave({"script": {"submit": ["ok", *["status_429"] * 9]}})
        await bought(process)
        held_up = "SELECT count(*) FROM order_events WHERE detail LIKE 'not taken yet%'"
        await until(lambda: rows(folder, held_up) == [(1,)])

    async def after(process: Process, _book: Admin) -> None:
        (stop,) = rows(folder, "SELECT state, note FROM orders WHERE purpose = 'PROTECT'")[:1]
        assert stop == ("CANCELED", "never sent: the process ended before")
        # Without the settling time, which is for orders that may have been sent.
        assert await seconds(lambda: not process.shim.unprotected()) < 0.8

    play(folder, scene, after)


@pytest.mark.parametrize("urgent", [False, True])
def test_an_order_in_the_queue_at_the_end_was_never_sent(folder: Path, urgent: bool) -> None:
    async def scene(process: Process, _book: Admin) -> None:
        if urgent:
            await bought(process)
            await until(lambda: not process.shim.unprotected())
            assert process.shim.guard("AAA", stop=None, reason="drill").allowed
            await until(lambda: not process.shim.open_orders())
        process.broker._client.pace.slow(4.0)
        side = {"side": Side.SELL, "purpose": Purpose.EXIT} if urgent else {}
        last = process.shim.submit(resting(process, **MARKET | side)).order_id
        sent = f"SELECT count(*) FROM order_events WHERE step = 'sent' AND order_id = '{last}'"
        await until(lambda: rows(folder, sent) == [(1,)])

    async def after(process: Process, _book: Admin) -> None:
        (last,) = rows(folder, "SELECT state, note FROM orders ORDER BY id DESC LIMIT 1")
        assert last == ("CANCELED", "never sent: the process ended before")
        assert process.shim.open_orders() == []
        assert process.shim.reconciliation.clean

    play(folder, scene, after)
