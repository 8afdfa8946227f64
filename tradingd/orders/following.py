"""The broker's events, one after the other, and what a lost connection makes necessary."""

import asyncio
import logging
from typing import Final

from tradingd.domain.broker import Broker, BrokerUnavailable
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerEvent,
    ConnectionUpdate,
    FillUpdate,
    OrderUpdate,
)
from tradingd.orders.adjustments import Adjustments
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.fills import Fills
from tradingd.orders.protection import Protection
from tradingd.orders.reconcile import Reconciler
from tradingd.orders.truth import Truth

log = logging.getLogger(__name__)

_PAUSE: Final = 0.2
"""Seconds before a broker that did not answer, or whose stream ended, is asked again."""

_TURN: Final = 16
"""Events of the broker between two turns of the loop: hundreds come at once after a busy minute."""


class Following:
    """Takes the broker's events; orders may leave while it is `ready`.

    Parameters
    ----------
    desk, broker, fills, truth, doubt, adjustments, protection, reconciler
        Parts of the same shim.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        *,
        fills: Fills,
        truth: Truth,
        doubt: Doubt,
        adjustments: Adjustments,
        protection: Protection,
        reconciler: Reconciler,
    ) -> None:
        self.ready = False
        self._running = False
        self._desk = desk
        self._broker = broker
        self._fills = fills
        self._truth = truth
        self._doubt = doubt
        self._adjustments = adjustments
        self._protection = protection
        self._reconciler = reconciler

    def begin(self) -> None:
        """Let orders leave, and follow the events in a task."""
        self._open()
        self._running = True
        self._desk.spawn("broker events", self.run())

    def end(self) -> None:
        """Let nothing leave any more; the task ends with the desk's."""
        self._running = False
        self.ready = False

    async def run(self) -> None:
        """Follow the events until the task is cancelled."""
        taken = 0
        while True:
            async for event in self._broker.events():
                try:
                    await self._take(event)
                except Exception as error:  # noqa: BLE001 - one event must not end the stream
                    self._desk.fault(f"an event of the broker could not be taken: {event}", error)
                taken += 1
                if taken % _TURN == 0:
                    await asyncio.sleep(0)
            # The stream ended, which it never should: whatever was missed is asked for.
            self.ready = False
            await asyncio.sleep(_PAUSE)
            await self._return("the event stream ended")

    # -- private ---------------------------------------------------------------------------------

    def _open(self) -> None:
        # Gone again meanwhile: the next connection reconciles.
        self.ready = self._broker.connected
        self._desk.wake()
        self._protection.sync_all()

    async def _take(self, event: BrokerEvent) -> None:
        match event:
            case FillUpdate(fill):
                if not self._fills.apply(fill) and not self._fills.known(fill.fill_id):
                    self._doubt.foreign(fill)
                    self._reconciler.foreign(fill)
            case OrderUpdate(order):
                self._truth.apply(order, asked=False)
            case AdjustmentUpdate():
                self._adjustments.apply(event)
            case ConnectionUpdate(connected, reason):
                self.ready = False
                if connected:
                    await self._return(reason)

    async def _return(self, reason: str) -> None:
        """Reconcile before anything else is sent; go on in a task while the broker is mute."""
        log.info("reconciling with the broker: %s", reason)
        try:
            await self._reconciler.run()
        except BrokerUnavailable as error:
            log.warning("the broker does not answer: %s", error)
            self._desk.spawn("reconcile again", self._again())
        else:
            self._open()

    async def _again(self) -> None:
        wait = _PAUSE
        while self._running and not self.ready and self._broker.connected:
            await asyncio.sleep(wait)
            wait = min(2 * wait, 5.0)
            try:
                await self._reconciler.run()
            except BrokerUnavailable:
                continue
            self._open()
