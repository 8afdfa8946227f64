"""How a lost connection is noticed, and mended."""

import asyncio
import logging

from tradingd.feeds.ibkr.link import Link, Unreachable
from tradingd.feeds.ibkr.rules import Rules
from tradingd.kits.backoff import jittered

log = logging.getLogger(__name__)


async def lost(link: Link, ping: float) -> str:
    """Wait until the connection is lost, or nothing was heard for two pings (s); return why."""
    socket = asyncio.create_task(link.lost(), name="depth ibkr socket")
    asked = False
    try:
        while True:
            before = link.heard
            done, _ = await asyncio.wait((socket,), timeout=ping)
            if done:
                return socket.result()
            quiet = link.heard == before
            if quiet and asked:
                return f"nothing heard for {2 * ping:g} s"
            if quiet:
                link.ping()
            asked = quiet
    finally:
        socket.cancel()
        await asyncio.wait((socket,))


async def mended(link: Link, rules: Rules, over: asyncio.Event) -> bool:
    """Connect again, as often as it takes; False when it is `over` before."""
    attempt = 0
    while True:
        wait = jittered(attempt, first=rules.first_wait, longest=rules.longest_wait)
        await asyncio.sleep(wait)
        attempt += 1
        if over.is_set():
            return False
        try:
            await link.connect()
        except Unreachable as error:
            log.warning("ibkr depth: %s", error)
            continue
        log.info("ibkr depth: connected again")
        return True
