"""One symbol's capture on the loop: the state that the next snapshot shows, and what waits.

The path of an event is a few reads and an append (`Recorder.event`); everything here runs only
when the grid's time has come, or when every change is kept.
"""

from collections import Counter
from typing import Final, Protocol

from tradingd.domain.depth import DepthEvent, DepthGap, Ladder
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import Failure
from tradingd.level2.quality import QualityWatch
from tradingd.level2.snapshots import SnapshotRows
from tradingd.recorder.budget import Budget
from tradingd.recorder.capture import Capture
from tradingd.recorder.settings import Settings
from tradingd.session.calendar import local_date, local_midnight_ns

NEVER: Final = 2**63 - 1
"""A time that does not come, UTC ns."""

_MINUTE: Final = 60 * NANOSECONDS
_MILLISECOND: Final = 1_000_000
_LOSING: Final = ("reconnect", "cleared")
"""After these gaps nothing is known of the book until it is told anew."""


class Owner(Protocol):
    """What a stream asks of the recorder; all on the loop."""

    rows: Budget

    def begun(self, stream: "Stream", ts: int, day_ends: int) -> Capture:
        """Return the capture that a stream's first record of a day begins."""
        ...

    def ended(self, stream: "Stream", ts: int) -> None:
        """Hear that the capture of a day is complete."""
        ...

    def over(self, stream: "Stream") -> None:
        """Hear that the duration is over."""
        ...

    def crowded(self) -> None:
        """Hear that half of the memory is full of snapshots."""
        ...

    def lost(self, stream: "Stream") -> None:
        """Hear that a snapshot found no room."""
        ...

    def unfit(self, stream: "Stream", failure: Failure) -> None:
        """Hear of a book that the columns cannot hold."""
        ...

    def judged(self, stream: "Stream", quality: int, ts: int) -> None:
        """Hear of the quality of a row, when it changed."""
        ...


