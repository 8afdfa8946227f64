"""A broker that refuses orders which could trade with each other: stops and exits go first.

Over the test server that keeps Alpaca's table of wash trades. A bar fills 100 shares of an order.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.crash.life import Process
from tests.integration.brokers_alpaca.script import until
from tests.integration.brokers_alpaca.server import Server, admin, serving
from tests.integration.brokers_alpaca.shim import resting, shim
from tests.integration.orders.shim_bench import rows
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.domain.broker import Rejected
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.states import Scope

SLOW = ("--participation", "0.01")
MARKET: dict[str, Any] = {"type": OrderType.MARKET, "limit": None}
LEAVE: dict[str, Any] = {"side": Side.SELL, "purpose": Purpose.EXIT} | MARKET
STOP = 90 * SCALE
REACHED = {"AAA": (-200, 0, 0)}
"""A bar that fills 100 shares of a bid at 99."""
ACCOUNT = Scope()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: socket paths are limited."""
    return tmp_path_factory.mktemp("w")


type Scene = Callable[[Process, AlpacaBroker, Server], Coroutine[Any, Any, None]]


def play(folder: Path, scene: Scene, *options: str) -> None:
    async def whole() -> None:
        with serving(folder, "--socket", str(folder / "b.sock"), *options) as server:
            async with shim(server, folder) as (process, broker):
                await process.batch({})
                await scene(process, broker, server)

    asyncio.run(whole())


def held(process: Process) -> int:
    line = process.book.position("AAA")
    return 0 if line is None else line.quantity


async def buys(process: Process, quantity: int = 250, **fields: Any) -> str:
    admission = process.shim.submit(resting(process, 99, quantity=quantity, **fields))
    assert admission.allowed, admission
    await until(lambda: process.shim.order(admission.order_id).state != "INTENT")
    return str(admission.order_id)


async def guarded(process: Process, broker: AlpacaBroker, shares: int) -> None:
    """Wait until all shares have their stop at the broker, and nothing else works."""
    await until(lambda: held(process) == shares)
    await until(lambda: not process.shim.unprotected())
    await until(lambda: len(process.shim.open_orders()) == 1)
    [stop] = await broker.open_orders()
    assert (stop.side, stop.type, stop.quantity) == (Side.SELL, OrderType.STOP_MARKET, shares)


def refused(folder: Path) -> list[Any]:
    return rows(folder, "SELECT order_id, note FROM orders WHERE state = 'REJECTED'")


def test_an_entry_that_is_filled_in_part_gives_way_to_the_stop_of_what_it_bought(
    folder: Path,
) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        entry = await buys(process, protective_stop=STOP)
        other = await buys(process, limit=80 * SCALE)
        await process.batch(REACHED)
        await guarded(process, broker, 100)
        for order_id in (entry, other):
            row = process.shim.order(order_id)
            assert (row.state, row.note) == (
                "CANCELED",
                "gives way to the stop and the exits of AAA",
            )

    play(folder, scene, *SLOW)
    assert refused(folder) == []


def test_an_entry_at_the_market_is_left_to_complete_for_a_moment_only(folder: Path) -> None:
    async def scene(process: Process, broker: AlpacaBroker, server: Server) -> None:
        async with admin(server) as book:
            await book.misbehave({"script": {"submit": [{"fault": "partial", "pieces": 2}]}})
            quick = await buys(process, 100, protective_stop=STOP, **MARKET)
            await until(lambda: held(process) == 50)
            await process.batch({})
            await guarded(process, broker, 100)
            assert process.shim.order(quick).state == "FILLED"
            assert not process.shim.order(quick).cancel_asked
            assert process.shim.submit(resting(process, quantity=100, **LEAVE)).allowed
            await until(lambda: held(process) == 0 and not process.shim.open_orders())
            await book.misbehave({"script": {"submit": [{"fault": "partial", "pieces": 2}]}})
            slow = await buys(process, 100, protective_stop=STOP, **MARKET)
            await guarded(process, broker, 50)
            assert process.shim.order(slow).state == "CANCELED"

    play(folder, scene)
    assert refused(folder) == []


