"""Ask the broker, over and over, whether it answers: a real round trip, not the client's flag."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from tradingd.daemon.checks.check import Limits, Seconds
from tradingd.domain.broker import BrokerUnavailable


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the broker's answers.

    `answered` is the clock's time of the last answer (None: never), `round_trip` how long it took,
    `trouble` why the latest question got none (empty: it did).
    """

    answered: float | None = None
    round_trip: float = 0.0
    trouble: str = "not asked yet"


class Pinger:
    """Pings every ``ping_every_seconds`` and waits at most ``ping_seconds`` for the answer.

    Parameters
    ----------
    ping : callable
        `Broker.ping`.
    limits, seconds : callable
        Limits in force; a monotonic clock.
    """

    def __init__(
        self, ping: Callable[[], Awaitable[float]], limits: Limits, seconds: Seconds
    ) -> None:
        self._ping = ping
        self._limits = limits
        self._seconds = seconds
        self.last = Ping()

    async def run(self) -> None:
        """Ping for ever."""
        while True:
            await self.once()
            await asyncio.sleep(self._limits().ping_every_seconds)

    async def once(self) -> Ping:
        """Ping now; return and keep what is known."""
        allowed = self._limits().ping_seconds
        try:
            async with asyncio.timeout(allowed):
                took = await self._ping()
        except TimeoutError:
            self._note(f"no answer within {allowed:g} s")
        except BrokerUnavailable as error:
            self._note(str(error) or "unavailable")
        else:
            self.last = Ping(answered=self._seconds(), round_trip=took, trouble="")
        return self.last

    def _note(self, trouble: str) -> None:
        self.last = msgspec.structs.replace(self.last, trouble=trouble)
