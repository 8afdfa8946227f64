"""A run: plan, price, fetch by several workers, record in order."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from tradingd.backfill.attempt import Attempts
from tradingd.backfill.cost import check_limit, estimate
from tradingd.backfill.crew import Crew, stopped_by_signals
from tradingd.backfill.job import Outcome
from tradingd.backfill.planning import Plan, Setting, plan
from tradingd.backfill.provider import BookProvider
from tradingd.backfill.recording import Progress, Recording, named
from tradingd.backfill.records import SUMMARY, Line, Status, Summary, counted, dollars, iso
from tradingd.backfill.scratch import run_folder
from tradingd.backfill.tasks import Task
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import Failure


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is done.

    Parameters
    ----------
    force : bool
        Fetch what is there too.
    strict : bool
        Only recorded here; the caller decides what a failure is.
    limit : Decimal, optional
        USD that the vendor's estimate may reach; None: what is fetched has no price.
    summarise : bool
        Overwrite the summary file.
    """

    force: bool = False
    strict: bool = False
    limit: Decimal | None = None
    summarise: bool = True


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; `lines` are in the order of the tasks.

    `interrupted`: Ctrl-C ended it; `fatal`: what every task would have met (a full disk).
    """

    summary: Summary
    lines: tuple[Line, ...]
    interrupted: bool = False
    fatal: Failure | None = None


def run(
    tasks: Sequence[Task],
    setting: Setting,
    provider: BookProvider,
    options: Options,
    *,
    progress: Progress = lambda _done, _all, _label: None,
    wall: Callable[[], int] = time.time_ns,
    clock: Callable[[], float] = time.perf_counter,
) -> Ran:
    """Do every task, and record what became of it.

    Parameters
    ----------
    tasks : sequence of Task
        Repeated ones count once.
    setting, provider, options
    progress : Callable
        Told of tasks done, all of them, and the last one's name.
    wall : Callable
        UTC ns.
    clock : Callable
        Monotonic seconds.

    Raises
    ------
    Failure
        SPENDING when the estimate is above the limit, or what the vendor refuses the estimate
        with; nothing was fetched or recorded then.
    """
    began, started = wall(), clock()
    planned, price = priced(plan(tasks, setting, force=options.force, now=began), provider)
    check_limit(price, options.limit, len(planned.fetch))
    setting.root.mkdir(parents=True, exist_ok=True)
    name = f"{iso(began)}-{os.getpid()}"
    recording = Recording(name, planned, setting, wall=wall, progress=progress)
    recording.add(planned.settled)
    interrupted, fatal = _fetch(planned, setting, provider, options, recording)
    lines = recording.lines
    written = [one for one in lines if one.status is Status.WRITE]
    summary = Summary(
        contract="backfill-summary",
        schema_version="1.0.0",
        run=name,
        began=iso(began),
        ended=iso(wall()),
        provider=provider.name,
        counts=counted(lines),
        total=len(planned.tasks),
        not_started=len(planned.tasks) - len(lines),
        concurrency=setting.config.workers,
        duration=round(clock() - started, 3),
        rows=sum(one.rows for one in written),
        trades=sum(one.trades or 0 for one in written),
        bytes=sum(one.bytes or 0 for one in written),
        force=options.force,
        strict=options.strict,
        estimate_usd=dollars(price),
        spending_limit_usd=dollars(options.limit),
        zero_row_tasks=named(lines, Status.EMPTY),
        failed_tasks=named(lines, Status.ERROR, Status.UNAVAIL),
    )
    if options.summarise:
        text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        write_bytes(setting.root / SUMMARY, text + b"\n")
    return Ran(summary=summary, lines=lines, interrupted=interrupted, fatal=fatal)


def priced(planned: Plan, provider: BookProvider) -> tuple[Plan, Decimal | None]:
    """Return the plan with what cannot be asked settled, and the price of the rest in USD."""
    if not planned.fetch:
        return planned, None
    if why := provider.is_available():
        unavailable = Outcome(status=Status.UNAVAIL, reason=why)
        settled = planned.settled | {job.index: unavailable for job in planned.fetch}
        return msgspec.structs.replace(planned, settled=settled), None
    return planned, estimate(provider, planned.fetch)


def _fetch(
    planned: Plan,
    setting: Setting,
    provider: BookProvider,
    options: Options,
    recording: Recording,
) -> tuple[bool, Failure | None]:
    """Fetch what is left; return whether it was interrupted, and what every task would meet."""
    if not planned.fetch:
        return False, None
    fatal: Failure | None = None
    stopping = threading.Event()
    with run_folder(setting.root, recording.run) as folder:
        attempts = Attempts(
            provider, folder=folder, locks=folder.parent, stop=stopping, force=options.force
        )
        crew = Crew(attempts.work, stopping)
        with stopped_by_signals(crew.interrupt) as interrupted:
            try:
                for job, outcome in crew.outcomes(planned.fetch, setting.config.workers):
                    recording.add({job.index: outcome})
                    fatal = fatal or outcome.fatal
            finally:
                stopping.set()
                recording.close()
            return interrupted(), fatal