@pytest.mark.parametrize(
    "fields",
    [
        MARKET,
        {"limit": 80 * SCALE},
        {"type": OrderType.STOP_MARKET, "stop": 110 * SCALE, "limit": None},
    ],
    ids=["market", "limit", "stop"],
)
def test_what_would_enlarge_a_position_beside_its_stop_is_denied_as_the_broker_would(
    folder: Path, fields: dict[str, Any]
) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        await buys(process, 10, protective_stop=STOP, **MARKET)
        await guarded(process, broker, 10)
        wish = resting(process, **fields)
        (denial,) = process.shim.submit(wish).verdict.denials
        assert denial.limit == "broker"
        assert "the SELL STOP_MARKET at 90.0000 works" in denial.explanation
        sent = OrderRequest(
            client_order_id="by-hand",
            symbol="AAA",
            side=Side.BUY,
            quantity=1,
            type=wish.type,
            limit=wish.limit,
            stop=wish.stop,
        )
        outcome = await broker.submit(sent)
        assert isinstance(outcome, Rejected)
        assert "wash trade" in outcome.reason

    play(folder, scene)


def test_a_trailing_stop_may_enlarge_a_position_beside_its_stop_as_at_the_broker(
    folder: Path,
) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        await buys(process, 10, protective_stop=STOP, **MARKET)
        await guarded(process, broker, 10)
        trailing = {"type": OrderType.TRAILING_STOP, "limit": None, "trail": 5 * SCALE}
        order_id = await buys(process, 10, **trailing)
        await until(lambda: process.shim.order(order_id).state == "WORKING")
        assert process.shim.unprotected() == []

    play(folder, scene)


def test_an_exit_at_the_market_leaves_when_resting_entries_have_gone(folder: Path) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        await buys(process, 100, **MARKET)
        await until(lambda: held(process) == 100)
        bid = await buys(process, 50, limit=80 * SCALE)
        await until(lambda: process.shim.order(bid).state == "WORKING")
        assert process.shim.submit(resting(process, quantity=40, **LEAVE)).allowed
        await until(lambda: held(process) == 60)
        assert process.shim.order(bid).state == "CANCELED"
        assert await broker.open_orders() == []

    play(folder, scene)
    assert refused(folder) == []


def test_a_guard_that_is_set_while_an_entry_rests_gets_its_stop(folder: Path) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        await buys(process, 100, **MARKET)
        await until(lambda: held(process) == 100)
        bid = await buys(process, 50, limit=80 * SCALE)
        await until(lambda: process.shim.order(bid).state == "WORKING")
        assert process.shim.guard("AAA", stop=STOP, reason="by hand").allowed
        await guarded(process, broker, 100)

    play(folder, scene)
    assert refused(folder) == []


def test_flattening_takes_entries_back_before_it_sells(folder: Path) -> None:
    async def scene(process: Process, broker: AlpacaBroker, _server: Server) -> None:
        await buys(process, 100, **MARKET)
        await until(lambda: held(process) == 100)
        await buys(process, 50, limit=80 * SCALE)
        assert await process.shim.flatten(ACCOUNT, reason="drill", author="op")
        assert await broker.open_orders() == []

    play(folder, scene)
    assert refused(folder) == []


def test_a_stop_comes_once_a_slow_cancel_of_the_entry_is_through(folder: Path) -> None:
    async def scene(process: Process, broker: AlpacaBroker, server: Server) -> None:
        async with admin(server) as book:
            await buys(process, protective_stop=STOP)
            # Longer than the stop waits: it is refused meanwhile, and comes with the news.
            slow = {"fault": "pending", "seconds": 2.5}
            await book.misbehave({"script": {"cancel": [slow, slow, slow, slow]}})
            await process.batch(REACHED)
            await until(lambda: held(process) == 100)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await until(lambda: process.shim.unprotected() == [], 8)
            assert 2.0 < loop.time() - begun < 4.5
            await guarded(process, broker, held(process))

    play(folder, scene, *SLOW)
    assert all("wash trade" in note for _, note in refused(folder))


@pytest.mark.parametrize(
    ("purpose", "step"),
    [
        ("ENTRY", "fill"),
        ("ENTRY", "cancel_asked"),
        ("ENTRY", "canceled"),
        ("PROTECT", "intent"),
        ("PROTECT", "sent"),
    ],
)
def test_a_death_between_the_partial_fill_and_its_stop_leaves_a_guarded_position(
    folder: Path, purpose: str, step: str
) -> None:
    async def after(server: Server) -> None:
        async with shim(server, folder) as (process, broker):
            await guarded(process, broker, 100)
            assert process.shim.reconciliation.clean

    with serving(folder, "--socket", str(folder / "b.sock"), *SLOW) as server:
        words = (sys.executable, "-m", "tests.integration.orders.wash_life")
        done = subprocess.run(
            [*words, str(folder), server.url, purpose, step], capture_output=True, text=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        asyncio.run(after(server))
    assert refused(folder) == []
