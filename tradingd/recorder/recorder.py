"""The recorder: follows books, takes snapshots on the data clock, never blocks the loop."""

import asyncio
import contextlib
import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd import __version__
from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent, DepthFeed, DepthGap, Dropping
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.tasks import Tasks
from tradingd.recorder import alerts, recovery, retention, statistics
from tradingd.recorder.capture import Capture, by_bit
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.recovery import Recovered
from tradingd.recorder.settings import SessionFacts, settings_of
from tradingd.recorder.slots import Place, Slots
from tradingd.recorder.statistics import CaptureStats
from tradingd.recorder.stream import NEVER, Stream
from tradingd.recorder.view import RecorderView, StreamView
from tradingd.recorder.watch import BookWatch
from tradingd.session.calendar import local_date

log = logging.getLogger(__name__)

LOG_AT_ONCE: Final = 8_192
"""Records of one symbol that wait for the message log before the flush is due."""

PATIENCE: Final = 5.0
"""Seconds that the stop waits for a disk that refuses."""

CATCH_UP: Final = 5 * NANOSECONDS
"""Longest stretch of silent live time whose rows are taken at once: a machine that slept, say."""

BEHIND: Final = 60 * NANOSECONDS
"""A live feed whose records are older than this when they come tells the past."""

DROPS_TOLD: Final = 10.0
"""Seconds between two alerts about records that the feed dropped."""

_TICK: Final = 0.1
"""Least seconds between two looks at the wall clock for symbols that are quiet."""

_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.\-]{0,14}")


