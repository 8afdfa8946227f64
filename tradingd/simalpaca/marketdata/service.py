"""The market-data side of the server: `ports.MarketData` over a store, streams and a replay."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final

from aiohttp import web

from tradingd.simalpaca.marketdata import batch, channels, derive, faults, statuses, times
from tradingd.simalpaca.marketdata.days import Days
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.history import History, Moment
from tradingd.simalpaca.marketdata.replay import Actions, Pacer, Range, closes, run
from tradingd.simalpaca.marketdata.rest import Rest
from tradingd.simalpaca.marketdata.store import Store, StoredAction, StoredBar
from tradingd.simalpaca.marketdata.streams import Streams
from tradingd.simalpaca.marketdata.testfeed import TestFeed
from tradingd.simalpaca.ports import Bar, Tell
from tradingd.simbroker.amounts import text as decimal_text

RESOLUTIONS: Final = ("1m", "1d")
_TOLD_BARS: Final = 4_000
_ROOM_SECONDS: Final = 10.0


class Service:
    """Serves market data; see `ports.MarketData`.

    Parameters
    ----------
    store : Path or None
        Folder of a history store; None: only what is told is served.
    bars : str
        What is told and replayed: ``1m`` or ``1d``.
    symbols : Sequence of str
        What is replayed; none: all that the store has.
    start, end : date or None
        New York days of the replay, inclusive. Before the first bar is told, nothing later than
        the start's midnight is known.
    speed : float
        Data seconds a wall second; 0: as fast as clients take it.
    now : Callable
        The market's data time, UTC ns; wall time while no market was told.
    authorized : Callable
        Tells whether headers carry credentials that are let in.
    client_waiting : bool
        Whether the replay waits for a client that subscribes to bars.
    after : int
        Bars up to this close (UTC ns) are not replayed: the book has seen them.
    announced_days : int
        How long before its ex-date a corporate action can be asked for: they are public then.
    half_spread_bps : float
        Between a close and the bid or ask that is derived from it.
    connections, symbol_limit, auth_seconds
        See `streams.Streams`.
    test_seconds : float
        Between two messages of the test feed.
    wall : Callable
        Wall time, UTC ns: the time of the test feed.

    Attributes
    ----------
    on_action : Callable
        Set by the host: takes each corporate action of a replay before the first bars of its
        ex-date, as a `corporate_action` message of `contracts/simbroker.md`.
    """

    def __init__(
        self,
        *,
        store: Path | None,
        bars: str,
        symbols: Sequence[str],
        start: date | None,
        end: date | None,
        speed: float,
        now: Callable[[], int],
        authorized: Callable[[Mapping[str, str]], bool],
        client_waiting: bool,
        after: int = 0,
        announced_days: int = 14,
        half_spread_bps: float = 1.0,
        connections: int = 1,
        symbol_limit: int = 0,
        auth_seconds: float = 10.0,
        test_seconds: float = 1.0,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        if bars not in RESOLUTIONS:
            raise ValueError(f"bars must be one of {', '.join(RESOLUTIONS)}, not {bars!r}")
        self._root = store
        self._resolution = bars
        self._range = Range(tuple(symbols), bars, start, end, after)
        self._speed = speed
        self._now = now
        self._client_waiting = client_waiting
        self._around = derive.spread(half_spread_bps)
        # Until the first bar is told `now` may be wall time: nothing of the replay may be known.
        first = after if start is None else max(times.midnight(start), after)
        self._horizon = None if start is None and not client_waiting else first
        self._told: dict[str, deque[StoredBar]] = {}
        self._keep = _TOLD_BARS
        self.on_action: Callable[[Mapping[str, object]], object] = _nothing
        self._days = Days()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="simalpaca-data")
        self._store = None if store is None else Store(store)
        history = History(self._store, bars, self._around, announced_days)
        self._rest = Rest(history, self._moment, authorized, self._worker)
        self._streams = Streams(
            authorized,
            connections=connections,
            symbol_limit=symbol_limit,
            auth_seconds=auth_seconds,
        )
        self._test = TestFeed(self._streams, wall, test_seconds)
        self._streams.on_subscription = self._test.start

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the routes of data REST and data streams."""
        return [*self._streams.routes(), *self._rest.routes()]

    def publish(self, ts: int, bars: Sequence[Bar]) -> None:
        """Take the bars that closed at `ts` (UTC ns): serve them, and send them to the streams."""
        self._horizon = None
        # A market message may be repeated: what was told of a symbol is not told again.
        told = {one.symbol: StoredBar(ts, *one[1:]) for one in bars if self._news(one.symbol, ts)}
        for symbol, one in told.items():
            self._kept(symbol).append(one)
        wanted = self._streams.wanted
        if self._resolution == "1d":
            start = times.midnight(times.new_york_date(ts - 1))
            whole, days = {}, _starting(start, told)
        else:
            whole = _starting(ts - times.MINUTE, told) if wanted(channels.BARS) else {}
            days = self._days.add(ts, told)
        self._streams.publish(ts, batch.of_bars(told, whole, days, self._around, wanted))

    async def replay(self, tell: Tell) -> None:
        """Read the store and tell its bars, paced; returns at their end.

        A client that lags holds the replay back, for ten seconds at most.
        """
        if self._root is None:
            return
        # Its own view of the store: REST reads in the other thread.
        store, worker = Store(self._root), ThreadPoolExecutor(1, "simalpaca-replay")
        # What is replayed lies in the store: the last bars are enough to know what is latest.
        self._keep = 2
        try:
            wanted = await self._replayed(store, worker)
            if self._client_waiting:
                await self._streams.bars_wanted()
            actions = await self._actions_of(store, wanted, worker)
            source = closes(store, wanted, worker)

            async def told(ts: int, bars: Sequence[Bar]) -> None:
                for one in actions.due(ts):
                    self.on_action(spoken(one))
                await tell(ts, bars)

            async with contextlib.aclosing(source):
                await run(source, Pacer(self._speed), told, self._room)
        finally:
            await asyncio.get_running_loop().run_in_executor(worker, store.close)
            worker.shutdown(wait=False)
            self._keep = _TOLD_BARS

    def misbehave(self, plan: Mapping[str, object]) -> None:
        """Replace the faults of the data streams; statuses and bands in it are told at once.

        Raises
        ------
        BadRequest
            When the plan cannot be understood; nothing is changed.
        """
        read = faults.read(plan)
        messages = statuses.messages(plan, self._moment().known)
        self._streams.misbehave(read)
        if messages:
            self._streams.publish(self._moment().known, batch.Batch(messages))

    async def close(self) -> None:
        """End streams and tasks."""
        await self._test.close()
        await self._streams.close()
        if self._store is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._store.close)
        self._worker.shutdown(wait=False)

    def _news(self, symbol: str, ts: int) -> bool:
        kept = self._told.get(symbol)
        return not kept or kept[-1].close_ts < ts

    def _kept(self, symbol: str) -> deque[StoredBar]:
        kept = self._told.get(symbol)
        if kept is None or kept.maxlen != self._keep:
            kept = self._told[symbol] = deque(kept or (), maxlen=self._keep)
        return kept

    def _moment(self, symbols: Sequence[str] = ()) -> Moment:
        known = self._now() if self._horizon is None else min(self._now(), self._horizon)
        told = {name: tuple(self._told[name]) for name in symbols if name in self._told}
        return Moment(known, told)

    async def _replayed(self, store: Store, worker: ThreadPoolExecutor) -> Range:
        loop = asyncio.get_running_loop()
        wanted = self._range
        if not wanted.symbols:
            found = await loop.run_in_executor(worker, store.catalog.symbols, wanted.resolution)
            wanted = wanted._replace(symbols=tuple(found))
        if not self._told and wanted.start is None:
            span = await loop.run_in_executor(
                worker, store.catalog.span, wanted.symbols, wanted.resolution
            )
            self._horizon = None if span is None else max(span[0] - 1, wanted.after)
        return wanted

    async def _actions_of(self, store: Store, wanted: Range, worker: ThreadPoolExecutor) -> Actions:
        found = await asyncio.get_running_loop().run_in_executor(worker, store.actions)
        names = set(wanted.symbols)
        concerned = [one for one in found if names & {one.symbol, one.old_symbol}]
        return Actions(concerned, wanted.after)

    async def _room(self) -> None:
        await self._streams.room(_ROOM_SECONDS)


def _starting(start: int, told: Mapping[str, StoredBar]) -> dict[str, AlpacaBar]:
    return {name: derive.combined(start, [one]) for name, one in told.items()}


def spoken(one: StoredAction) -> dict[str, object]:
    """Return a corporate action as a message to the book."""
    return {
        "kind": one.kind,
        "symbol": one.symbol,
        "ex_date": one.ex_date.isoformat(),
        "ts": one.effective,
        "numerator": one.numerator,
        "denominator": one.denominator,
        "amount": decimal_text(one.amount),
        "old_symbol": one.old_symbol,
    }


def _nothing(_: Mapping[str, object]) -> None:
    """Take an action that nobody asked for."""
