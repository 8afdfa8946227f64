"""What the shim tells, on its way to strategies and to the engine's picture.

A listener of the shim must not act at once: the shim is in the middle of a step. So fills wait for
the loop's next turn, and while a batch is delivered for its end: whether a strategy hears of a fill
before or after a bar of the same minute must not depend on how fast the broker is.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from tradingd.domain.orders import Fill, Purpose
from tradingd.domain.trading import OrderEvent
from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.present import Present
from tradingd.engine.live.working import Working

log = logging.getLogger(__name__)

type FillHandler = Callable[[Fill], None]
type Follower = Callable[[OrderEvent], None]


class Hearing:
    """Hears every step of every order."""

    def __init__(self, working: Working, mirror: Mirror, present: Present) -> None:
        self._working = working
        self._mirror = mirror
        self._present = present
        self._handlers: dict[str, FillHandler] = {}
        self._followers: dict[str, Follower] = {}
        self._steps: deque[OrderEvent] = deque()
        self._due = False
        self._held = False

    def tell(self, strategy: str, handler: FillHandler | None) -> None:
        """Take a strategy's `on_filled`."""
        if handler is not None:
            self._handlers[strategy] = handler

    def follow(self, strategy: str, follower: Follower) -> None:
        """Tell every step of a strategy's orders, each before the strategy hears of its fill."""
        self._followers[strategy] = follower

    def listen(self, event: OrderEvent) -> None:
        """Take one step; never raises."""
        self._working.take(event.order)
        if event.fill is not None:
            self._working.filled()
        try:
            self._mirror.apply(event)
        except Exception:
            self._mirror.failures += 1
            log.exception("the engine's picture of order %s is wrong", event.order.order_id)
        fill = event.fill
        heard = fill is not None and fill.purpose is not Purpose.CORPORATE
        if heard or event.order.strategy in self._followers:
            self._steps.append(event)
            self._soon()

    def hold(self) -> None:
        """Give strategies what waits, then nothing more until `release`."""
        self.drain()
        self._held = True

    def release(self) -> None:
        """Give strategies what came meanwhile, and go on telling."""
        self._held = False
        self.drain()

    def drain(self) -> None:
        """Give strategies the fills that wait, in order; during warm-up they wait on."""
        while self._steps and self._present.acting and not self._held:
            event = self._steps.popleft()
            follower = self._followers.get(event.order.strategy)
            if follower is not None:
                follower(event)
            fill = event.fill
            if fill is not None and fill.purpose is not Purpose.CORPORATE:
                handler = self._handlers.get(fill.strategy)
                if handler is not None:
                    handler(fill)

    def _soon(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._due = False
        self.drain()