class Recorder:
    """Records order books into the level-2 folder; a `DepthListener`.

    Parameters
    ----------
    config : RecordConfig
    feed : DepthFeed
        Not yet open.
    root : Path
        The level-2 folder.
    wall : callable
        Wall time, UTC ns.
    emit : callable, optional
        Takes alerts; must not block.
    linger : bool
        Go on when nothing is recorded any more, since more may be asked for.
    """

    def __init__(
        self,
        config: RecordConfig,
        feed: DepthFeed,
        root: Path,
        *,
        wall: Callable[[], int],
        emit: Callable[[Alert], None] | None = None,
        linger: bool = False,
    ) -> None:
        self._config = config
        self._feed = feed
        self._root = root
        self._wall = wall
        self._emit: Callable[[Alert], None] = emit or _logged
        self._linger = linger
        self._keeper = Keeper(root, config.buffer_rows, self._emit)
        self.rows = self._keeper.rows
        self._slots = Slots(config.max_streams)
        self._streams: dict[str, Stream] = {}
        self._watches: dict[str, BookWatch] = {}
        self._asked: dict[str, float] = {}
        self.refusals: dict[str, Failure] = {}
        """Why symbols that were asked for have no stream."""
        self._tasks = Tasks(self._faulted)
        self._idle = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stopped = False
        self._stop_over = asyncio.Event()
        self._facts: SessionFacts | None = None
        self._recovered = Recovered()
        self._over_events = self._over_late = 0
        self._unfit = 0
        self._lost = 0
        self._lost_at: int | None = None
        self._untold: list[int] = []
        self._drops_due = 0.0
        self._ended_by: statistics.EndedBy = "stopped"
        self._detail = ""

    # -- what others call ------------------------------------------------------------------------

    async def start(self) -> None:
        """Publish what earlier sessions left, open the feed, begin the configured symbols.

        Raises
        ------
        Failure
            STORE_WRITE: the folder cannot be written; otherwise what the feed raises.
        """
        self._keeper.worker.start()
        try:
            await self._clean_up()
            self._feed.listen(self)
            await self._feed.open()
        except BaseException:
            await self._keeper.worker.stop()
            self._stopped = True
            self._stop_over.set()
            raise
        self._facts = SessionFacts(
            tradingd=__version__,
            source=self._feed.source,
            label=self._feed.label,
            replayed=self._feed.replayed,
            began=self._wall(),
            settings=settings_of(self._config),
        )
        for symbol in self._config.symbols:
            self._place(symbol)
        await asyncio.gather(*(self._begin(symbol) for symbol in self._slots.held))

    async def run(self) -> None:
        """Record until `stop`, the feed's end, or until every duration is over.

        Raises
        ------
        Failure
            What the feed cannot mend.
        """
        feed = asyncio.create_task(self._feed.run(), name="depth feed")
        waits = [asyncio.create_task(one.wait()) for one in (self._stopping, self._idle)]
        self._tasks.spawn("recorder flush", self._flushing())
        if not self._feed.replayed:
            self._tasks.spawn("recorder grid", self._ticking())
        try:
            await asyncio.wait([feed, *waits], return_when=asyncio.FIRST_COMPLETED)
            if feed.done() and not self._stopping.is_set():
                self._ended_by = "feed_ended"
                self._feed_ended(feed)
            elif self._idle.is_set() and not self._stopping.is_set():
                self._ended_by = "finished"
            if self._tasks.faults:
                raise self._tasks.faults[0].error
        finally:
            for one in (feed, *waits):
                one.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await feed

    async def stop(self) -> None:
        """Write what is left, publish every capture, write the statistics; again: nothing.

        Raises
        ------
        Failure
            STORE_WRITE: the disk did not take the rest; the next start publishes what it has.
        """
        self._stopping.set()
        self._keeper.let_go()
        if self._stopped:
            # Whoever else stops it is done when the files are there, not before.
            await self._stop_over.wait()
            return
        self._stopped = True
        try:
            self._drops_due = 0.0
            self._tell_drops()
            await self._leave_feed()
            await self._tasks.stop(grace=2.0)
            for symbol in tuple(self._streams):
                self._close(self._streams.pop(symbol))
            await self._finish()
        finally:
            await self._keeper.worker.stop()
            self._stop_over.set()

    def ask(self, symbol: str) -> Place:
        """Record a symbol as soon as there is a stream for it.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL: not a symbol at all.
        """
        before = self._slots.place(symbol)
        place = self._place(symbol)
        if before is None and place is Place.RECORDING:
            self._spawn(self._begin(symbol))
        return place

    async def release(self, symbol: str) -> None:
        """Stop recording a symbol, or take it out of the line; the first in line has its place."""
        stream = self._streams.pop(symbol, None)
        if stream is not None:
            self._close(stream)
            await self._feed.unsubscribe(symbol)
        self._leave(symbol)

    def view(self) -> RecorderView:
        """Return what it is doing now."""
        streams = self._streams.values()
        keeper, feed = self._keeper, self._feed
        return RecorderView(
            label=feed.label,
            slots=self._slots.capacity,
            recording=tuple(self._stream_view(one) for one in streams),
            queue=self._slots.line,
            refused={symbol: one.line() for symbol, one in self.refusals.items()},
            events=self._over_events + sum(one.events for one in streams),
            rows=sum(one.tally.rows for one in keeper.captures),
            messages=sum(one.tally.messages for one in keeper.captures),
            late=self._over_late + sum(one.late for one in streams),
            dropped_feed=feed.dropped if isinstance(feed, Dropping) else self._lost,
            dropped_rows=keeper.rows.dropped,
            dropped_messages=keeper.messages.dropped,
            unfit=self._unfit,
            buffered=keeper.rows.held,
            buffer_limit=keeper.rows.limit,
            flushes=keeper.effort.flushes,
            flushed_ago=self._flushed_ago(),
            slowest_flush=keeper.effort.longest,
            disk=keeper.trouble,
            published=sum(one.published for one in keeper.captures),
            recovered=len(self._recovered.captures),
            data_time=max((_time_of(one) for one in streams), default=0),
        )

    @property
    def captures(self) -> tuple[CaptureStats, ...]:
        """Statistics of every capture so far; files once it is published."""
        told = [one for one in self._keeper.captures if one.tally.rows or one.tally.events]
        return tuple(statistics.stats_of(one) for one in told)

    @property
    def recovered(self) -> Recovered:
        """What the start found of captures that had died."""
        return self._recovered

    @property
    def ended_by(self) -> statistics.EndedBy:
        """How the session ended, once it has."""
        return self._ended_by

    # -- what the feed tells ---------------------------------------------------------------------

    def event(self, event: DepthEvent) -> None:
        """Take one record: the hot path."""
        stream = self._streams.get(event.symbol)
        if stream is None:
            return
        ts = event.ts_recv
        if ts > stream.due:
            stream.passed(ts)
            if stream.finished:
                return
        elif ts <= stream.told:
            stream.late += 1
        stream.events += 1
        log = stream.log
        if log is not None:
            log.append(event)
            if len(log) >= LOG_AT_ONCE:
                self._log_is_long(stream, log)
        if event.closes:
            stream.last = event
            if stream.on_change:
                stream.changed(event)

    def reached(self, ts: int) -> None:
        """Take the rows of every grid time up to `ts`; of a live feed a stretch at a time."""
        longest = NEVER if self._feed.replayed else CATCH_UP
        for stream in tuple(self._streams.values()):
            if ts >= stream.due:
                stream.reached(min(ts, stream.due + longest))

    def gap(self, gap: DepthGap) -> None:
        """Mark the next row of what is concerned."""
        one = self._streams.get(gap.symbol)
        concerned = [one] if one is not None else [] if gap.symbol else [*self._streams.values()]
        lost = gap.lost
        if one is None:
            # Whose records they were is not known: they count for the session.
            self._lost += gap.lost
            gap = msgspec.structs.replace(gap, lost=0)
        for stream in concerned:
            if self._feed.replayed:
                stream.reached(gap.ts - 1)
            stream.gap(gap)
        if gap.reason == "reconnect" and self._lost_at is None:
            self._lost_at = self._events()
            self._emit(alerts.feed_lost(self._feed.label, gap.detail))
        elif gap.reason == "dropped":
            self._untold.append(lost)
            self._tell_drops(gap.detail)
        elif gap.reason == "refused" and one is not None:
            del self._streams[gap.symbol]
            self._close(one)
            self._refuse(gap.symbol, _by_the_vendor(gap))

    async def room(self) -> None:
        """Return when there is room for more; what a replay waits for."""
        if self._keeper.full:
            for stream in self._streams.values():
                self._keeper.hand_over(stream)
            await self._keeper.room(self._stopping)

    # -- what streams tell -----------------------------------------------------------------------

    def begun(self, stream: Stream, ts: int, day_ends: int) -> Capture:
        """Return the handle of a new capture; nothing is on the disk before the first flush."""
        if self._facts is None:
            raise RuntimeError("start before the feed runs")
        capture = Capture(
            self._root,
            self._facts,
            symbol=stream.symbol,
            day=local_date(ts),
            began=ts,
            queued=stream.queued,
        )
        self._keeper.captures.append(capture)
        return capture

    def ended(self, stream: Stream, ts: int) -> None:
        """Publish a capture that is complete."""
        capture = stream.capture
        if capture is None:
            return
        self._keeper.hand_over(stream)
        capture.ended = ts
        capture.tally.events += stream.events - stream.counted_events
        capture.tally.late += stream.late - stream.counted_late
        stream.counted_events, stream.counted_late = stream.events, stream.late
        self._keeper.publish(capture)

    def over(self, stream: Stream) -> None:
        """Free the place of a symbol whose duration is over."""
        self._streams.pop(stream.symbol, None)
        self._close(stream)
        self._spawn(self._make_way(stream.symbol))

    def crowded(self) -> None:
        """Write the fullest symbol first."""
        fullest = max(self._streams.values(), key=lambda one: one.waiting, default=None)
        if fullest is not None:
            self._keeper.hand_over(fullest)

    def lost(self, stream: Stream) -> None:
        """Count a snapshot that found no room."""
        self._keeper.lost(stream)

    def unfit(self, stream: Stream, failure: Failure) -> None:
        """Count a book that the columns cannot hold."""
        self._unfit += 1
        self._emit(alerts.unfit(stream.symbol, failure))

    def judged(self, stream: Stream, quality: int, ts: int) -> None:
        """Say so when something is wrong with a book for long."""
        said = self._watches.setdefault(stream.symbol, BookWatch()).row(quality, ts)
        if said is not None:
            bad, good = alerts.bad_book, alerts.good_book
            self._emit(bad(stream.symbol, said) if said else good(stream.symbol))

    # -- places ----------------------------------------------------------------------------------

    def _place(self, symbol: str) -> Place:
        if not _SYMBOL.fullmatch(symbol):
            raise Failure(
                f"{symbol!r} is not a symbol",
                code=ExitCode.UNKNOWN_SYMBOL,
                expected="capital letters and digits, such as AAPL or BRK.B",
                found=repr(symbol),
            )
        self._idle.clear()
        self._asked.setdefault(symbol, asyncio.get_running_loop().time())
        return self._slots.ask(symbol)

    async def _begin(self, symbol: str) -> None:
        """Give a symbol its stream; one that is refused makes way for the next."""
        waited = asyncio.get_running_loop().time() - self._asked[symbol]
        starts = None if self._feed.replayed else self._wall()
        settings = settings_of(self._config)
        stream = Stream(symbol, settings, self, queued=waited, starts=starts)
        self._streams[symbol] = stream
        self.refusals.pop(symbol, None)
        try:
            await self._feed.subscribe(symbol)
        except Failure as failure:
            if self._streams.get(symbol) is stream:
                del self._streams[symbol]
                self._refuse(symbol, failure)
            return
        if self._streams.get(symbol) is not stream and self._slots.place(symbol) is None:
            await self._feed.unsubscribe(symbol)

    async def _make_way(self, symbol: str) -> None:
        await self._feed.unsubscribe(symbol)
        self._leave(symbol)

    def _refuse(self, symbol: str, failure: Failure) -> None:
        self.refusals[symbol] = failure
        self._emit(alerts.refused(symbol, failure.line()))
        self._leave(symbol)

    def _leave(self, symbol: str) -> None:
        self._asked.pop(symbol, None)
        upgraded = self._slots.leave(symbol)
        if upgraded is not None:
            self._spawn(self._begin(upgraded))
        elif not self._slots.held and not self._linger:
            self._idle.set()

    def _close(self, stream: Stream) -> None:
        """End a stream's capture where it is."""
        stream.finished = True
        self._over_events += stream.events
        self._over_late += stream.late
        self.ended(stream, stream.ended_at())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._stopping.is_set():
            work.close()
            return
        self._tasks.spawn("recorder place", work, eternal=False)

    # -- time ------------------------------------------------------------------------------------

    async def _flushing(self) -> None:
        """Hand over what waits, every so many seconds without drift."""
        loop, worker = asyncio.get_running_loop(), self._keeper.worker
        every = self._config.flush_seconds
        due = loop.time()
        flush = 0
        while True:
            due = max(due + every, loop.time())
            await asyncio.sleep(due - loop.time())
            self._keeper.kick()
            # A disk that needs longer is given larger flushes, not a line of ever more small ones.
            while not await worker.done(flush, within=every):
                self._keeper.kick()
            for stream in tuple(self._streams.values()):
                self._keeper.hand_over(stream)
            flush = worker.submitted
            self._tell_drops()
            if self._lost_at is not None and self._events() > self._lost_at:
                self._lost_at = None
                self._emit(alerts.feed_back(self._feed.label))

    async def _ticking(self) -> None:
        """Let time pass for symbols of which nothing is told."""
        late = round(self._config.late_seconds * NANOSECONDS)
        wait = max(self._config.interval_ms / 1_000, _TICK)
        seen, current = 0, False
        while True:
            await asyncio.sleep(wait)
            now = self._wall()
            if (events := self._events()) != seen:
                # Of a feed that tells the past, the wall's time says nothing.
                newest = max((_time_of(one) for one in self._streams.values()), default=0)
                seen, current = events, now - newest < BEHIND
            if current:
                self.reached(now - late)

    def _tell_drops(self, detail: str = "") -> None:
        """Say what was dropped: a flood has hundreds of runs of drops, and needs no such alerts."""
        now = asyncio.get_running_loop().time()
        if self._untold and now >= self._drops_due:
            self._drops_due = now + DROPS_TOLD
            self._emit(alerts.records_dropped(self._feed.label, sum(self._untold), detail))
            self._untold.clear()

    def _log_is_long(self, stream: Stream, log: list[DepthEvent]) -> None:
        if stream.capture is not None:
            self._keeper.hand_over_log(stream, stream.capture, log)
            stream.log = []

    # -- beginning and end -----------------------------------------------------------------------

    async def _clean_up(self) -> None:
        """Publish what died, forget what is old."""

        def work() -> None:
            self._root.mkdir(parents=True, exist_ok=True)
            self._recovered = recovery.recover(self._root, now=self._wall())
            if self._config.keep_days:
                today = local_date(self._wall())
                retention.forget(self._root, today - dt.timedelta(days=self._config.keep_days))

        try:
            await self._keeper.on_disk(work)
        except OSError as error:
            raise self._unwritable(error) from error

    async def _leave_feed(self) -> None:
        """Close the feed; what it fails with must not cost what was recorded."""
        try:
            await self._feed.close()
        except Exception as error:
            log.exception("depth feed %s could not be closed", self._feed.label)
            self._detail = self._detail or repr(error)

    async def _finish(self) -> None:
        """Wait for the disk, and write the statistics."""
        if not await self._keeper.worker.drained(PATIENCE):
            raise self._abandoned()
        try:
            await self._keeper.on_disk(self._write_statistics)
        except OSError as error:
            raise self._unwritable(error) from error
        left = [one.symbol for one in self._keeper.captures if not one.published]
        if left:
            raise self._unpublished(left)

    def _write_statistics(self) -> None:
        captures = self.captures
        if self._facts is None or not captures:
            return
        self._keeper.effort.most_rows = self.rows.most
        document = statistics.session_stats(
            self._facts,
            captures,
            self._keeper.effort,
            ended=self._wall(),
            ended_by=self._ended_by,
            detail=self._detail,
            lost=self._lost,
        )
        statistics.write(self._root, document)

    def _abandoned(self) -> Failure:
        lost = self._keeper.abandon()
        return Failure(
            f"{lost:,} snapshots could not be written",
            code=ExitCode.STORE_WRITE,
            where=str(self._root),
            expected="a writable folder with free space",
            found=self._keeper.trouble,
            next_step="free space; the next start publishes what was written",
        )

    def _unwritable(self, error: OSError) -> Failure:
        return Failure(
            "the level-2 folder cannot be written",
            code=ExitCode.STORE_WRITE,
            where=error.filename or str(self._root),
            expected="a writable folder with free space",
            found=error.strerror or str(error),
            next_step="free space or fix its permissions, or choose another: store.level2=FOLDER",
        )

    def _unpublished(self, symbols: list[str]) -> Failure:
        return Failure(
            f"the captures of {', '.join(symbols)} are written, and could not be published",
            code=ExitCode.STORE_WRITE,
            where=str(self._root),
            expected="a writable folder with free space",
            next_step="free space and start again: the start publishes them",
        )

    def _feed_ended(self, feed: asyncio.Task[None]) -> None:
        error = feed.exception()
        if error is None:
            return
        self._ended_by = "failed"
        self._detail = error.line() if isinstance(error, Failure) else repr(error)
        self._emit(alerts.feed_lost(self._feed.label, self._detail, for_good=True))
        raise error

    def _faulted(self, fault: object) -> None:
        """Stop when one of our own tasks failed; `run` raises its error."""
        self._ended_by = "failed"
        self._detail = str(fault)
        self._stopping.set()

    # -- numbers ---------------------------------------------------------------------------------

    def _events(self) -> int:
        return self._over_events + sum(one.events for one in self._streams.values())

    def _flushed_ago(self) -> float:
        at = self._keeper.flushed_at
        return -1.0 if at is None else asyncio.get_running_loop().time() - at

    def _stream_view(self, stream: Stream) -> StreamView:
        tally = stream.capture.tally if stream.capture else None
        return StreamView(
            symbol=stream.symbol,
            events=stream.events,
            rows=tally.rows if tally else 0,
            waiting=stream.waiting,
            late=stream.late,
            gaps=sum(stream.gaps.values()),
            last_ts=stream.told,
            trouble=", ".join(by_bit(Counter({stream.quality: 1}))).lower().replace("_", " "),
        )


def _time_of(stream: Stream) -> int:
    return max(stream.told, stream.last.ts_recv if stream.last else 0)


def _by_the_vendor(gap: DepthGap) -> Failure:
    return Failure(
        f"the vendor does not tell the book of {gap.symbol}",
        code=ExitCode.FEED,
        where=gap.symbol,
        found=gap.detail,
    )


def _logged(alert: Alert) -> None:
    log.warning("%s: %s", alert.title, alert.body)
