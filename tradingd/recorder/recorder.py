"""The recorder: follows books, takes snapshots on the data clock, never blocks the loop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from tradingd.config.record import RecordConfig
from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent, DepthFeed, DepthGap
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import Failure
from tradingd.kits.tasks import Tasks
from tradingd.recorder import rhythm
from tradingd.recorder.feed_watch import FeedWatch
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.looking import view_of
from tradingd.recorder.places import Places
from tradingd.recorder.recovery import Recovered
from tradingd.recorder.session import Session
from tradingd.recorder.slots import Place
from tradingd.recorder.statistics import CaptureStats, EndedBy
from tradingd.recorder.stream import NEVER, Stream
from tradingd.recorder.view import RecorderView

log = logging.getLogger(__name__)

LOG_AT_ONCE: Final = 8_192
"""Records of one symbol that wait for the message log before the flush is due."""

PATIENCE: Final = 5.0
"""Seconds that the stop waits for a disk that refuses."""

CATCH_UP: Final = 5 * NANOSECONDS
"""Longest stretch of silent live time whose rows are taken at once: a machine that slept, say."""


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
        emit = emit or _logged
        self._config = config
        self._feed = feed
        self._wall = wall
        self._linger = linger
        self._tasks = Tasks(self._faulted)
        self._stopping = asyncio.Event()
        self._stopped = False
        self._stop_over = asyncio.Event()
        self._keeper = Keeper(root, config.buffer_rows, emit)
        self._session = Session(config, root, self._keeper, wall)
        self._watch = FeedWatch(feed, emit)
        self._places = Places(
            config, feed, self._keeper, self._session, wall=wall, emit=emit, spawn=self._spawn
        )
        # What every record passes: one look-up less.
        self._streams = self._places.streams

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
            await self._session.clean_up()
            self._feed.listen(self)
            await self._feed.open()
        except BaseException:
            await self._keeper.worker.stop()
            self._stopped = True
            self._stop_over.set()
            raise
        self._session.begin(self._feed)
        await self._places.begin(self._config.symbols)

    async def run(self) -> None:
        """Record until `stop`, the feed's end, or until every duration is over.

        Raises
        ------
        Failure
            What the feed cannot mend.
        """
        feed = asyncio.create_task(self._feed.run(), name="depth feed")
        ends = [self._stopping] if self._linger else [self._stopping, self._places.idle]
        waits = [asyncio.create_task(one.wait()) for one in ends]
        self._spawn_clocks()
        try:
            await asyncio.wait([feed, *waits], return_when=asyncio.FIRST_COMPLETED)
            if feed.done() and not self._stopping.is_set():
                self._session.ended_by = "feed_ended"
                self._feed_ended(feed)
            elif self._places.idle.is_set() and not self._stopping.is_set():
                self._session.ended_by = "finished"
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
            self._watch.tell_drops(at_once=True)
            await self._leave_feed()
            await self._tasks.stop(grace=2.0)
            self._places.close()
            await self._session.finish(lost=self._watch.lost, patience=PATIENCE)
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
        return self._places.ask(symbol)

    async def release(self, symbol: str) -> None:
        """Stop recording a symbol, or take it out of the line; the first in line has its place."""
        await self._places.release(symbol)

    def view(self) -> RecorderView:
        """Return what it is doing now."""
        return view_of(
            self._feed,
            self._keeper,
            self._places,
            lost=self._watch.lost,
            recovered=len(self.recovered.captures),
        )

    @property
    def refusals(self) -> dict[str, Failure]:
        """Why symbols that were asked for have no stream."""
        return self._places.refusals

    @property
    def captures(self) -> tuple[CaptureStats, ...]:
        """Statistics of every capture so far; files once it is published."""
        return self._session.captures

    @property
    def recovered(self) -> Recovered:
        """What the start found of captures that had died."""
        return self._session.recovered

    @property
    def ended_by(self) -> EndedBy:
        """How the session ended, once it has."""
        return self._session.ended_by

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
        # Whose records were lost is not always known.
        told = gap if one is not None else self._watch.nobodys(gap)
        for stream in concerned:
            if self._feed.replayed:
                stream.reached(gap.ts - 1)
            stream.gap(told)
        self._watch.gap(gap, self._places.events)
        if gap.reason == "refused" and one is not None:
            self._places.refused(one, gap)

    async def room(self) -> None:
        """Return when there is room for more; what a replay waits for."""
        if self._keeper.full:
            for stream in self._streams.values():
                self._keeper.hand_over(stream)
            await self._keeper.room(self._stopping)

    def _log_is_long(self, stream: Stream, log: list[DepthEvent]) -> None:
        if stream.capture is not None:
            self._keeper.hand_over_log(stream, stream.capture, log)
            stream.log = []

    # -- what runs beside ------------------------------------------------------------------------

    def _spawn_clocks(self) -> None:
        flushing = rhythm.flushing(
            self._config.flush_seconds, self._keeper, self._places, self._watch
        )
        self._tasks.spawn("recorder flush", flushing)
        if not self._feed.replayed:
            ticking = rhythm.ticking(
                self._config, self._places, wall=self._wall, reached=self.reached
            )
            self._tasks.spawn("recorder grid", ticking)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._stopping.is_set():
            work.close()
            return
        self._tasks.spawn("recorder place", work, eternal=False)

    def _faulted(self, fault: object) -> None:
        """Stop when one of our own tasks failed; `run` raises its error."""
        self._session.failed(str(fault))
        self._stopping.set()

    def _feed_ended(self, feed: asyncio.Task[None]) -> None:
        error = feed.exception()
        if error is None:
            return
        detail = error.line() if isinstance(error, Failure) else repr(error)
        self._session.failed(detail)
        self._watch.ended(detail)
        raise error

    async def _leave_feed(self) -> None:
        """Close the feed; what it fails with must not cost what was recorded."""
        try:
            await self._feed.close()
        except Exception as error:
            log.exception("depth feed %s could not be closed", self._feed.label)
            self._session.detail = self._session.detail or repr(error)


def _logged(alert: Alert) -> None:
    log.warning("%s: %s", alert.title, alert.body)
