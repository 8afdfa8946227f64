"""One recording session: its facts, its captures, how it ended, and the statistics of it all."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from tradingd import __version__
from tradingd.config.record import RecordConfig
from tradingd.domain.depth import DepthFeed
from tradingd.kits.failure import ExitCode, Failure
from tradingd.recorder import recovery, retention, statistics
from tradingd.recorder.capture import Capture
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.recovery import Recovered
from tradingd.recorder.settings import SessionFacts, settings_of
from tradingd.recorder.statistics import CaptureStats, EndedBy
from tradingd.recorder.stream import Stream
from tradingd.session.calendar import local_date


class Session:
    """What one recorder wrote from its start to its stop.

    Parameters
    ----------
    config : RecordConfig
    root : Path
        The level-2 folder.
    keeper : Keeper
    wall : callable
        Wall time, UTC ns.
    """

    def __init__(
        self, config: RecordConfig, root: Path, keeper: Keeper, wall: Callable[[], int]
    ) -> None:
        self._config = config
        self._root = root
        self._keeper = keeper
        self._wall = wall
        self._facts: SessionFacts | None = None
        self.recovered = Recovered()
        """What the start found of captures that had died."""
        self.ended_by: EndedBy = "stopped"
        self.detail = ""
        """Why it failed."""

    # -- beginning -------------------------------------------------------------------------------

    async def clean_up(self) -> None:
        """Publish what died, forget what is old.

        Raises
        ------
        Failure
            STORE_WRITE: the folder cannot be written.
        """

        def work() -> None:
            self._root.mkdir(parents=True, exist_ok=True)
            self.recovered = recovery.recover(self._root, now=self._wall())
            if self._config.keep_days:
                today = local_date(self._wall())
                retention.forget(self._root, today - dt.timedelta(days=self._config.keep_days))

        try:
            await self._keeper.on_disk(work)
        except OSError as error:
            raise _unwritable(self._root, error) from error

    def begin(self, feed: DepthFeed) -> None:
        """State what it records, and from which feed; that is open."""
        self._facts = SessionFacts(
            tradingd=__version__,
            source=feed.source,
            label=feed.label,
            replayed=feed.replayed,
            began=self._wall(),
            settings=settings_of(self._config),
        )

    # -- captures --------------------------------------------------------------------------------

    def begun(self, stream: Stream, ts: int) -> Capture:
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

    @property
    def captures(self) -> tuple[CaptureStats, ...]:
        """Statistics of every capture so far; files once it is published."""
        told = [one for one in self._keeper.captures if one.tally.rows or one.tally.events]
        return tuple(statistics.stats_of(one) for one in told)

    # -- end -------------------------------------------------------------------------------------

    def failed(self, detail: str) -> None:
        """Note why it ends."""
        self.ended_by = "failed"
        self.detail = detail

    async def finish(self, *, lost: int, patience: float) -> None:
        """Wait for the disk, and write the statistics.

        Parameters
        ----------
        lost : int
            Records that were lost of which it is not known whose they were.
        patience : float
            Seconds to wait for a disk that refuses.

        Raises
        ------
        Failure
            STORE_WRITE: the disk did not take the rest.
        """
        if not await self._keeper.worker.drained(patience):
            raise _abandoned(self._root, self._keeper.abandon(), self._keeper.trouble)
        try:
            await self._keeper.on_disk(lambda: self._write_statistics(lost))
        except OSError as error:
            raise _unwritable(self._root, error) from error
        left = [one.symbol for one in self._keeper.captures if not one.published]
        if left:
            raise _unpublished(self._root, left)

    def _write_statistics(self, lost: int) -> None:
        captures = self.captures
        if self._facts is None or not captures:
            return
        self._keeper.effort.most_rows = self._keeper.rows.most
        document = statistics.session_stats(
            self._facts,
            captures,
            self._keeper.effort,
            ended=self._wall(),
            ended_by=self.ended_by,
            detail=self.detail,
            lost=lost,
        )
        statistics.write(self._root, document)


def _abandoned(root: Path, lost: int, trouble: str) -> Failure:
    return Failure(
        f"{lost:,} snapshots could not be written",
        code=ExitCode.STORE_WRITE,
        where=str(root),
        expected="a writable folder with free space",
        found=trouble,
        next_step="free space; the next start publishes what was written",
    )


def _unwritable(root: Path, error: OSError) -> Failure:
    return Failure(
        "the level-2 folder cannot be written",
        code=ExitCode.STORE_WRITE,
        where=error.filename or str(root),
        expected="a writable folder with free space",
        found=error.strerror or str(error),
        next_step="free space or fix its permissions, or choose another: store.level2=FOLDER",
    )


def _unpublished(root: Path, symbols: list[str]) -> Failure:
    return Failure(
        f"the captures of {', '.join(symbols)} are written, and could not be published",
        code=ExitCode.STORE_WRITE,
        where=str(root),
        expected="a writable folder with free space",
        next_step="free space and start again: the start publishes them",
    )
