"""What a silence means, and how far history goes: on the wall's time, and on a test server's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from tradingd.domain.market import NANOSECONDS, Resolution
from tradingd.feeds.alpaca.pipes import Rows
from tradingd.feeds.alpaca.stream import Lost
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.vendors.alpaca.values import Unreadable, instant

log = logging.getLogger(__name__)

_MINUTE: Final = Resolution.MINUTE.nanoseconds

SHORTEST_END: Final = 3.0
"""Seconds of silence before which a test server's market is never taken for over."""

GAPS: Final = 5.0
"""A silence is long when it lasts so many times the longest one between two bars."""

OPEN_GAPS: Final = 4.0
"""And so many times longer still while the server's clock says that the market is open."""


class Rules(Protocol):
    """What differs between the wall's time and data time."""

    def renewed(self) -> None:
        """Know that a connection begins."""
        ...

    def spoke(self, now: float) -> None:
        """Know that bars have come (monotonic seconds)."""
        ...

    async def until(self) -> int | None:
        """Return the last close that history is read up to; None: what the server knows."""
        ...

    async def silent(self, seconds: float) -> bool:
        """Look at a silence; True ends the stream.

        Raises
        ------
        Lost
            When the connection is mute and has to be renewed.
        """
        ...


class WallRules:
    """Wall time: a session in which nothing at all is heard has a mute connection.

    Parameters
    ----------
    calendar : SessionCalendar
    wall : Callable
        UTC ns.
    mute_seconds : float
    delay : int
        Nanoseconds by which the feed is late.
    """

    def __init__(
        self,
        calendar: SessionCalendar,
        wall: Callable[[], int],
        mute_seconds: float,
        delay: int = 0,
    ) -> None:
        self._calendar = calendar
        self._wall = wall
        self._mute = mute_seconds
        self._delay = delay

    def renewed(self) -> None:
        """Nothing follows from it here."""

    def spoke(self, now: float) -> None:
        """Nothing follows from it here."""

    async def until(self) -> int | None:
        """Return the end of the last full minute."""
        return (self._wall() - self._delay) // _MINUTE * _MINUTE

    async def silent(self, seconds: float) -> bool:
        """Renew the connection when the market is open and nobody speaks."""
        now = self._wall() - self._delay
        session = self._calendar.at(now)
        # The first minute bar comes a minute after the open.
        open_for = 0.0 if session is None else (now - session.open_ns) / NANOSECONDS - 60
        if min(seconds, open_for) > self._mute:
            raise Lost(f"connected, but mute for {seconds:.0f} s")
        return False


class DataRules:
    """A test server's data time: silence is either a mute connection or the end of the market.

    A silence of five times the longest gap between bars so far (three seconds at least; four
    times that while the server's clock says open) is looked into. When history has bars that the
    stream did not bring, the connection is mute. When it has none, the market is over.

    Parameters
    ----------
    read : Callable
        Reads the bars after the last one that was delivered.
    clock : Callable
        Reads the server's clock.
    ends : bool
        Whether the stream ends with the market.
    unfinished : bool
        Whether history shows bars that are not over (daily ones), so that its time is needed.
    begun : bool
        Whether bars have come before: only then can there be an end.
    """

    def __init__(
        self,
        *,
        read: Callable[[int | None], Awaitable[Rows]],
        clock: Callable[[], Awaitable[dict[str, Any]]],
        ends: bool,
        unfinished: bool,
        begun: bool,
    ) -> None:
        self.longest = 0.0
        self._read = read
        self._clock = clock
        self._ends = ends
        self._unfinished = unfinished
        self._begun = begun
        self._spoke: float | None = None
        self._looked = float("-inf")

    def renewed(self) -> None:
        """Do not take the outage for the pace of the replay."""
        self._spoke = None

    def spoke(self, now: float) -> None:
        """Learn the pace of the replay."""
        self._begun = True
        if self._spoke is not None:
            self.longest = max(self.longest, now - self._spoke)
        self._spoke = now

    async def until(self) -> int | None:
        """Return the server's time where unfinished bars must be left out."""
        if not self._unfinished:
            return None
        try:
            return instant((await self._clock()).get("timestamp"))
        except Unreadable:
            return 0

    async def silent(self, seconds: float) -> bool:
        """Tell whether the market is over."""
        if not self._begun:
            # A replay that has not begun: somebody starts it, or it is over already.
            return False
        patience = max(SHORTEST_END, GAPS * self.longest)
        now = asyncio.get_running_loop().time()
        if seconds < patience or now - self._looked < patience:
            return False
        self._looked = now
        try:
            if list(await self._read(await self.until())):
                raise Lost(f"connected, but mute for {seconds:.0f} s: history has newer bars")
            is_open = bool((await self._clock()).get("is_open"))
        except Failure as failure:
            log.warning("the end of the market cannot be told: %s", failure)
            return False
        return self._ends and seconds >= patience * (OPEN_GAPS if is_open else 1.0)
