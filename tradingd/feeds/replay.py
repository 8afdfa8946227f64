"""Stored, embedded or invented bars, streamed as if they closed now.

Chunks are read and regrouped on a thread of the feed's own, one ahead of what is streamed; a batch
is made when the consumer asks for it. So memory is bounded by two chunks and the loop never waits
for a file.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.domain.ports import BarChunk, BarFeed
from tradingd.feeds.batches import Regrouped, session_cut
from tradingd.feeds.pace import Pace
from tradingd.feeds.ranges import Bars, bars_if_any
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date, local_midnight_ns

_SPARE: Final = 2
"""Days of warm-up are asked for this many times over, since symbols have gaps."""


class ReplayFeed:
    """A `Feed` over bars that exist already.

    Parameters
    ----------
    bars : Bars
        Where the bars come from.
    label : str
        What a person sees beside every number.
    synthetic : bool
        True for invented prices.
    resolution : Resolution
        Length of the bars.
    pace : Pace
        Speed of the replay.
    calendar : SessionCalendar
        Sessions that intraday bars are cut to.
    start, end : datetime.date, optional
        First and last day that is streamed; None: all there is.
    extended : bool
        Also stream intraday bars outside the regular sessions.
    """

    def __init__(
        self,
        bars: Bars,
        *,
        label: str,
        synthetic: bool,
        resolution: Resolution,
        pace: Pace,
        calendar: SessionCalendar,
        start: dt.date | None = None,
        end: dt.date | None = None,
        extended: bool = False,
    ) -> None:
        self.label = label
        self.synthetic = synthetic
        self.replayed = True
        self.resolution = resolution
        self._bars = bars
        self._pace = pace
        self._calendar = calendar
        self._start = start
        self._end = end
        self._cut = None if extended else session_cut(resolution, calendar)
        self._after = 0
        self._rest: BarFeed | None = None
        self._instruments: Sequence[Instrument] = ()
        self._actions: Sequence[CorporateAction] = ()
        self._thread: ThreadPoolExecutor | None = None

    @property
    def seconds_between(self) -> float:
        """Wall seconds between batches while the market is open."""
        return self._pace.cadence(self.resolution)

    async def open(self, resume_after: int) -> None:
        """Find the bars after a data time.

        Raises
        ------
        Failure
            EMPTY_RANGE, NO_DATA or UNKNOWN_SYMBOL when the configured days hold nothing; FEED when
            the bars are not of the promised resolution.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        await self._on_thread(lambda: self._find(resume_after))

    @property
    def begins(self) -> int:
        """Data time after which the stream goes on (UTC ns): bars up to it are history.

        0 before `open`, and when the first day was not stated and nothing is resumed.
        """
        return self._after

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts of every symbol in the configured range."""
        return self._instruments

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends up to the last configured day, by ex-date."""
        return self._actions

    async def history(self, before: int, bars: int) -> Sequence[Batch]:
        """Return up to `bars` batches that end at or before a data time."""
        if bars <= 0:
            return ()
        return await self._on_thread(lambda: self._last_batches(before, bars))

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield the batches after the resumed time, paced, until there are no more."""
        if self._rest is None:
            return
        chunks = self._rest.chunks()
        coming = self._read(chunks)
        try:
            while (group := await coming) is not None:
                coming = self._read(chunks)
                for batch in group.batches():
                    await self._pace.until(batch.ts)
                    yield batch
        finally:
            if not coming.done():
                coming.cancel()

    def freeze(self, seconds: float) -> None:
        """Yield nothing for that long (a drill: what happens when data stops?)."""
        self._pace.freeze(seconds)

    async def close(self) -> None:
        """Let the reading thread go."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.to_thread(thread.shutdown, wait=True, cancel_futures=True)

    # -- on the feed's thread --------------------------------------------------------------------

    def _find(self, resume_after: int) -> None:
        whole = self._bars.between(self._start, self._end)
        if whole.resolution is not self.resolution:
            raise Failure(
                "the feed's bars are not of the length the strategy wants",
                code=ExitCode.CONFIG,
                where="feed.data, strategy.bars",
                expected=f"{self.resolution} bars",
                found=f"{whole.resolution} bars",
                next_step=f"choose another feed.data, or strategy.bars={whole.resolution}",
            )
        self._rest = whole
        self._instruments = whole.instruments()
        # Those of days before the first one: warm-up shows bars of these days.
        self._actions = self._bars.between(None, self._end).actions()
        floor = 0 if self._start is None else local_midnight_ns(self._start)
        self._after = max(resume_after, floor)
        if resume_after > floor:
            self._rest = bars_if_any(self._bars, local_date(resume_after), self._end)

    def _next(self, chunks: Iterator[BarChunk]) -> Regrouped | None:
        chunk = next(chunks, None)
        return None if chunk is None else Regrouped(chunk, self._after, self._cut)

    def _last_batches(self, before: int, bars: int) -> Sequence[Batch]:
        found = self._batches_until(before, bars, self._day_before(before, bars))
        return found if len(found) == bars else self._batches_until(before, bars, None)

    def _batches_until(self, before: int, bars: int, start: dt.date | None) -> Sequence[Batch]:
        stored = bars_if_any(self._bars, start, local_date(before))
        last: deque[Batch] = deque(maxlen=bars)
        for chunk in () if stored is None else stored.chunks():
            if chunk.start_ns > before:
                break
            batches = Regrouped(chunk, 0, self._cut).batches()
            last.extend(batch for batch in batches if batch.ts <= before)
        return tuple(last)

    def _day_before(self, before: int, bars: int) -> dt.date | None:
        """Return a day that lies far enough back for that many batches."""
        session = self._calendar.next_open(before)
        if session is None:
            return None
        a_session = max(1, (session.close_ns - session.open_ns) // self.resolution.nanoseconds)
        sessions = self._calendar.between(dt.date.min, local_date(before))
        days = _SPARE * (bars // a_session + 2)
        return sessions[-days].day if days <= len(sessions) else None

    # -- private ---------------------------------------------------------------------------------

    def _read(self, chunks: Iterator[BarChunk]) -> asyncio.Future[Regrouped | None]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._opened(), self._next, chunks)

    async def _on_thread[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._opened(), work)

    def _opened(self) -> ThreadPoolExecutor:
        if self._thread is None:
            raise RuntimeError("the feed is not open")
        return self._thread
