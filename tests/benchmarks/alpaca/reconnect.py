"""Seconds from a broken trade-update stream to a shim that is in step and sends again.

The shim, its journal on disk and the broker run in this process over the test server's real
process, with 1,000 orders that rest. The ratio is to what cannot be saved: reading the orders,
positions and the account once with alpaca-py alone, models included. The requests count because
Alpaca allows 200 a minute.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import QueryOrderStatus
from alpaca.trading.requests import GetOrdersRequest

from tests.integration.brokers_alpaca.script import KEYS
from tests.integration.brokers_alpaca.server import serving
from tests.integration.brokers_alpaca.shim import place, reconciled, shim

ORDERS = 1_000
ROUNDS = 3


def plain(url: str) -> float:
    """Return the seconds that alpaca-py takes for the same reading."""
    client = TradingClient(KEYS.key_id, KEYS.secret, url_override=url)
    begun = time.perf_counter()
    wanted = GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=500)
    first = client.get_orders(wanted)
    oldest = min(one.submitted_at for one in first if not isinstance(one, str))
    client.get_orders(wanted.model_copy(update={"until": oldest}))
    client.get_all_positions()
    client.get_account()
    return time.perf_counter() - begun


async def measure(folder: Path) -> tuple[list[float], list[int], float]:
    """Return the seconds and requests of each reconnect, and alpaca-py's seconds."""
    with serving(folder, "--socket", str(folder / "b.sock")) as server:
        async with shim(server, folder) as (process, broker):
            await process.batch({})
            await place(process, ORDERS)
            seconds, requests = [], []
            for _ in range(ROUNDS):
                before = broker.requests
                seconds.append(await reconciled(process, broker))
                await asyncio.sleep(1)
                requests.append(broker.requests - before)
            alone = min([await asyncio.to_thread(plain, server.url) for _ in range(ROUNDS)])
            return seconds, requests, alone


def report() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        seconds, requests, alone = asyncio.run(measure(Path(folder)))
    best = min(seconds)
    say = sys.stdout.write
    say(f"reconnect to reconciled, {ORDERS:,} open orders, best of {ROUNDS}\n")
    say(f"{'ours s':>10}{'alpaca-py reads s':>20}{'ratio':>8}{'requests':>10}\n")
    say(f"{best:>10.2f}{alone:>20.2f}{best / alone:>8.1f}{min(requests):>10}\n")
