"""From the loop to the disk: what waits is bounded, what is lost is counted, marked and told."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tradingd.domain.alerts import Alert
from tradingd.domain.depth import DepthEvent
from tradingd.recorder import alerts
from tradingd.recorder.budget import Budget
from tradingd.recorder.capture import Capture
from tradingd.recorder.disk import DiskWorker, Job
from tradingd.recorder.jobs import MessagesJob, PublishJob, RowsJob, Task, UniteJob
from tradingd.recorder.statistics import Effort

if TYPE_CHECKING:
    from tradingd.recorder.stream import Stream

log = logging.getLogger(__name__)


class Keeper:
    """Hands what streams have buffered to the writer, and hears what became of it.

    Parameters
    ----------
    root : Path
        The level-2 folder.
    limit : int
        Most snapshots, and most messages, that may be in memory.
    emit : callable
        Takes alerts.
    """

    def __init__(self, root: Path, limit: int, emit: Callable[[Alert], None]) -> None:
        self.root = root
        self.rows = Budget(limit)
        self.messages = Budget(limit)
        self.worker = DiskWorker(self._report)
        self.effort = Effort()
        self.captures: list[Capture] = []
        self.trouble = ""
        """What the disk said when it refused; empty: it takes everything."""
        self.flushed_at: float | None = None
        self._emit = emit
        self._behind = False
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._settled = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether half of what may be in memory is."""
        rows, messages = self.rows, self.messages
        return rows.held * 2 > rows.limit or messages.held * 2 > messages.limit

    def hand_over(self, stream: "Stream") -> None:
        """Give everything that a stream has buffered to the writer."""
        capture = stream.capture
        if capture is None:
            return
        if stream.waiting:
            rows, count = stream.taken()
            self.rows.hand_over(count)
            self.worker.submit(RowsJob(capture, rows, count))
        if stream.log:
            self.hand_over_log(stream, capture, stream.log)
            stream.log = []

    def hand_over_log(self, stream: "Stream", capture: Capture, log: list[DepthEvent]) -> None:
        """Give records of the message log to the writer, or count them where there is no room."""
        if not self.messages.take(len(log)):
            capture.tally.dropped_messages += len(log)
            stream.lose()
            self._fall_behind("messages", self.messages)
            return
        capture.tally.messages += len(log)
        self.messages.hand_over(len(log))
        self.worker.submit(MessagesJob(capture, log))

    def lost(self, stream: "Stream") -> None:
        """Count a snapshot that found no room; the next row of the stream is marked."""
        if stream.capture is not None:
            stream.capture.tally.dropped_rows += 1
        self._fall_behind("snapshots", self.rows)

    def publish(self, capture: Capture) -> None:
        """Close a capture once all that was handed over is written."""
        self.worker.submit(PublishJob(self.root, capture))

    def kick(self) -> None:
        """Try again what the disk refused; a flush is due."""
        self.worker.kick()

    async def on_disk(self, work: Callable[[], None]) -> None:
        """Do something that blocks in the writer's thread; raises what it raises."""
        task = Task(work)
        done = self._waiting[id(task)] = asyncio.get_running_loop().create_future()
        self.worker.submit(task)
        try:
            await done
        finally:
            del self._waiting[id(task)]

    async def room(self, stopping: asyncio.Event) -> None:
        """Return when less than half of the memory is in use, or at the stop."""
        while not stopping.is_set() and self.full:
            self._settled.clear()
            await self._settled.wait()

    def let_go(self) -> None:
        """Let whoever waits for room look again."""
        self._settled.set()

    def abandon(self) -> int:
        """Count what the disk did not take until the end; return the number of snapshots."""
        for capture in self.captures:
            capture.folder.release()
        lost = self.rows.held
        self._emit(alerts.lost_at_stop(lost, self.trouble))
        return lost

    def _fall_behind(self, kind: str, budget: Budget) -> None:
        if not self._behind:
            self._behind = True
            self._emit(alerts.writer_behind(kind, budget.limit))

    # -- what became of it -----------------------------------------------------------------------

    def _report(self, job: Job, error: BaseException | None, kept: bool, seconds: float) -> None:
        self._settled.set()
        if kept and error is not None:
            self._refused(error)
            return
        if self.trouble and error is None:
            self.trouble = ""
            self._emit(alerts.disk_takes())
        match job:
            case RowsJob():
                self._written(job, error, seconds)
            case MessagesJob():
                self.messages.settle(job.count)
                if error is not None:
                    self._gone(job, error)
            case PublishJob() if error is not None:
                self._emit(alerts.left_behind(job.capture.symbol, error))
            case Task():
                self._answer(job, error)
        self._catch_up()

    def _refused(self, error: BaseException) -> None:
        if not self.trouble:
            self._emit(alerts.disk_refuses(error, str(self.root)))
        self.trouble = str(error)

    def _written(self, job: RowsJob, error: BaseException | None, seconds: float) -> None:
        self.rows.settle(job.count)
        self.effort.longest = max(self.effort.longest, seconds)
        if error is not None:
            self._gone(job, error)
            return
        self.effort.flushes += 1
        self.flushed_at = asyncio.get_running_loop().time()
        self.worker.submit(UniteJob(job.capture))

    def _gone(self, job: RowsJob | MessagesJob, error: BaseException) -> None:
        log.error("%s of %s not written", job.count, job.capture.symbol, exc_info=error)
        tally = job.capture.tally
        if isinstance(job, RowsJob):
            tally.dropped_rows += job.count
        else:
            tally.dropped_messages += job.count
        self._emit(alerts.not_written(job.capture.symbol, job.count, error))

    def _answer(self, job: Task, error: BaseException | None) -> None:
        done = self._waiting.get(id(job))
        if done is None or done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def _catch_up(self) -> None:
        if self._behind and not self.full:
            self._behind = False
            self._emit(alerts.writer_back(self.rows.dropped + self.messages.dropped))
