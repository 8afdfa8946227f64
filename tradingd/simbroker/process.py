"""The process: lock on the state folder, store, server, signals, exit code."""

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tradingd.simbroker.account import Terms
from tradingd.simbroker.broker import Broker
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import Spread
from tradingd.simbroker.server import Server, SocketTaken
from tradingd.simbroker.store import Store

ALREADY_RUNNING: Final = 3
SOCKET_TAKEN: Final = 4
STORE_DAMAGED: Final = 5
"""Exit codes; 2 is a wrong command line."""

log = logging.getLogger(__name__)


def serve(options: argparse.Namespace, up: Callable[[], None]) -> int:
    """Run the broker of a state folder; `up` is called once the socket answers."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s simbroker %(message)s")
    held = lock(options.state / "simbroker.lock")
    if held is None:
        log.error("another broker runs with the state folder %s", options.state)
        return ALREADY_RUNNING
    store = Store(options.state / "simbroker.sqlite")
    try:
        store.open()
        desk = _desk(store, options)
    except (sqlite3.DatabaseError, ValueError) as error:
        log.error("the store in %s cannot be used: %s", options.state, error)
        return STORE_DAMAGED
    try:
        return asyncio.run(_run(desk, store, options, up))
    finally:
        store.close()
        os.close(held)


async def _run(
    desk: Desk, store: Store, options: argparse.Namespace, up: Callable[[], None]
) -> int:
    broker = Broker(
        desk,
        account_id=store.meta("account"),
        unique_ids=options.unique_ids,
        participation_percent=options.participation,
    )
    server = Server(broker, store, options.socket, idle_exit=options.idle_exit)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    try:
        await server.start()
    except SocketTaken as error:
        log.error("%s", error)
        return SOCKET_TAKEN
    log.info("pid %d serves account %s on %s", os.getpid(), store.meta("account"), options.socket)
    up()
    await server.run()
    log.info("stopped")
    return 0


def _desk(store: Store, options: argparse.Namespace) -> Desk:
    """Load the desk; a new store gets its account and its first cash."""
    terms = Terms(options.commission_per_share, options.commission_min)
    next_bar = options.arrivals == "next-bar"
    desk = Desk(store, terms, Spread(options.half_spread_bps), next_bar=next_bar)
    desk.load()
    if not store.meta("account"):
        with store.transaction():
            store.set_meta("account", options.account)
            desk.account.move_cash("deposit", "opening", options.cash, 0)
    return desk


def lock(path: Path) -> int | None:
    """Return the locked file, None when another process has it; the kernel frees it at death."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held
