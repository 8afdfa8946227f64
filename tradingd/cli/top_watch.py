"""Look at a daemon again and again on a thread of its own; the screen shows the last look."""

import threading
import time
from collections import deque

import msgspec

from tradingd.control.answers import (
    Event,
    HealthView,
    Orders,
    OrderView,
    Positions,
    PositionView,
    Status,
)
from tradingd.control.client import ControlClient
from tradingd.kits.failure import Failure


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look saw; `trouble` says why the last one saw nothing new."""

    status: Status | None = None
    health: HealthView | None = None
    positions: tuple[PositionView, ...] = ()
    orders: tuple[OrderView, ...] = ()
    events: tuple[Event, ...] = ()
    trouble: str = ""
    seen: float = 0.0


class Watch:
    """Looks every so often until the process ends.

    Parameters
    ----------
    client : ControlClient
        Asked once a look, and for the event stream on a second thread.
    every : float
        Seconds between looks.
    """

    _KEPT = 200

    def __init__(self, client: ControlClient, every: float) -> None:
        self._client = client
        self._every = every
        self._events: deque[Event] = deque(maxlen=self._KEPT)
        self._look = Look()
        self.changed = threading.Event()

    @property
    def look(self) -> Look:
        """The last look."""
        return self._look

    def start(self) -> None:
        """Begin to look; the threads end with the process."""
        for name, target in (("top-look", self._looking), ("top-events", self._listening)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def once(self) -> Look:
        """Look one time.

        Raises
        ------
        Failure
            What the daemon, or its absence, answers.
        """
        self._events.extend(self._client.events(-self._KEPT, follow=False))
        return self._see()

    def _see(self) -> Look:
        return Look(
            status=self._client.get("status", Status),
            health=self._client.get("health", HealthView),
            positions=self._client.get("positions", Positions).positions,
            orders=self._client.get("orders", Orders).orders,
            events=tuple(self._events),
            seen=time.monotonic(),
        )

    def _looking(self) -> None:
        while True:
            try:
                self._look = self._see()
            except Failure as failure:
                self._look = msgspec.structs.replace(self._look, trouble=failure.line())
            self.changed.set()
            time.sleep(self._every)

    def _listening(self) -> None:
        after = -self._KEPT
        while True:
            try:
                for event in self._client.events(after, follow=True):
                    self._events.append(event)
                    after = event.seq
            except Failure:
                # The other thread says what is wrong; this one tries until it works.
                time.sleep(self._every)
