"""What a run has to fetch, and which tasks are settled before anybody is asked."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradingd.backfill.attempt import present_outcome
from tradingd.backfill.job import Job, Outcome
from tradingd.backfill.mapping import Mapping
from tradingd.backfill.records import Status
from tradingd.backfill.tasks import Task
from tradingd.backfill.windows import window_on
from tradingd.config.backfill import BackfillConfig
from tradingd.domain.market import Session
from tradingd.level2 import layout
from tradingd.session.calendar import SessionCalendar


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every task of a run.

    Parameters
    ----------
    config : BackfillConfig
    root : pathlib.Path
        The folder of order books.
    tag : str
        The provider's tag in file names.
    origin : mapping
        What else the files say of where they come from, such as the dataset.
    mapping : Mapping
    calendar : SessionCalendar
    """

    config: BackfillConfig
    root: Path
    tag: str
    origin: dict[str, str]
    mapping: Mapping
    calendar: SessionCalendar


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks of a run in their order; each index is among `settled` or the jobs of `fetch`.

    `jobs` has every task with a window, settled ones too.
    """

    tasks: tuple[Task, ...]
    jobs: dict[int, Job]
    settled: dict[int, Outcome]

    @property
    def fetch(self) -> list[Job]:
        """The jobs that are left to do."""
        return [job for index, job in self.jobs.items() if index not in self.settled]


def plan(tasks: Sequence[Task], setting: Setting, *, force: bool, now: int) -> Plan:
    """Look at every task once, on this machine only.

    Parameters
    ----------
    tasks : sequence of Task
        Repeated ones count once, where they were first.
    setting : Setting
    force : bool
        Fetch what is there too.
    now : int
        UTC ns; a window that ends later cannot be fetched yet.
    """
    unique = tuple(dict.fromkeys(tasks))
    jobs: dict[int, Job] = {}
    settled: dict[int, Outcome] = {}
    for index, task in enumerate(unique):
        session = setting.calendar.on(task.day)
        job = _job(index, task, session, setting) if session else None
        if job is None:
            settled[index] = Outcome(status=Status.EMPTY, reason=_no_window(task, session))
            continue
        jobs[index] = job
        if job.window.end_ns > now:
            reason = "the window of this day has not ended yet"
            settled[index] = Outcome(status=Status.UNAVAIL, reason=reason)
        elif outcome := present_outcome(job, force=force):
            settled[index] = outcome
    return Plan(tasks=unique, jobs=jobs, settled=settled)


def _job(index: int, task: Task, session: Session, setting: Setting) -> Job | None:
    config = setting.config
    window = window_on(session, config)
    if window is None:
        return None
    place = (setting.root, task.symbol, task.day, setting.tag)
    return Job(
        index=index,
        task=task,
        vendor_symbol=setting.mapping.of(task.symbol),
        window=window,
        snapshots=layout.snapshots(*place),
        trades=layout.trades(*place) if config.trades else None,
        source=setting.tag,
        origin=setting.origin,
        config=config,
    )


def _no_window(task: Task, session: Session | None) -> str:
    if session is None:
        return f"the exchange was closed on {task.day:%A}, {task.day}"
    return f"the half day {task.day} ended before the window"
