"""A process that buys with a limit, and dies by SIGKILL at a given step of the orders it makes.

    python -m tests.integration.orders.wash_life FOLDER URL PURPOSE STEP

The admin socket of the test server must be `b.sock` in FOLDER.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.integration.brokers_alpaca.script import until
from tests.integration.brokers_alpaca.server import Server
from tests.integration.brokers_alpaca.shim import resting, shim
from tradingd.domain.money import SCALE
from tradingd.domain.trading import OrderEvent


async def life(folder: Path, url: str, purpose: str, step: str) -> None:
    """Trade until the order of a purpose takes a step."""

    def heard(event: OrderEvent) -> None:
        if (event.order.purpose, event.step.value) == (purpose, step):
            os.kill(os.getpid(), signal.SIGKILL)

    async with shim(Server(url, folder / "b.sock"), folder) as (process, _):
        process.shim.listen(heard)
        await process.batch({})
        wish = resting(process, 99, quantity=250, protective_stop=90 * SCALE)
        entry = process.shim.submit(wish).order_id
        await until(lambda: process.shim.order(entry).state == "WORKING")
        await process.batch({"AAA": (-200, 0, 0)})
        await asyncio.sleep(10)


if __name__ == "__main__":
    asyncio.run(life(Path(sys.argv[1]), *sys.argv[2:]))