class Stream:
    """Follows one symbol's book.

    Parameters
    ----------
    symbol : str
    settings : Settings
    owner : Owner
    queued : float
        Seconds it waited in line.
    starts : int or None
        Data time from which its duration counts, UTC ns; None: from its first record.
    """

    def __init__(
        self, symbol: str, settings: Settings, owner: Owner, *, queued: float, starts: int | None
    ) -> None:
        self.symbol = symbol
        self.queued = queued
        self._settings = settings
        self._owner = owner
        self._levels = settings.levels
        self._step = settings.interval_ms * _MILLISECOND
        self._length = settings.minutes * _MINUTE
        self._ends = NEVER if starts is None or not self._length else starts + self._length
        self._watch = QualityWatch(self._levels, round(settings.stale_seconds * NANOSECONDS))
        self.on_change = settings.on_change
        self.due = 0
        """A record later than this needs `passed` first."""
        self.told = 0
        """Time of the last row: a record not later than this came too late for it."""
        self.last: DepthEvent | None = None
        """The last record that closed an event: its book is the state."""
        self.events = 0
        self.late = 0
        self.log: list[DepthEvent] | None = [] if settings.messages else None
        self.rows = SnapshotRows(symbol, self._levels)
        self.waiting = 0
        """Rows in the buffer."""
        self.capture: Capture | None = None
        self.gaps: Counter[str] = Counter()
        self._counted = 0
        self._next = NEVER
        self._day_ends = NEVER
        self._shown: DepthEvent | None = None
        self._ladder: Ladder = ()
        self._quality = 0
        self.finished = False
        self.counted_events = self.counted_late = 0
        """What captures of days before have counted."""

    @property
    def quality(self) -> int:
        """`columns.Quality` bits of the last row."""
        return self._quality

    @property
    def newest(self) -> int:
        """Data time of what was told last, UTC ns; 0: nothing."""
        return max(self.told, self.last.ts_recv if self.last else 0)

    def reached(self, ts: int) -> None:
        """Take the rows up to and including `ts`; one of which nothing was told has none."""
        if self.capture is not None:
            self.passed(ts + 1)
        elif ts >= self._ends and not self.finished:
            self.finished = True
            self._owner.over(self)

    def close(self) -> None:
        """End the capture where it is; the next record begins another."""
        if self.capture is None or self.finished:
            return
        self._owner.ended(self, self.ended_at())
        self.capture = self.last = self._shown = None
        self._ladder = ()
        self._next = self._day_ends = NEVER
        # The next record has to pass `passed`, which begins the capture.
        self.due = 0

    def ended_at(self) -> int:
        """Return the data time up to which it was recorded, UTC ns."""
        began = self.capture.began if self.capture else 0
        return max(began, self.newest)

    def passed(self, ts: int) -> None:
        """Take the rows of every grid time before `ts`, and what falls due with them."""
        if self.finished:
            return
        if self.capture is None:
            self._begin(ts)
        while True:
            bound = min(self._ends, self._day_ends)
            stop = min(ts, bound)
            if self.last is None and self._next < stop:
                self._next = -(-stop // self._step) * self._step
            while self._next < stop:
                self._snapshot(self._next)
                self._next += self._step
            if ts < bound:
                break
            if bound == self._ends:
                self.finished = True
                self._owner.over(self)
                return
            self._next_day(ts)
        self.due = min(self._next, bound - 1)

    def changed(self, event: DepthEvent) -> None:
        """Keep the state after a record that closed an event, when it differs from the last."""
        ladder = event.book(self._levels)
        self._shown = event
        if ladder != self._ladder:
            self._ladder = ladder
            self._row(max(event.ts_recv, self.told), event, on_change=True)

    def gap(self, gap: DepthGap) -> None:
        """Mark the next row; where the book itself is lost, wait until it is told anew."""
        self._watch.gap()
        self.gaps[gap.reason] += 1
        if gap.reason in _LOSING:
            self.last = None
        if self.capture is not None:
            self.capture.tally.gap(gap)

    def lose(self) -> None:
        """Mark the next row: what came before it did not reach the disk."""
        self._watch.gap()

    def taken(self) -> tuple[SnapshotRows, int]:
        """Return the buffered rows and their number, and start anew."""
        rows, count = self.rows, self.waiting
        self.rows, self.waiting = SnapshotRows(self.symbol, self._levels), 0
        return rows, count

    def _begin(self, ts: int) -> None:
        """Start the capture of a day at the time of its first record."""
        if self._ends == NEVER and self._length:
            self._ends = ts + self._length
        self._day_ends = _next_midnight(ts)
        self.capture = self._owner.begun(self, ts, self._day_ends)
        self._next = -(-ts // self._step) * self._step if self._step else NEVER

    def _next_day(self, ts: int) -> None:
        began = self._day_ends
        self._owner.ended(self, began)
        self._day_ends = _next_midnight(began)
        if ts >= self._day_ends:
            # Days on which nothing was told at all have no capture.
            began = ts
            self._day_ends = _next_midnight(ts)
            self._next = -(-ts // self._step) * self._step if self._step else NEVER
        self.capture = self._owner.begun(self, began, self._day_ends)

    def _snapshot(self, ts: int) -> None:
        last = self.last
        if last is None:
            return
        if last is not self._shown:
            self._ladder = last.book(self._levels)
            self._shown = last
        self._row(ts, last, on_change=False)

    def _row(self, ts: int, event: DepthEvent, *, on_change: bool) -> None:
        owner = self._owner
        self.told = ts
        if not owner.rows.take():
            self._watch.gap()
            owner.lost(self)
            return
        quality = self._watch.assess(self._ladder, ts, suspect=event.suspect)
        try:
            self.rows.append(
                ts=ts,
                ts_event=event.ts_event,
                ts_recv=event.ts_recv,
                sequence=event.sequence,
                events=self.events - self._counted,
                on_change=on_change,
                quality=quality,
                ladder=self._ladder,
            )
        except Failure as failure:
            owner.rows.hand_over(1)
            owner.rows.settle(1)
            self._watch.gap()
            owner.unfit(self, failure)
            return
        self._counted = self.events
        self.waiting += 1
        if self.capture is not None:
            self.capture.tally.row(ts, quality)
        if quality or self._quality:
            self._quality = quality
            owner.judged(self, quality, ts)
        if owner.rows.crowded:
            owner.crowded()


def _next_midnight(ts: int) -> int:
    """Return the UTC ns at which the New York day of a time ends."""
    day = local_date(ts)
    return local_midnight_ns(type(day).fromordinal(day.toordinal() + 1))
