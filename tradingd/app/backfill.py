"""Backfill of order books in Python, with the same results as `tradingd backfill l2`.

>>> tasks = find_warrior_tasks(since_days=7, last=3)  # doctest: +SKIP
>>> summary = run_warrior_backfill(tasks)  # doctest: +SKIP
>>> one = backfill_l2("AAPL", date(2025, 4, 3))  # doctest: +SKIP
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradingd.app.backfill_parts import discovered, executed
from tradingd.backfill.recording import Progress
from tradingd.backfill.records import Status, Summary
from tradingd.backfill.run import Options, Ran
from tradingd.backfill.tasks import Filters, Task
from tradingd.config.load import load
from tradingd.config.paths import level2_root
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import local_date

log = logging.getLogger(__name__)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one task ended.

    Attributes
    ----------
    status : Status
    rows : int
        Snapshots in the file.
    path : pathlib.Path, optional
        Of the snapshots; None: there is no file of this task.
    reason : str
        Why there is none, or why it is not new.
    """

    status: Status
    rows: int
    path: Path | None
    reason: str = ""


def find_warrior_tasks(
    since_days: int | None = None,
    last: int | None = None,
    *,
    log_path: str | Path | None = None,
    filters: Filters | None = None,
    config: SystemConfig | None = None,
    wall: Callable[[], int] = time.time_ns,
) -> list[Task]:
    """Return the tasks of the trade log, each once, in the order of the log.

    Parameters
    ----------
    since_days : int, optional
        Only days so many days ago or later.
    last : int, optional
        Only the most recent so many different days, after the other filters.
    log_path : path, optional
        The log; None: `backfill.log`.
    filters : Filters, optional
        More of them: symbols, dates, the number of tasks.
    config : SystemConfig, optional
        None: the configured one.
    wall : Callable
        UTC ns.

    Raises
    ------
    Failure
        USAGE, UNREADABLE_INPUT or CONFIG. Rows that cannot be used are logged as warnings.
    """
    chosen = filters or Filters()
    if since_days is not None:
        first = local_date(wall()) - dt.timedelta(days=since_days)
        chosen = msgspec.structs.replace(chosen, first=max(first, chosen.first or first))
    if last is not None:
        chosen = msgspec.structs.replace(chosen, last=last)
    found = discovered((config or load().config).backfill, chosen, log_path=log_path, wall=wall)
    for note in found.notes:
        log.warning("trade log: %s", note)
    for one in found.rejected:
        log.warning("trade log, %s: %s", one.place, one.reason)
    return list(found.tasks)


def run_warrior_backfill(
    tasks: Sequence[Task],
    force: bool = False,
    strict: bool = False,
    *,
    config: SystemConfig | None = None,
    progress: Progress = lambda _done, _all, _label: None,
) -> Summary:
    """Fetch tasks; manifest and summary are on disk afterwards.

    Raises
    ------
    Failure
        SOURCE under `strict` when a task ended ERROR or UNAVAIL; as `executed` does; what stopped
        the run, such as a full disk.
    KeyboardInterrupt
        After an orderly end.
    """
    chosen = config or load().config
    options = Options(force=force, strict=strict)
    ran = executed(chosen, tasks, options, progress=progress)
    _demand(ran, strict=strict)
    return ran.summary


def backfill_l2(
    symbol: str,
    day: dt.date,
    *,
    config: SystemConfig | None = None,
    force: bool = False,
    strict: bool = False,
) -> Result:
    """Fetch one task; appends to the manifest, and leaves the summary of the last run alone.

    Raises
    ------
    Failure
        As `run_warrior_backfill`.
    """
    chosen = config or load().config
    options = Options(force=force, strict=strict, summarise=False)
    ran = executed(chosen, [Task(symbol=symbol, day=day)], options)
    _demand(ran, strict=strict)
    (line,) = ran.lines
    path = level2_root(chosen) / line.path if line.path else None
    return Result(status=line.status, rows=line.rows, path=path, reason=line.reason)


def _demand(ran: Ran, *, strict: bool) -> None:
    if ran.interrupted:
        raise KeyboardInterrupt
    if ran.fatal:
        raise ran.fatal
    if strict and ran.summary.failed:
        first = ran.summary.failed_tasks[0]
        counts = ran.summary.counts
        raise Failure(
            "not every task of the backfill succeeded",
            code=ExitCode.SOURCE,
            where=f"{first.symbol} {first.day}",
            expected="no ERROR and no UNAVAIL",
            found=f"{counts[Status.ERROR]} ERROR, {counts[Status.UNAVAIL]} UNAVAIL; the first: "
            f"{first.reason}",
            next_step="run it again: what was written is skipped",
        )
