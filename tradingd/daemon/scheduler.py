"""Run the jobs when they are due, and find out what was due while nobody was there.

A job's mark in the journal is the last due time that was dealt with. It is written together with
the end of the run, so a run that a crash cut short counts as not run. Time is the session's: in a
replay the data's, which stands still while the daemon is down.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from tradingd.daemon.jobs import Job
from tradingd.daemon.runs import Runs, key
from tradingd.domain.alerts import Emit
from tradingd.domain.journal import JobRow, Journal
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.session.clock import SessionClock, Timer

log = logging.getLogger(__name__)

_DAY: Final = 86_400 * NANOSECONDS
_LOOK_BACK: Final = 7 * _DAY
"""Misses farther back are not listed one by one: nobody reads them."""


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """One job as `tradingctl jobs` shows it; times are session time, UTC ns."""

    name: str
    description: str
    next_due: int | None
    last_due: int | None
    last_status: str
    detail: str


class Scheduler:
    """The in-process jobs; all methods run on the loop's thread.

    Parameters
    ----------
    jobs : sequence of Job
        Jobs due at one moment begin in this order, and run side by side.
    clock, calendar
        Session time, sessions.
    journal : Journal
        Keeps runs and marks.
    emit : callable
        Hears of missed and failed jobs, and when such a job works again.
    grace_minutes : int
        A run that begins later than this after its due time is missed.
    absence_counts : bool
        Whether due times while the process was down are missed; not in a replay.
    counted : callable
        Hears (job, status) of every run that is over, and of every missed one.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: SessionClock,
        calendar: SessionCalendar,
        journal: Journal,
        emit: Emit,
        *,
        grace_minutes: int,
        absence_counts: bool = True,
        counted: Callable[[str, str], None] = lambda _name, _status: None,
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock
        self._calendar = calendar
        self._runs = Runs(clock, journal, emit, counted)
        self._grace = _minutes(grace_minutes)
        self._absence_counts = absence_counts
        self._handled: dict[str, int] = {}
        self._timers: dict[str, Timer] = {}
        self._next: dict[str, int | None] = {}

    # -- life --------------------------------------------------------------------------------------

    def start(self, marks: Mapping[str, str]) -> None:
        """Deal with what was due while nobody ran it, then wait for the clock.

        Parameters
        ----------
        marks : mapping
            The journal's marks; a job without one is new and has missed nothing.
        """
        now = self._clock.now()
        for job in self._jobs.values():
            handled = self._recalled(job, marks, now)
            if handled is None:
                self._runs.mark(job.name, now)
            self._handled[job.name] = now if handled is None else handled
            self._make_up(job, now)
            self._arm(job)

    async def stop(self, *, grace: float) -> tuple[str, ...]:
        """Start nothing more, wait for what runs; return the names of jobs that were cut short."""
        self._disarm()
        return await self._runs.stop(grace=grace)

    def replace(self, jobs: Sequence[Job], *, grace_minutes: int) -> None:
        """Take a reloaded schedule: other due times, jobs that are new or gone; misses nothing."""
        self._disarm()
        self._grace = _minutes(grace_minutes)
        self._jobs = {job.name: job for job in jobs}
        for job in jobs:
            self._handled[job.name] = max(self._handled.get(job.name, 0), self._clock.now())
            self._arm(job)

    async def settle(self, patience: float) -> bool:
        """Wait up to `patience` wall seconds for running jobs; return whether all have ended.

        A fast replay calls it after moving the clock and before it delivers the next data.
        """
        return await self._runs.settle(patience)

    # -- asking ------------------------------------------------------------------------------------

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the jobs that run now."""
        return tuple(name for name in self._jobs if self._runs.is_running(name))

    def next_due(self, name: str) -> int | None:
        """Return when a job is due next, session time in UTC ns."""
        return self._next.get(self._known(name).name)

    def states(self) -> tuple[JobState, ...]:
        """Return every job with its last run in this process."""
        return tuple(self._state(job) for job in self._jobs.values())

    def _state(self, job: Job) -> JobState:
        last = self._runs.last(job.name)
        return JobState(
            name=job.name,
            description=job.description,
            next_due=self._next.get(job.name),
            last_due=last.due if last else None,
            last_status=last.status if last else "",
            detail=last.detail if last else "",
        )

    # -- running -----------------------------------------------------------------------------------

    async def run_now(self, name: str, *, by: str) -> JobRow:
        """Run a job by hand, beside its schedule, and wait for its end.

        Raises
        ------
        Failure
            REFUSED for a name that is no job's, and for a job that is running.
        """
        job = self._known(name)
        if self._runs.is_running(name):
            raise Failure(
                f"the job {name} is running", code=ExitCode.REFUSED, next_step="wait for its end"
            )
        run = self._runs.begin(job, self._clock.now(), note=f"by {by}", by_hand=True)
        # An operator who hangs up does not stop what he has begun.
        return await asyncio.shield(run)

    def _fire(self, job: Job, due: int) -> None:
        self._timers.pop(job.name, None)
        if not self._runs.is_running(job.name):
            self._begin(job, due)
        elif job.counted:
            self._runs.miss(job, [due], "the run before it had not ended")
        self._handled[job.name] = due
        self._arm(job)

    def _make_up(self, job: Job, now: int) -> None:
        """Run or report what was due since the job's mark; the last one may still be of use."""
        missed = self._dues(job, now)
        if not missed:
            return
        self._handled[job.name] = missed[-1]
        if not job.counted:
            return
        *gone, last = missed
        if gone and self._absence_counts:
            self._runs.miss(job, gone, "the daemon was down")
        if self._absence_counts or now - last <= self._grace:
            self._begin(job, last)

    def _begin(self, job: Job, due: int) -> None:
        """Run what is due, unless it is too late for that."""
        late = self._clock.now() - due
        if late <= self._grace or not job.counted:
            self._runs.begin(job, due)
            return
        note = f"{late // _minutes(1)} minutes late"
        if not self._still_of_use(job, due):
            self._runs.miss(job, [due], note)
            return
        self._runs.tell(job, f"job {job.name} began {note}", "it is made up for now")
        self._runs.begin(job, due, note=note)

    def _still_of_use(self, job: Job, due: int) -> bool:
        now = self._clock.now()
        if job.catch_up == "never" or local_date(now) != local_date(due):
            return False
        session = self._calendar.on(local_date(due))
        return job.catch_up == "day" or (session is not None and now < session.close_ns)

    # -- due times ---------------------------------------------------------------------------------

    def _arm(self, job: Job) -> None:
        after = max(self._handled[job.name], self._clock.now())
        due = job.rule.next_after(after, self._calendar)
        self._next[job.name] = due
        if due is not None:
            self._timers[job.name] = self._clock.call_at(
                due, f"job {job.name}", lambda: self._fire(job, due)
            )

    def _disarm(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._next.clear()

    def _recalled(self, job: Job, marks: Mapping[str, str], now: int) -> int | None:
        """Return the job's mark; one far ahead of the clock belongs to other data."""
        text = marks.get(key(job.name), "")
        if not text.isdecimal():
            return None
        if int(text) > now + _DAY:
            log.warning("the mark of job %s is ahead of the session clock: dropped", job.name)
            return None
        return int(text)

    def _dues(self, job: Job, now: int) -> list[int]:
        """Return the due times after the job's mark up to now, oldest first."""
        found = []
        at = max(self._handled[job.name], now - _LOOK_BACK)
        while (due := job.rule.next_after(at, self._calendar)) is not None and due <= now:
            found.append(due)
            at = due
        return found

    def _known(self, name: str) -> Job:
        if name in self._jobs:
            return self._jobs[name]
        close = nearest(name, self._jobs)
        raise Failure(
            f"there is no job {name}",
            code=ExitCode.REFUSED,
            expected="one of: " + ", ".join(self._jobs),
            found=name,
            next_step=f"did you mean {close}?" if close else "",
        )


def _minutes(count: int) -> int:
    """Return minutes as nanoseconds."""
    return count * 60 * NANOSECONDS
