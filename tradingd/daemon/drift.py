"""How far our clock is from the broker's, measured over a question and its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tradingd.domain.broker import BrokerUnavailable

EVERY_SECONDS: Final = 60.0


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Our clock minus the broker's, seconds; half the round trip is how uncertain that is."""

    offset: float
    uncertain: float

    @property
    def proven(self) -> float:
        """Seconds that the clocks certainly differ by."""
        return max(0.0, abs(self.offset) - self.uncertain)


class DriftMeter:
    """Asks the broker for its time once a minute.

    Parameters
    ----------
    ask : Callable
        `BrokerClock.time`.
    wall : Callable
        Our time, UTC ns.
    """

    def __init__(self, ask: Callable[[], Awaitable[int]], wall: Callable[[], int]) -> None:
        self._ask = ask
        self._wall = wall
        self.last: Drift | None = None

    async def run(self) -> None:
        """Measure for ever; without an answer the last measurement stands."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> Drift | None:
        """Measure now."""
        sent = self._wall()
        try:
            theirs = await self._ask()
        except BrokerUnavailable:
            return self.last
        received = self._wall()
        ours = (sent + received) / 2
        self.last = Drift(offset=(ours - theirs) / 1e9, uncertain=(received - sent) / 2e9)
        return self.last
