"""Counts the steps of a process's life and ends it with SIGKILL at a given one.

A step is a journal write, its commit, a command before and after it, a question, an event. The
wrappers only count; the parts behind them are real.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from tradingd.domain.broker import Broker, Outcome
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
)
from tradingd.domain.broker_requests import Capabilities, OrderRequest
from tradingd.domain.journal import Record
from tradingd.journal.writer import SqliteJournal


class Steps:
    """Counts; `last` is the step that the process does not survive (0: none)."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.count = 0

    def __call__(self, _what: str) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedJournal:
    """A journal whose writes and commits are steps."""

    def __init__(self, journal: SqliteJournal, steps: Steps) -> None:
        self.inner = journal
        self._steps = steps

    def write(self, *records: Record) -> Awaitable[None]:
        self._steps("write")
        written = asyncio.ensure_future(self.inner.write(*records))
        written.add_done_callback(lambda _done: self._steps("commit"))
        return written

    @property
    def oldest_pending(self) -> float:
        return self.inner.oldest_pending

    @property
    def failure(self) -> BaseException | None:
        return self.inner.failure


class CountedBroker:
    """A broker whose commands, questions and events are steps.

    With `exits_apart` it says that two exits may not rest over the same shares, nor orders beside
    those of the other side that they could trade with. `lingers` draws how long after a command's
    sending one more step comes, while its answer is on its way.
    """

    def __init__(
        self,
        broker: Broker,
        steps: Steps,
        *,
        exits_apart: bool = False,
        lingers: Callable[[], float] | None = None,
    ) -> None:
        self.inner = broker
        self.exits_apart = exits_apart
        self._steps = steps
        self._lingers = lingers

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def capabilities(self) -> Capabilities:
        apart = self.exits_apart
        return msgspec.structs.replace(
            self.inner.capabilities, exits_share=not apart, opposite_orders=not apart
        )

    @property
    def connected(self) -> bool:
        return self.inner.connected

    async def connect(self) -> BrokerAccount:
        return await self.inner.connect()

    async def close(self) -> None:
        await self.inner.close()

    async def submit(self, order: OrderRequest) -> Outcome:
        return await self._command(self.inner.submit(order))

    async def replace(self, client_order_id: str, **changes: Any) -> Outcome:
        return await self._command(self.inner.replace(client_order_id, **changes))

    async def cancel(self, client_order_id: str) -> Outcome:
        return await self._command(self.inner.cancel(client_order_id))

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        self._steps("question")
        return await self.inner.order(client_order_id)

    async def open_orders(self) -> Sequence[BrokerOrder]:
        self._steps("question")
        return await self.inner.open_orders()

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        self._steps("question")
        return await self.inner.fills(since_ns)

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        return await self.inner.adjustments(since_ns)

    async def positions(self) -> Sequence[BrokerPosition]:
        return await self.inner.positions()

    async def account(self) -> BrokerAccount:
        return await self.inner.account()

    async def ping(self) -> float:
        return await self.inner.ping()

    async def events(self) -> AsyncIterator[BrokerEvent]:
        async for event in self.inner.events():
            self._steps("event")
            yield event
            self._steps("event taken")

    async def _command(self, sending: Awaitable[Outcome]) -> Outcome:
        # The client writes to the socket before it first gives way: two turns later it is out.
        task = asyncio.ensure_future(sending)
        self._steps("before sending")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._steps("sent")
        if self._lingers is not None:
            await asyncio.wait({task}, timeout=self._lingers())
            self._steps("under way")
        outcome = await task
        self._steps("outcome")
        return outcome
