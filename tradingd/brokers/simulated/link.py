"""Keeps the connection: introduces itself, subscribes, reconnects, and loses no event."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec

from tradingd.brokers.simulated import parsing
from tradingd.brokers.simulated.client import Body, Client, Lost, NoAnswer, NothingSent
from tradingd.brokers.simulated.ordering import InOrder
from tradingd.domain.broker_reports import BrokerEvent, ConnectionUpdate
from tradingd.kits.failure import ExitCode, Failure

WIRE_VERSION: Final = 1
FIRST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 2.0
"""Seconds between attempts to reconnect: doubled each time, cut to 50-100 % by chance."""

GAP_SECONDS: Final = 0.2
"""How long a missing event may still come by itself before it is asked for again."""

type _Item = BrokerEvent | None


class Link:
    """A connection to the simulated broker that comes back by itself.

    Parameters
    ----------
    path : Path
        The socket.
    timeout : float
        Seconds to wait for a reply.
    chance : Callable
        Source of the jitter, 0 to 1.
    """

    def __init__(
        self, path: Path, timeout: float, chance: Callable[[], float] = random.random
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._chance = chance
        self._client = Client(path, self._take, self._down)
        self._order = InOrder()
        self._events: asyncio.Queue[_Item] = asyncio.Queue()
        self._up = asyncio.Event()
        self._reached: list[tuple[int, asyncio.Future[None]]] = []
        self._keeper: asyncio.Task[None] | None = None
        self._gap: asyncio.TimerHandle | None = None
        self._filling: asyncio.Task[None] | None = None
        self._hello: parsing.Hello | None = None

    @property
    def connected(self) -> bool:
        """True from the subscription on until the connection is known to be lost."""
        return self._up.is_set()

    @property
    def hello(self) -> parsing.Hello:
        """What the broker last said of itself."""
        assert self._hello is not None, "not connected yet"
        return self._hello

    async def start(self) -> Body:
        """Connect and stay connected; return the broker's introduction.

        Raises
        ------
        Failure
            BROKER, when nobody answers or it is not this broker.
        """
        try:
            reply = await self._introduce()
        except (OSError, NothingSent, Lost, NoAnswer, msgspec.MsgspecError) as error:
            self._up.clear()
            await self._client.close()
            raise Failure(
                "The simulated broker cannot be reached",
                code=ExitCode.BROKER,
                where=str(self._path),
                expected="a simulated broker that answers on the socket",
                found=str(error),
                next_step="start it: python -m tradingd.simbroker --state DIR --socket PATH, "
                "or set broker.launch=true",
            ) from error
        self._keeper = asyncio.create_task(self._keep(), name="simulated broker connection")
        return reply

    async def stop(self) -> None:
        """Disconnect for good; `events` ends."""
        self._up.clear()
        if self._gap is not None:
            self._gap.cancel()
        for task in (self._keeper, self._filling):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self._client.close()
        self._events.put_nowait(None)

    async def ask(self, op: str, fields: Body) -> Body:
        """Send a request once and return the reply, whatever it says.

        Raises
        ------
        NothingSent, Lost, NoAnswer
            By what may have happened to the request.
        """
        if not self.connected:
            raise NothingSent("not connected")
        reply = await self._client.ask(op, self._timeout, fields)
        last = reply.get("seq")
        if isinstance(last, int):
            self._order.learn(last)
            self._watch_gap()
        return reply

    async def wait_until_up(self, seconds: float) -> bool:
        """Wait for the connection; tell whether it is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._up.wait()
        return self.connected

    async def caught_up(self, seq: int, seconds: float) -> bool:
        """Wait until the events up to `seq` are on the stream; False when they do not come."""
        if self._order.next > seq:
            return True
        # The broker sends the events of such a request before its reply: some are missing.
        self._fill_gap()
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reached.append((seq, reached))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await reached
        return self._order.next > seq

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Yield events in order until `stop`."""
        while (item := await self._events.get()) is not None:
            try:
                yield item
            finally:
                self._events.task_done()

    async def drained(self) -> None:
        """Wait until whoever follows the events has taken those that have come."""
        await self._events.join()

    async def _introduce(self) -> Body:
        """Connect, say hello, subscribe from the first event that is not known here."""
        await self._client.open()
        reply = await self._client.ask("hello", self._timeout, {})
        said = parsing.hello(reply)
        if said.version != WIRE_VERSION:
            raise Lost(f"it speaks version {said.version}, this client {WIRE_VERSION}")
        reason = self._place(said)
        self._hello = said
        if self._keeper is not None:
            self._events.put_nowait(ConnectionUpdate(connected=True, reason=reason))
        # Up before the missed events come: whoever hears "connected" may ask at once.
        self._up.set()
        self._order.learn(said.seq)
        await self._subscribe()
        return reply

    def _place(self, said: parsing.Hello) -> str:
        """Decide where the event stream goes on; return how that is to be told."""
        known = self._hello
        if known is None:
            self._order.restart(said.seq + 1)
            return "connected"
        if known.store != said.store or said.seq + 1 < self._order.next:
            self._order.restart(said.seq + 1)
            return "connected again to a broker that has lost its events"
        return "connected again"

    async def _subscribe(self) -> None:
        await self._client.ask("subscribe", self._timeout, {"from": self._order.next})

    async def _keep(self) -> None:
        """Reconnect whenever the connection is lost."""
        while True:
            await self._client.lost()
            wait = FIRST_WAIT
            while not self.connected:
                await asyncio.sleep(wait * (0.5 + self._chance() / 2))
                wait = min(2 * wait, LONGEST_WAIT)
                try:
                    await self._introduce()
                except (OSError, NothingSent, Lost, NoAnswer, msgspec.MsgspecError) as error:
                    self._down(str(error))
                    await self._client.close()

    def _down(self, why: str) -> None:
        if self.connected:
            self._up.clear()
            self._events.put_nowait(ConnectionUpdate(connected=False, reason=why))

    def _take(self, body: Body) -> None:
        """Take a line that is no reply: an event."""
        seq = body.get("seq")
        if not isinstance(seq, int):
            return
        for ready in self._order.push(seq, body):
            self._events.put_nowait(parsing.event(ready))
        for wanted, reached in self._reached:
            if wanted < self._order.next and not reached.done():
                reached.set_result(None)
        self._reached = [item for item in self._reached if not item[1].done()]
        self._watch_gap()

    def _watch_gap(self) -> None:
        """Ask for missing events unless they come soon."""
        if self._order.missing and self._gap is None:
            loop = asyncio.get_running_loop()
            self._gap = loop.call_later(GAP_SECONDS, self._check_gap, self._order.next)

    def _check_gap(self, since: int) -> None:
        self._gap = None
        if not self._order.missing:
            return
        if self._order.next == since:
            self._fill_gap()
        self._watch_gap()

    def _fill_gap(self) -> None:
        if self.connected and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._refill(), name="simulated broker gap")

    async def _refill(self) -> None:
        # What is lost again is asked for again by the watch, or by the next connection.
        with contextlib.suppress(NothingSent, Lost, NoAnswer):
            await self._subscribe()
