"""The line to the feed: whether it is there, what it dropped, and when a person hears of it."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthFeed, DepthGap
from tradingd.recorder import alerts

DROPS_TOLD: Final = 10.0
"""Seconds between two alerts about records that the feed dropped."""


class FeedWatch:
    """Hears of gaps, and says so.

    Parameters
    ----------
    feed : DepthFeed
    emit : callable
        Takes alerts.
    """

    def __init__(self, feed: DepthFeed, emit: Callable[[Alert], None]) -> None:
        self._feed = feed
        self._emit = emit
        self.lost = 0
        """Records that were lost of which it is not known whose they were."""
        self._lost_at: int | None = None
        self._untold: list[int] = []
        self._drops_due = 0.0

    def nobodys(self, gap: DepthGap) -> DepthGap:
        """Count a gap's records for the session; return the gap as every stream is told of it."""
        self.lost += gap.lost
        return msgspec.structs.replace(gap, lost=0)

    def gap(self, gap: DepthGap, events: int) -> None:
        """Hear of a gap; `events` are the records that came before it."""
        if gap.reason == "reconnect" and self._lost_at is None:
            self._lost_at = events
            self._emit(alerts.feed_lost(self._feed.label, gap.detail))
        elif gap.reason == "dropped":
            self._untold.append(gap.lost)
            self.tell_drops(gap.detail)

    def look(self, events: int) -> None:
        """Say what fell due; a feed is back when more records than before its loss have come."""
        self.tell_drops()
        if self._lost_at is not None and events > self._lost_at:
            self._lost_at = None
            self._emit(alerts.feed_back(self._feed.label))

    def tell_drops(self, detail: str = "", *, at_once: bool = False) -> None:
        """Say what was dropped: a flood has hundreds of runs of drops, and needs no such alerts."""
        now = asyncio.get_running_loop().time()
        if self._untold and (at_once or now >= self._drops_due):
            self._drops_due = now + DROPS_TOLD
            self._emit(alerts.records_dropped(self._feed.label, sum(self._untold), detail))
            self._untold.clear()

    def ended(self, detail: str) -> None:
        """Say that it ended with an error."""
        self._emit(alerts.feed_lost(self._feed.label, detail, for_good=True))
