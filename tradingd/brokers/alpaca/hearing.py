"""Trade updates -> events of the domain, in order; what was missed is asked for."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tradingd.brokers.alpaca import chain, parsing
from tradingd.brokers.alpaca.client import LATER
from tradingd.brokers.alpaca.ear import Ear
from tradingd.brokers.alpaca.finder import Finder
from tradingd.brokers.alpaca.history import History, fill
from tradingd.brokers.alpaca.parsing import Execution, Link, Unreadable
from tradingd.brokers.alpaca.reader import Reader
from tradingd.brokers.alpaca.registry import Change, Registry
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.broker_reports import (
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    FillUpdate,
    OrderUpdate,
)

log = logging.getLogger(__name__)

OVERLAP: Final = 60_000_000_000
"""How far before the last event that was heard missed executions are looked for, ns."""

QUIET: Final = 15.0
"""Seconds without an event, with orders open, after which the newest executions are looked at."""

_LOOK: Final = 1.0
_NEWEST: Final = 5
_REMEMBERED: Final = 50_000
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 5.0

_DOWN: Final = {"direction": "desc"}

type Data = Mapping[str, Any]


class Hearing:
    """Turns what the stream tells into events, and notices what it does not tell.

    Parameters
    ----------
    registry, reader, finder, history : Registry, Reader, Finder, History
        Parts of the same broker.
    tell : Callable
        Takes the events.
    """

    def __init__(
        self,
        registry: Registry,
        reader: Reader,
        finder: Finder,
        history: History,
        tell: Callable[[BrokerEvent], None],
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._finder = finder
        self._history = history
        self._tell = tell
        self._ear = Ear()
        self._queue: asyncio.Queue[Data] = asyncio.Queue()
        self._told: dict[str, None] = {}
        self._reached: dict[str, Decimal] = {}
        self._orders: dict[str, BrokerOrder] = {}
        self._owed: set[str] = set()
        self._last_ts = 0
        self._whole_ts = 0
        self._last_heard = 0.0
        self._missed = asyncio.Event()
        self._live = False

    def hear(self, data: Data) -> None:
        """Take a trade update."""
        self._last_heard = _now()
        self._queue.put_nowait(data)

    async def begin(self) -> None:
        """Take the newest execution for the last one before the events begin.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        found = await self._reader.rows("/account/activities/FILL", {**_DOWN, "page_size": 1})
        self._last_ts = self._whole_ts = max((one.ts for one in _readable(found)), default=0)

    def noted(self, changes: Sequence[Change]) -> None:
        """Take changes that a question has shown; the stream has to tell them soon.

        If it does not, they are told when what was missed is asked for: what a question has shown
        to one is not known to those who follow the events.
        """
        for change in changes:
            now = change.now
            if change.moved or (change.before is None and not now.over):
                self._owed.add(now.id)
            if self._live and change.moved:
                self._ear.shown(now.id, filled=now.filled, over=now.over, now=_now())

    def sent(self, order_id: str) -> None:
        """Take note of an order that was sent: whatever becomes of it must be told."""
        self._owed.add(order_id)

    def listening(self, live: bool) -> None:
        """Take note that the stream is up, or lost."""
        self._live = live
        self._last_heard = _now()
        if not live:
            self._ear.forget()

    def ask(self) -> None:
        """Look for what was missed."""
        self._missed.set()

    async def follow(self) -> None:
        """Turn trade updates into events; never returns."""
        while True:
            data = await self._queue.get()
            try:
                await self._take(data)
            except Unreadable as error:
                log.warning("a trade update cannot be read (%s): what it told is asked for", error)
                self.ask()

    async def catch_up(self) -> None:
        """Ask for what was missed whenever that is needed, until there is an answer."""
        while True:
            await self._missed.wait()
            self._missed.clear()
            wait = _FIRST_WAIT
            while True:
                try:
                    await self._ask()
                    break
                except BrokerUnavailable as error:
                    log.warning("what was missed cannot be asked for yet: %s", error)
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, _LONGEST_WAIT)

    async def watch(self, mute: Callable[[str], None]) -> None:
        """Tell when the stream is silent about what the account shows; never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            if not self._live:
                continue
            if late := self._ear.mute(_now()):
                self._ear.forget()
                mute(f"mute: it does not tell what has become of order {late}")
            elif _now() - self._last_heard >= QUIET and self._registry.open():
                self._last_heard = _now()
                await self._look()

    # -- private ---------------------------------------------------------------------------------

    async def _take(self, data: Data) -> None:
        body = parsing.row(data.get("order"))
        change = self._registry.learn(body)[0]
        link = change.now
        self._ear.heard(link.id, filled=link.filled, over=link.over)
        told = parsing.link(body)
        self._ear.heard(link.id, filled=told.filled, over=told.over)
        if self._registry.name(link.id) is None:
            await self._identified(link)
        self._execution(data, change)
        self._owed.discard(link.id)
        self._tell_order(link.id)
        links = self._registry.chain(link.id) if self._registry.name(link.id) else []
        if chain.missing(links) or chain.left_behind(links):
            self._owed.add(link.id)
            self.ask()

    async def _identified(self, link: Link) -> None:
        """Find out whose an order is; later events wait, so that none overtakes another."""
        wait = _FIRST_WAIT
        while True:
            try:
                await self._finder.identify([link.id])
                return
            except BrokerUnavailable as error:
                log.warning("whose order %s is cannot be asked yet: %s", link.id, error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _execution(self, data: Data, change: Change) -> None:
        one = parsing.told_execution(data)
        before = 0 if change.before is None else change.before.filled
        if one is None:
            if change.now.filled > before:
                # It filled, and nobody has told at which price.
                self.ask()
            return
        if one.cumulative is None:
            self.ask()
            return
        if one.cumulative - one.quantity > self._reached.get(one.order_id, 0):
            # One before it has not been told, or not to this process.
            self.ask()
        self._tell_fill(fill(self._registry, one, one.cumulative), one.cumulative)

    def _tell_fill(self, one: BrokerFill, cumulative: Decimal) -> None:
        self._told[one.fill_id] = None
        reached = self._reached.get(one.broker_order_id, Decimal(0))
        self._reached[one.broker_order_id] = max(reached, cumulative)
        self._last_ts = max(self._last_ts, one.ts)
        for memory in (self._told, self._reached):
            if len(memory) > _REMEMBERED:
                for old in list(memory)[: _REMEMBERED // 4]:
                    del memory[old]
        self._tell(FillUpdate(one))

    def _tell_order(self, order_id: str) -> None:
        order = self._registry.order(order_id)
        if order.status.final:
            self._orders.pop(order.broker_order_id, None)
        else:
            self._orders[order.broker_order_id] = order
        self._tell(OrderUpdate(order))

    async def _ask(self) -> None:
        """Fetch executions and orders since all was known; tell what has not been told."""
        reached = self._last_ts
        for one in await self._history.fills(max(0, self._whole_ts - OVERLAP)):
            if one.fill_id not in self._told:
                self._tell_fill(one, Decimal(one.fill_id.rpartition(":")[2]))
        listed = self._finder.learn(await self._reader.orders({"status": "open"}))
        shown = {link.id for link in listed}
        await self._finder.refresh({link.id for link in self._registry.open()} - shown)
        owed = set(self._owed)
        ids = list(dict.fromkeys([*shown, *owed, *(link.id for link in self._registry.open())]))
        await self._finder.complete(ids)
        for order in {one.broker_order_id: one for one in map(self._registry.order, ids)}.values():
            if order != self._orders.get(order.broker_order_id):
                self._tell_order(order.broker_order_id)
        self._owed -= owed
        self._whole_ts = max(self._whole_ts, reached)
        self._ear.forget()

    async def _look(self) -> None:
        """Look at the newest executions, to see whether the stream tells what happens."""
        params = {**_DOWN, "page_size": _NEWEST}
        try:
            found = await self._reader.rows("/account/activities/FILL", params, priority=LATER)
        except BrokerUnavailable as error:
            log.debug("the newest executions cannot be looked at: %s", error)
            return
        for one in _readable(found):
            link = self._registry.link(one.order_id)
            filled = int(one.cumulative or 0)
            if link is not None and filled > link.filled:
                self._ear.shown(link.id, filled=filled, over=False, now=_now())


def _readable(found: Sequence[Data]) -> list[Execution]:
    """Return executions where it does not matter that one cannot be read."""
    try:
        return parsing.executions(found)
    except Unreadable:
        return []


def _now() -> float:
    return asyncio.get_running_loop().time()
