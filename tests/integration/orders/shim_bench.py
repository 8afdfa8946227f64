"""A simulated broker in a process of its own, and trading processes' parts that come and go."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.crash.life import CENT, MINUTE, Process
from tradingd.domain.broker_reports import BrokerOrder
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import Wish
from tradingd.kits.failure import ExitCode, Failure

__all__ = ["CENT", "MINUTE", "Process"]
DOLLAR = NANOSECONDS
SYMBOL = "AAA"


@contextlib.contextmanager
def broker_process(folder: Path) -> Any:
    command = (sys.executable, "-m", "tradingd.simbroker", "--detach")
    options = ("--state", folder, "--socket", folder / "b.sock", "--cash", "10000000")
    subprocess.run([str(part) for part in (*command, *options)], check=True, capture_output=True)
    pid = int(_pid(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _pid(folder: Path) -> str:
    for line in (folder / "simbroker.log").read_text().splitlines():
        if "pid " in line:
            return line.split("pid ")[1].split()[0]
    raise AssertionError("the broker did not say its pid")


def play(folder: Path, scene: Callable[[Process], Any], **options: Any) -> Any:
    """Run one process's scene beside a broker that is there already."""

    async def whole() -> Any:
        async with process(folder, **options) as made:
            return await scene(made)

    return asyncio.run(whole())


@contextlib.asynccontextmanager
async def process(folder: Path, **options: Any) -> AsyncIterator[Process]:
    made = await _started(folder, **options)
    try:
        yield made
    finally:
        await made.client.misbehave({})
        await made.end()


async def _started(folder: Path, *, tries: int = 5, **options: Any) -> Process:
    """Start a process; its time limits are short, and a busy machine may need another try."""
    while True:
        made = Process(folder, **options)
        try:
            await made.start()
        except Failure as failure:
            tries -= 1
            if failure.code is not ExitCode.BROKER or not tries:
                raise
            await made.end()
        else:
            return made


def rows(folder: Path, query: str, *values: object) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        return database.execute(query, values).fetchall()


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait on a condition; fail when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of real parts have no event
            await asyncio.sleep(0.005)


async def working(process: Process) -> list[BrokerOrder]:
    return list(await process.client.open_orders())


async def stands(process: Process, count: int, seconds: float = 30.0) -> list[BrokerOrder]:
    """Wait until so many orders work at the broker and we know of all of them."""
    async with asyncio.timeout(seconds):
        while True:
            found = await working(process)
            settled = all(row.state == "WORKING" for row in process.shim.open_orders())
            if len(found) == count == len(process.shim.open_orders()) and settled:
                return found
            await asyncio.sleep(0.01)


def wish(process: Process, side: Side = Side.BUY, quantity: int = 100, **changes: Any) -> Wish:
    fields: dict[str, Any] = {
        "strategy": "swing",
        "symbol": SYMBOL,
        "side": side,
        "quantity": quantity,
        "type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "reason": "a test",
        "ts": process.clock.now(),
    }
    return Wish(**(fields | changes))


def leave(process: Process, quantity: int = 100, side: Side = Side.SELL, **changes: Any) -> Wish:
    return wish(process, side, quantity, purpose=Purpose.EXIT, **changes)


def resting(process: Process, dollars: int = 90, **changes: Any) -> Wish:
    return wish(process, type=OrderType.LIMIT, limit=dollars * DOLLAR, **changes)


async def opened(process: Process, **changes: Any) -> str:
    """Hold 100 shares bought at about 100 dollars, with a stop at 98 unless told otherwise."""
    await process.batch({})
    changes = {"protective_stop": 98 * DOLLAR} | changes
    order_id = process.shim.submit(wish(process, **changes)).order_id
    await until(lambda: process.shim.order(order_id).state == "FILLED")
    legs = [changes[name] for name in ("protective_stop", "take_profit") if changes.get(name)]
    await stands(process, len(legs))
    return str(order_id)


def held(process: Process, symbol: str = SYMBOL) -> int:
    line = process.book.position(symbol)
    return 0 if line is None else line.quantity
