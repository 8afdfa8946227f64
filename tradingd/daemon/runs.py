"""Runs of jobs: do the work, journal the run, tell of trouble and of its end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import msgspec

from tradingd.daemon.jobs import Job
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.journal import JobRow, Journal, MarkRow
from tradingd.kits.failure import Failure
from tradingd.session.calendar import local_date
from tradingd.session.clock import SessionClock

log = logging.getLogger(__name__)

RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
MISSED: Final = "missed"


class Runs:
    """Every run of this process; all methods run on the loop's thread.

    Parameters
    ----------
    clock : SessionClock
        Stamps the begin and the end of a run.
    journal : Journal
        Keeps runs and marks.
    emit : callable
        Hears of missed and failed jobs, and when such a job works again.
    counted : callable
        Hears (job, status) of every run that is over, and of every missed one.
    """

    def __init__(
        self,
        clock: SessionClock,
        journal: Journal,
        emit: Emit,
        counted: Callable[[str, str], None] = lambda _name, _status: None,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._emit = emit
        self._counted = counted
        self._last: dict[str, JobRow] = {}
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._troubled: set[str] = set()
        self._refused = ""

    def last(self, name: str) -> JobRow | None:
        """Return the last run of a job in this process."""
        return self._last.get(name)

    def is_running(self, name: str) -> bool:
        """Tell whether a job runs now."""
        last = self._last.get(name)
        return last is not None and last.status == RUNNING

    def begin(
        self, job: Job, due: int, *, note: str = "", by_hand: bool = False
    ) -> asyncio.Task[JobRow]:
        """Run a job in a task; a run by hand leaves the mark of its schedule alone."""
        started = self._clock.now()
        row = JobRow(
            job_id=_run_id(job, due) + (f"#{started}" if by_hand else ""),
            name=job.name,
            due=due,
            started=started,
            ended=None,
            status=RUNNING,
            detail=note,
        )
        # Before the task has its first turn: the next due time may come within this one.
        self._last[job.name] = row
        return self._spawn(job.name, self._run(job, row, marked=not by_hand))

    def miss(self, job: Job, dues: Sequence[int], why: str) -> None:
        """Journal runs that did not take place, and tell of them once."""
        rows = [
            JobRow(
                job_id=_run_id(job, due),
                name=job.name,
                due=due,
                started=None,
                ended=None,
                status=MISSED,
                detail=why,
            )
            for due in dues
        ]
        if not self.is_running(job.name):
            self._last[job.name] = rows[-1]
        for _ in rows:
            self._counted(job.name, MISSED)
        self._spawn(job.name, self._write(*rows, _mark(job.name, dues[-1])))
        days = ", ".join(str(local_date(due)) for due in dues)
        self.tell(job, f"job {job.name} was missed", f"{why}; due on {days}")

    def mark(self, name: str, due: int) -> None:
        """Note the last due time that was dealt with."""
        self._spawn(name, self._write(_mark(name, due)))

    def tell(self, job: Job, title: str, body: str) -> None:
        """Send an alert; the next run that is done resolves it."""
        self._troubled.add(job.name)
        self._emit(
            Alert(
                key=key(job.name),
                severity=Severity.PAGE if job.urgent else Severity.WARN,
                title=title,
                body=body,
                next_step=f"run it by hand: tradingctl jobs run {job.name}",
            )
        )

    async def settle(self, patience: float) -> bool:
        """Wait up to `patience` wall seconds; return whether everything has ended."""
        if not self._tasks:
            return True
        _, late = await asyncio.wait(self._tasks, timeout=patience)
        return not late

    async def stop(self, *, grace: float) -> tuple[str, ...]:
        """Wait for what runs; return the names of jobs that had to be cut short."""
        await self.settle(grace)
        late = dict(self._tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=grace)
        return tuple(sorted(set(late.values())))

    async def _run(self, job: Job, row: JobRow, *, marked: bool) -> JobRow:
        try:
            await self._write(row)
            status, detail = await _outcome(job, row.due)
        except asyncio.CancelledError:
            self._last[job.name] = msgspec.structs.replace(row, status=FAILED, detail="cut short")
            raise
        row = msgspec.structs.replace(
            row,
            ended=self._clock.now(),
            status=status,
            detail=": ".join(part for part in (row.detail, detail) if part),
        )
        self._last[job.name] = row
        self._judge(job, row)
        await self._write(row, *([_mark(job.name, row.due)] if marked else []))
        return row

    def _judge(self, job: Job, row: JobRow) -> None:
        self._counted(job.name, row.status)
        if row.status == FAILED:
            self.tell(job, f"job {job.name} failed", row.detail)
        elif job.name in self._troubled:
            self._troubled.discard(job.name)
            self._emit(
                Alert(
                    key=key(job.name),
                    severity=Severity.INFO,
                    title=f"job {job.name} works again",
                    body=row.detail,
                    resolved=True,
                )
            )

    async def _write(self, *records: JobRow | MarkRow) -> None:
        """Journal something; of a journal that fails, its own health check tells."""
        try:
            await self._journal.write(*records)
        except Failure as failure:
            # A journal that has failed refuses every record from then on; a fast replay has many.
            if failure.line() != self._refused:
                self._refused = failure.line()
                log.error("job records are not journaled from here on: %s", self._refused)
        except Exception:
            log.exception("a job's record was not journaled")

    def _spawn[T](self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=f"job {name}")
        self._tasks[task] = name
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))
        return task


async def _outcome(job: Job, due: int) -> tuple[str, str]:
    """Do the work; return its status and what to say about it."""
    bounded = asyncio.timeout(job.longest)
    try:
        async with bounded:
            return DONE, await job.work(due)
    except Exception as error:
        if bounded.expired():
            return FAILED, f"not done within {job.longest:g} s"
        if isinstance(error, Failure):  # it says what happened; where in our code tells nobody more
            log.warning("job %s failed: %s", job.name, error.line())
            return FAILED, error.line()
        log.exception("job %s failed", job.name)
        return FAILED, repr(error)


def key(name: str) -> str:
    """Return the key of a job's mark in the journal, and of its alert."""
    return f"job:{name}"


def _mark(name: str, due: int) -> MarkRow:
    return MarkRow(key=key(name), value=str(due))


def _run_id(job: Job, due: int) -> str:
    return f"{job.name}@{local_date(due)}"
