"""The process: lock on the state folder, book, servers, replay, signals, exit code."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tradingd.simalpaca.access import Access
from tradingd.simalpaca.ports import Bar, MarketData
from tradingd.simalpaca.server import AlpacaServer
from tradingd.simalpaca.trading.book import Book, Hours
from tradingd.simbroker.account import Terms
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import Spread
from tradingd.simbroker.process import ALREADY_RUNNING, SOCKET_TAKEN, STORE_DAMAGED, lock
from tradingd.simbroker.server import Server, SocketTaken
from tradingd.simbroker.store import Store

_ACCOUNT: Final = "PA3SIM000001"
_LIVE_ACCOUNT: Final = "3SIM000001"
_REPLAY_FAILED: Final = 6
_IDLE_CHECK: Final = 0.25

log = logging.getLogger(__name__)


def serve(options: argparse.Namespace, up: Callable[[], None]) -> int:
    """Run the server of a state folder; `up` is called once it serves."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s simalpaca %(message)s")
    held = lock(options.state / "simbroker.lock")
    if held is None:
        log.error("another broker runs with the state folder %s", options.state)
        return ALREADY_RUNNING
    store = Store(options.state / "simbroker.sqlite")
    try:
        store.open()
        book = _book(store, options)
    except (sqlite3.DatabaseError, ValueError) as error:
        log.error("the store in %s cannot be used: %s", options.state, error)
        return STORE_DAMAGED
    try:
        return asyncio.run(_Process(book, store, options).run(up))
    finally:
        store.close()
        os.close(held)


def _book(store: Store, options: argparse.Namespace) -> Book:
    """Load the book; a new store gets its account and its first cash."""
    account = options.account or (_LIVE_ACCOUNT if options.live_like else _ACCOUNT)
    desk = Desk(
        store,
        Terms(0, 0),  # Alpaca takes no commission
        Spread(options.half_spread_bps),
        next_bar=options.arrivals == "next-bar",
        hours=Hours(anytime=options.hours == "any"),
    )
    if not store.meta("account"):
        with store.transaction():
            store.set_meta("account", account)
            store.set_meta("alpaca_created", str(time.time_ns()))
            desk.account.move_cash("deposit", "opening", options.cash, 0)
    book = Book(
        desk,
        wall=time.time_ns,
        account_id=store.meta("account"),
        participation_percent=options.participation,
    )
    book.open()
    return book


class _Process:
    """Runs both servers over one book.

    Parameters
    ----------
    book : Book
        The book, opened.
    store : Store
        Its store.
    options : argparse.Namespace
        The command line.
    """

    def __init__(self, book: Book, store: Store, options: argparse.Namespace) -> None:
        self._book = book
        self._options = options
        self._endpoint: Path = options.state / "endpoint.json"
        access = Access(
            os.environ.get("SIMALPACA_KEY_ID", ""), os.environ.get("SIMALPACA_SECRET_KEY", "")
        )
        self._market_data = _market_data(book, options, access)
        self._http = AlpacaServer(
            book,
            self._market_data,
            access=access,
            host=options.host,
            port=options.port or _last_port(self._endpoint, options.host),
            requests_per_minute=options.requests_per_minute,
            binary=not options.live_like,
            wall=time.time_ns,
        )
        self._admin = Server(
            book, store, options.socket, idle_exit=0, misbehave=self._http.misbehave
        )
        self._failed = False

    async def run(self, up: Callable[[], None]) -> int:
        """Serve until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._admin.stop)
        try:
            await self._start()
        except SocketTaken as error:
            log.error("%s", error)
            await self._http.close()
            return SOCKET_TAKEN
        tasks = self._tasks()
        log.info("pid %d serves account %s at %s", os.getpid(), self._book.account_id, self._url)
        up()
        await self._admin.run()
        self._endpoint.unlink(missing_ok=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.close()
        log.info("stopped")
        return _REPLAY_FAILED if self._failed else 0

    async def _start(self) -> None:
        await self._admin.start()
        try:
            await self._http.start()
        except SocketTaken:
            if self._options.port:
                raise
            self._http.port = 0  # the folder's last port is another's by now
            await self._http.start()
        self._write_endpoint()

    @property
    def _url(self) -> str:
        return f"http://{self._options.host}:{self._http.port}"

    def _write_endpoint(self) -> None:
        """Say where this is served; whoever reads the file reads all of it."""
        facts = {
            "url": self._url,
            "socket": str(self._options.socket.resolve()),
            "pid": os.getpid(),
            "account": self._book.account_id,
        }
        fresh = self._endpoint.with_suffix(".new")
        fresh.write_text(json.dumps(facts) + "\n")
        fresh.replace(self._endpoint)

    def _tasks(self) -> list[asyncio.Task[None]]:
        works = []
        if self._options.idle_exit:
            works.append((self._watch_idle(), "simalpaca idle"))
        if self._market_data is not None and self._options.store is not None:
            works.append((self._replay(self._market_data), "simalpaca replay"))
        return [asyncio.create_task(work, name=name) for work, name in works]

    async def _replay(self, market_data: MarketData) -> None:
        async def tell(ts: int, bars: Sequence[Bar]) -> None:
            if ts >= self._book.desk.now:  # an old store has seen the days before
                self._book.tell(ts, bars)

        try:
            await market_data.replay(tell)
            log.info("the replay is at its end")
        except Exception:
            log.exception("the replay failed")
            self._failed = True
            self._admin.stop()

    async def _watch_idle(self) -> None:
        """End when nobody has been connected, and nothing asked, for long enough."""
        loop = asyncio.get_running_loop()
        since, seen = loop.time(), -1
        while True:
            await asyncio.sleep(_IDLE_CHECK)
            busy = self._admin.connections or self._http.connections
            if busy or self._http.requests != seen:
                since, seen = loop.time(), self._http.requests
            elif loop.time() - since >= self._options.idle_exit:
                self._admin.stop()


def _market_data(book: Book, options: argparse.Namespace, access: Access) -> MarketData | None:
    from tradingd.simalpaca.marketdata.service import Service

    service = Service(
        store=options.store,
        bars=options.bars,
        symbols=options.symbols,
        start=options.start,
        end=options.end,
        speed=options.speed,
        now=book.now,
        authorized=access,
        client_waiting=options.wait_for_client,
        after=book.desk.now,
        half_spread_bps=options.half_spread_bps / 10_000,
    )
    service.on_action = lambda message: book.handle("corporate_action", message)
    return service


def _last_port(endpoint: Path, host: str) -> int:
    """Return the port of the process before this one, so that its clients find this one."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        url = str(json.loads(endpoint.read_text())["url"])
        if url.startswith(f"http://{host}:"):
            return int(url.rpartition(":")[2])
    return 0
